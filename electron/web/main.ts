/** `npm start -- --web`: serves until told to stop. */
import { parseArgs } from 'node:util';
import { toProblemData } from '../../shared/domain/problem.ts';
import { serve } from './serve.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    port: { type: 'string' },
    open: { type: 'boolean', default: true },
  },
});

try {
  const serving = await serve({
    project: positionals[0],
    port: values.port === undefined ? undefined : Number(values.port),
    open: values.open,
    print: (line) => console.log(line),
  });
  console.log('Press Ctrl+C to close it.');
  const stop = () => void serving.close().finally(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  const problem = toProblemData(error);
  console.error(`${problem.message}\n${problem.remedy}`);
  process.exitCode = 1;
}
