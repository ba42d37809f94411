/** Electron's program: the npm package fetches it on first use, which we do in view and with an end. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LaunchError } from './install.mjs';

const fetchLimitMs = 10 * 60_000;

/**
 * @param {string} root Boxwright's folder
 * @param {{ node: string, print: (line: string) => void, limitMs?: number }} options
 * @returns {Promise<string>} the program's path; rejects with a LaunchError that says why there is none
 */
export async function ensureElectron(root, options) {
  const folder = join(root, 'node_modules', 'electron');
  const present = electronPath(folder);
  if (present) return present;
  options.print('Fetching Electron (about 120 MB, once)…');
  await fetchElectron(folder, options);
  const fetched = electronPath(folder);
  if (!fetched) throw new LaunchError('Electron was fetched but is not where it should be.');
  return fetched;
}

/**
 * @param {string} folder of the npm package
 * @returns {string | null}
 */
export function electronPath(folder) {
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8'));
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} folder
 * @param {{ node: string, limitMs?: number }} options
 */
function fetchElectron(folder, { node, limitMs = fetchLimitMs }) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(folder, 'install.js')], { stdio: ['ignore', 'inherit', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
      // The fetcher's own progress bar; a failure's stack is told in one sentence below.
      if (process.stderr.isTTY && !/error/i.test(complaint)) process.stderr.write(chunk);
    });
    const impatience = setTimeout(() => {
      child.kill();
      reject(new LaunchError(`Electron could not be fetched within ${Math.round(limitMs / 60_000)} minutes`));
    }, limitMs);
    child.once('error', (error) => finish(String(error)));
    child.once('exit', (code) => finish(code === 0 ? null : reasonIn(complaint)));
    /** @param {string | null} reason */
    function finish(reason) {
      clearTimeout(impatience);
      if (reason === null) resolve(undefined);
      else reject(new LaunchError(`Electron could not be fetched (${reason})`));
    }
  });
}

/**
 * The first line of a stack that names an error, without the stack.
 * @param {string} complaint
 */
export function reasonIn(complaint) {
  const lines = complaint.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /error|refused|denied|ENO|ECONN|EAI/i.test(line)) ?? lines.find(Boolean);
  const reason = (telling ?? 'no reason given').replace(/^\w*Error: /, '').slice(0, 200);
  // All that Node's fetch says when there is no way to the server.
  return reason === 'fetch failed' ? 'github.com, where it lies, cannot be reached from here' : reason;
}
