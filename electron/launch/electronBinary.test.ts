import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { electronPath, ensureElectron, reasonIn } from './electronBinary.mjs';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'boxwright-electron-'));
  folder = join(root, 'node_modules', 'electron');
  await mkdir(folder, { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The npm package's own fetcher, played. */
const writeFetcher = (script: string) => writeFile(join(folder, 'install.js'), script);
const putsElectron = `
  const fs = require('fs'); const path = require('path');
  fs.mkdirSync(path.join(__dirname, 'dist')); fs.writeFileSync(path.join(__dirname, 'dist', 'electron'), '');
  fs.writeFileSync(path.join(__dirname, 'path.txt'), 'electron');`;

function ensure(limitMs?: number) {
  const lines: string[] = [];
  const path = ensureElectron(root, {
    node: process.execPath,
    print: (line: string) => lines.push(line),
    limitMs,
  });
  return { path, lines };
}

describe('ensureElectron', () => {
  it('fetches it once, saying so', async () => {
    await writeFetcher(putsElectron);
    const first = ensure();
    expect(await first.path).toBe(join(folder, 'dist', 'electron'));
    expect(first.lines).toEqual(['Fetching Electron (about 120 MB, once)…']);
    const second = ensure();
    expect(await second.path).toBe(join(folder, 'dist', 'electron'));
    expect(second.lines).toEqual([]);
  });

  it('says in one sentence why it could not', async () => {
    await writeFetcher("console.error(new Error('getaddrinfo ENOTFOUND github.com').stack); process.exit(1)");
    await expect(ensure().path).rejects.toThrow(
      /^Electron could not be fetched \(getaddrinfo ENOTFOUND github\.com\)$/,
    );
  });

  it('gives up after its time', async () => {
    await writeFetcher('setTimeout(() => {}, 60_000)');
    const began = performance.now();
    await expect(ensure(300).path).rejects.toThrow(/could not be fetched within/);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('does not believe a fetcher that left nothing', async () => {
    await writeFetcher('');
    await expect(ensure().path).rejects.toThrow(/not where it should be/);
  });
});

it('is not taken for present by half an installation', async () => {
  expect(electronPath(folder)).toBeNull();
  await writeFile(join(folder, 'path.txt'), 'electron');
  expect(electronPath(folder)).toBeNull();
});

it.each([
  ['Error: connect ECONNREFUSED 127.0.0.1:1\n    at x (y.js:1:2)', 'connect ECONNREFUSED 127.0.0.1:1'],
  ['TypeError: fetch failed\n    at node:internal', 'github.com, where it lies, cannot be reached from here'],
  ['something odd', 'something odd'],
  ['', 'no reason given'],
])('tells the reason in %j', (complaint, reason) => {
  expect(reasonIn(complaint)).toBe(reason);
});
