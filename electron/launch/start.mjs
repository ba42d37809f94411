/**
 * `npm start`: the desktop shell, or, where Electron cannot run, the web shell with one sentence that says why.
 * `npm start -- --web [--port N] [--no-open] [PROJECT]` goes to the web shell at once.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureElectron } from './electronBinary.mjs';
import { ensureInstalled, ensureNode, LaunchError, run } from './install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** An Electron that ends with an error this soon never came up. */
const startedAfterMs = 10_000;

const parameters = process.argv.slice(2);
const print = (/** @type {string} */ line) => console.log(line);

if (parameters.includes('--help') || parameters.includes('-h')) {
  print('npm start                                               opens the workstation in a window');
  print('npm start -- --web [PROJECT] [--port N] [--no-open]     serves it to the browser on this machine');
  print('npm run -s boxwright -- --help                          the same without a screen');
  process.exit(0);
}

try {
  await ensureInstalled(root, print);
  const node = await ensureNode(root);
  if (parameters.includes('--web')) {
    process.exitCode = await startWeb(node);
  } else {
    process.exitCode = await startDesktop(node);
  }
} catch (error) {
  console.error(error instanceof LaunchError ? error.message : error);
  process.exitCode = 1;
}

/** @param {string} node */
async function startDesktop(node) {
  const reason = await whyNoDesktop(node);
  if (reason === null) return 0;
  print(`${reason}: serving Boxwright to your browser instead.`);
  return startWeb(node);
}

/**
 * Runs the desktop shell to its end.
 * @param {string} node
 * @returns {Promise<string | null>} null after it ran, else why it could not
 */
async function whyNoDesktop(node) {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return 'There is no graphical session here for a window (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  }
  try {
    const electron = await ensureElectron(root, { node, print });
    if ((await run(node, [join('electron', 'launch', 'buildDesktop.ts')], root)) !== 0) {
      return 'The desktop shell could not be built';
    }
    const began = Date.now();
    const code = await runToEnd(electron, [root, ...parameters]);
    const failed = code !== 0 && Date.now() - began < startedAfterMs;
    return failed ? `Electron ended at once (exit code ${code})` : null;
  } catch (error) {
    if (error instanceof LaunchError) return error.message;
    throw error;
  }
}

/** @param {string} node */
function startWeb(node) {
  const rest = parameters.filter((parameter) => parameter !== '--web');
  return runToEnd(node, [join(root, 'electron', 'web', 'main.ts'), ...rest]);
}

/**
 * Ctrl+C reaches the child by itself; we stay until it has closed the project.
 * @param {string} program
 * @param {readonly string[]} rest
 * @returns {Promise<number>}
 */
function runToEnd(program, rest) {
  return new Promise((resolve) => {
    // Editors' terminals set this; Electron would then pose as Node.
    const { ELECTRON_RUN_AS_NODE: _posing, ...env } = process.env;
    const child = spawn(program, rest, { stdio: 'inherit', env });
    const wait = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', wait);
    process.on('SIGTERM', pass);
    const end = (/** @type {number} */ code) => {
      process.off('SIGINT', wait);
      process.off('SIGTERM', pass);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(String(error));
      end(127);
    });
    child.once('exit', (code) => end(code ?? 130));
  });
}
