/**
 * Builds what a shell needs and does not have yet: nothing when the last build came from the same sources. In an installed copy there
 * are no sources, and what came with it is taken as it is.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Problem } from '../../shared/domain/problem.ts';
import { desktopSourceHash, rendererSourceHash } from './sourceHash.ts';

export interface BuildOptions {
  /** Boxwright's own folder. */
  readonly root: string;
  readonly hasSources: boolean;
  /** One line for people. */
  print(line: string): void;
}

/** Resolves to the folder of the built screens. Throws `internal` with the build's own words where it fails. */
export async function ensureRenderer(options: BuildOptions): Promise<string> {
  const target = join(options.root, 'dist', 'renderer');
  if (!options.hasSources) return target;
  if ((await builtFrom(join(target, 'files.json'))) === (await rendererSourceHash(options.root)))
    return target;
  options.print('Building the screens…');
  await build(options, target, ['renderer/vite.config.ts']);
  return target;
}

/** Resolves to the desktop shell's main file. */
export async function ensureDesktop(options: BuildOptions): Promise<string> {
  const target = join(options.root, 'dist', 'desktop');
  const main = join(target, 'main.js');
  if (!options.hasSources) return main;
  if ((await builtFrom(join(target, 'source.json'))) === (await desktopSourceHash(options.root))) return main;
  options.print('Building the desktop shell…');
  await build(options, target, [
    'electron/desktop/vite.config.ts',
    'electron/desktop/vite.preload.config.ts',
  ]);
  return main;
}

/** The fingerprint of the sources of an earlier build, null where there is none. */
async function builtFrom(manifestPath: string): Promise<string | null> {
  try {
    return JSON.parse(await readFile(manifestPath, 'utf8')).source;
  } catch {
    return null;
  }
}

/** Into a folder of its own, put in place in one step: a shell that starts meanwhile sees the old build or the new one. */
async function build(options: BuildOptions, target: string, configs: readonly string[]): Promise<void> {
  const fresh = `${target}.${randomUUID()}`;
  try {
    for (const config of configs) await runVite(options.root, config, fresh);
    await replaceFolder(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** `vite build` empties a folder outside its root only when told to, which lets several builds share one. */
async function runVite(root: string, config: string, outDir: string): Promise<void> {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const parameters = ['build', '--config', join(root, config), '--outDir', outDir, '--logLevel', 'warn'];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [vite, ...parameters, '--emptyOutDir', 'false'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const fail = (detail: string) =>
      reject(
        new Problem(
          'internal',
          `${config} could not be built.\n${withoutStack(said)}`,
          'Run `npm ci`, then try again.',
          detail,
        ),
      );
    child.once('error', (error) => fail(String(error)));
    child.once('exit', (code, signal) => (code === 0 ? resolve() : fail(`exit ${code ?? signal}`)));
  });
}

/** The builder's message in plain text, without the calls that led to it. */
function withoutStack(said: string): string {
  return stripVTControlCharacters(said)
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')
    .trim();
}

async function replaceFolder(fresh: string, target: string): Promise<void> {
  const old = `${target}.${randomUUID()}`;
  if (existsSync(target)) await rename(target, old);
  try {
    await rename(fresh, target);
  } catch (error) {
    // Two builds at once: the other one is in place already, from the same sources.
    const present = await readdir(target).catch(() => []);
    if (present.length === 0) throw error;
  }
  await rm(old, { recursive: true, force: true });
}
