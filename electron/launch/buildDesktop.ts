/** Builds what the desktop shell needs, where it is stale. */
import { toProblemData } from '../../shared/domain/problem.ts';
import { findInstallation } from '../host/installation.ts';
import { ensureDesktop, ensureRenderer } from './build.ts';

try {
  const options = { ...findInstallation(), print: (line: string) => console.log(line) };
  await Promise.all([ensureRenderer(options), ensureDesktop(options)]);
} catch (error) {
  const problem = toProblemData(error);
  console.error(`${problem.message}\n${problem.remedy}`);
  process.exitCode = 1;
}
