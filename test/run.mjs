/**
 * `npm test`: installs what is missing, then types, lint and every vitest project, one after the other. The last line counts: `N passed,
 * N failed`, and how many were skipped. Runs under any Node >= 20; the tests themselves run on the Node among the dependencies.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, ensureNode, LaunchError } from '../electron/launch/install.mjs';
import { addCounts, countReport, noCounts, summaryLine } from './support/counts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const allProjects = ['unit', 'gpu', 'parity', 'contract', 'e2e', 'learning'];
/** `npm test -- unit contract` runs only those. */
const asked = process.argv.slice(2);
const projects = asked.length > 0 ? allProjects.filter((project) => asked.includes(project)) : allProjects;
const module = (/** @type {string[]} */ ...parts) => join(root, 'node_modules', ...parts);

let total = noCounts;
const reports = mkdtempSync(join(tmpdir(), 'boxwright-test-'));
try {
  await ensureInstalled(root, (line) => console.log(line));
  const node = await ensureNode(root);
  total = addCounts(total, await oneCheck('types', node, [module('typescript', 'bin', 'tsc'), '-b']));
  total = addCounts(
    total,
    await oneCheck('lint', node, [
      module('@biomejs', 'biome', 'bin', 'biome'),
      'check',
      '--error-on-warnings',
      '.',
    ]),
  );
  for (const project of projects) total = addCounts(total, await vitest(project, node));
} catch (error) {
  console.error(error instanceof LaunchError ? error.message : error);
  total = addCounts(total, { ...noCounts, failed: 1 });
} finally {
  rmSync(reports, { recursive: true, force: true });
}
console.log(summaryLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

/**
 * A check that passes or fails as a whole.
 * @param {string} name
 * @param {string} node
 * @param {string[]} parameters
 */
async function oneCheck(name, node, parameters) {
  console.log(`\n── ${name}`);
  const code = await runHere(node, parameters);
  return code === 0 ? { ...noCounts, passed: 1 } : { ...noCounts, failed: 1 };
}

/**
 * @param {string} project
 * @param {string} node
 */
async function vitest(project, node) {
  console.log(`\n── ${project}`);
  const report = join(reports, `${project}.json`);
  const code = await runHere(node, [
    module('vitest', 'vitest.mjs'),
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  return countReport(readReport(report), code);
}

/** @param {string} path */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {string} program
 * @param {string[]} parameters
 * @returns {Promise<number>}
 */
function runHere(program, parameters) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { cwd: root, stdio: 'inherit' });
    child.once('error', (error) => {
      console.error(String(error));
      resolve(127);
    });
    child.once('exit', (code) => resolve(code ?? 130));
  });
}
