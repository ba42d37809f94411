/**
 * Runs under any Node >= 20, before anything is installed: sees to it that the dependencies are there, and finds the Node that Boxwright
 * itself runs on (it comes among them). Plain JavaScript with Node's own modules only.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** First version whose built-in SQLite and type stripping Boxwright relies on. */
const oldestNode = [24, 15];

/** What went wrong, in a sentence a person can act on. */
export class LaunchError extends Error {}

/**
 * Installs the dependencies exactly as locked where they are missing or older than the lock.
 * @param {string} root Boxwright's folder
 * @param {(line: string) => void} print
 */
export async function ensureInstalled(root, print) {
  if (isInstalled(root)) return;
  print('Installing Boxwright’s dependencies (once; a few minutes on a slow connection)…');
  const [program, ...first] = npmCommand();
  const code = await run(
    program,
    [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    root,
  );
  if (code !== 0) {
    throw new LaunchError(
      'npm could not install the dependencies; its message above says why. Check the connection to the npm registry and the free disk space, then run the same command again.',
    );
  }
  writeFileSync(stampPath(root), lockHash(root));
}

/**
 * The Node that came with the dependencies.
 * @param {string} root
 * @returns {Promise<string>} its path
 */
export async function ensureNode(root) {
  const folder = join(root, 'node_modules', 'node');
  const bundled = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(bundled)) return bundled;
  // npm was told to run no scripts: this one only fetches the binary for this machine.
  if (existsSync(join(folder, 'installArchSpecificPackage.js'))) {
    await run(process.execPath, ['installArchSpecificPackage.js'], folder);
    if (existsSync(bundled)) return bundled;
  }
  if (isRecent(process.versions.node)) return process.execPath;
  throw new LaunchError(
    `There is no Node ${oldestNode.join('.')} or newer for this machine among the dependencies. Install one from nodejs.org and run the same command again.`,
  );
}

/** @param {string} root */
export function isInstalled(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  if (existsSync(stampPath(root)) && readFileSync(stampPath(root), 'utf8') === lockHash(root)) return true;
  // Installed by hand: npm writes the hidden lock last.
  return statSync(hidden).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** @param {string} version as in `process.versions.node` */
export function isRecent(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

/**
 * Runs a program in view of the user.
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {string} cwd
 * @returns {Promise<number>} its exit code; 127 where it could not be started, 130 after a signal
 */
export function run(program, parameters, cwd) {
  return new Promise((resolve) => {
    // npm.cmd can only be started through a shell; its parameters here are constants without spaces.
    const shell = program.endsWith('.cmd');
    const child = spawn(program, parameters, { cwd, stdio: 'inherit', shell });
    child.once('error', (error) => {
      console.error(String(error));
      resolve(127);
    });
    child.once('exit', (code) => resolve(code ?? 130));
  });
}

/** The npm that runs us, else the one on the path. */
function npmCommand() {
  const npm = process.env.npm_execpath;
  if (npm && basename(npm) === 'npm-cli.js') return [process.execPath, npm];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/** @param {string} root */
function stampPath(root) {
  return join(root, 'node_modules', '.boxwright-lock');
}

/** @param {string} root */
function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}
