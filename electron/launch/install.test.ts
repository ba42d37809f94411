import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureInstalled, ensureNode, isInstalled, isRecent, LaunchError } from './install.mjs';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'boxwright-install-'));
  await writeFile(join(root, 'package-lock.json'), '{"lock":1}');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

async function writeHiddenLock(secondsAfterLock: number) {
  await mkdir(join(root, 'node_modules'), { recursive: true });
  const hidden = join(root, 'node_modules', '.package-lock.json');
  await writeFile(hidden, '{}');
  const now = Date.now() / 1000;
  await utimes(join(root, 'package-lock.json'), now, now);
  await utimes(hidden, now + secondsAfterLock, now + secondsAfterLock);
}

/** Stands in for npm: writes what it was called with and, asked to succeed, what npm leaves. */
async function fakeNpm(exitCode: number) {
  const path = join(root, 'npm-cli.js');
  await writeFile(
    path,
    `const fs = require('fs');
     fs.writeFileSync('called.txt', process.argv.slice(2).join(' '));
     if (${exitCode} === 0) { fs.mkdirSync('node_modules', { recursive: true }); fs.writeFileSync('node_modules/.package-lock.json', '{}'); }
     process.exit(${exitCode});`,
  );
  vi.stubEnv('npm_execpath', path);
}

describe('whether the dependencies are there', () => {
  it('is no without node_modules, or where the lock is newer', async () => {
    expect(isInstalled(root)).toBe(false);
    await writeHiddenLock(-10);
    expect(isInstalled(root)).toBe(false);
  });

  it('is yes after an installation by hand', async () => {
    await writeHiddenLock(10);
    expect(isInstalled(root)).toBe(true);
  });

  it('is yes where the lock was touched and not changed', async () => {
    await writeHiddenLock(-10);
    const hash = createHash('sha256').update('{"lock":1}').digest('hex');
    await writeFile(join(root, 'node_modules', '.boxwright-lock'), hash);
    expect(isInstalled(root)).toBe(true);
    await writeFile(join(root, 'package-lock.json'), '{"lock":2}');
    const later = Date.now() / 1000 + 60;
    await utimes(join(root, 'package-lock.json'), later, later);
    expect(isInstalled(root)).toBe(false);
  });
});

describe('ensureInstalled', () => {
  it('installs as locked, says so once, and not again', async () => {
    await fakeNpm(0);
    const lines: string[] = [];
    await ensureInstalled(root, (line) => lines.push(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^Installing/);
    expect(await readFile(join(root, 'called.txt'), 'utf8')).toBe(
      'ci --include=dev --no-audit --no-fund --loglevel=error',
    );
    await ensureInstalled(root, (line) => lines.push(line));
    expect(lines).toHaveLength(1);
  });

  it('says what to do where npm fails', async () => {
    await fakeNpm(7);
    const failed = ensureInstalled(root, () => {});
    await expect(failed).rejects.toBeInstanceOf(LaunchError);
    await expect(failed).rejects.toThrow(/connection to the npm registry/);
    expect(isInstalled(root)).toBe(false);
  });
});

describe('ensureNode', () => {
  it('takes the one that came with the dependencies', async () => {
    const name = process.platform === 'win32' ? 'node.exe' : 'node';
    await mkdir(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
    await writeFile(join(root, 'node_modules', 'node', 'bin', name), '');
    expect(await ensureNode(root)).toBe(join(root, 'node_modules', 'node', 'bin', name));
  });

  it('fetches it where npm was told to run no scripts', async () => {
    const name = process.platform === 'win32' ? 'node.exe' : 'node';
    const folder = join(root, 'node_modules', 'node');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'installArchSpecificPackage.js'),
      `require('fs').mkdirSync('bin'); require('fs').writeFileSync('bin/${name}', '');`,
    );
    expect(await ensureNode(root)).toBe(join(folder, 'bin', name));
  });

  it('takes the one that runs, where that is recent enough', async () => {
    expect(await ensureNode(root)).toBe(process.execPath);
  });

  it.each([
    ['20.19.0', false],
    ['24.14.9', false],
    ['24.15.0', true],
    ['24.21.0', true],
    ['25.0.0', true],
    ['9.99.0', false],
  ])('%s is recent: %s', (version, recent) => {
    expect(isRecent(version)).toBe(recent);
  });
});
