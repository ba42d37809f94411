import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureDesktop, ensureRenderer } from './build.ts';
import { rendererSourceHash, sourceHash } from './sourceHash.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'boxwright-build-'));
  await put('renderer/main.tsx', 'screens');
  await put('shared/domain/box.ts', 'box');
  await put('package-lock.json', '{}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text: string) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** Plays vite: leaves `files.json` with the given source where it is told to, and counts its runs. */
async function putVite(script: string) {
  await put(
    'node_modules/vite/bin/vite.js',
    `const fs = require('fs'); const path = require('path');
     const out = process.argv[process.argv.indexOf('--outDir') + 1];
     fs.appendFileSync(path.join(process.cwd(), 'runs.txt'), path.basename(process.argv[process.argv.indexOf('--config') + 1]) + '\\n');
     fs.mkdirSync(out, { recursive: true });
     ${script}`,
  );
}
const leaves = (name: string, source: string) =>
  `fs.writeFileSync(path.join(out, '${name}'), JSON.stringify({ source: ${JSON.stringify(source)} }));`;

function options(hasSources = true) {
  const lines: string[] = [];
  return { root, hasSources, print: (line: string) => void lines.push(line), lines };
}

const runs = async () => (await readFile(join(root, 'runs.txt'), 'utf8')).trim().split('\n');

describe('the fingerprint', () => {
  const parts = ['renderer', 'shared', 'package-lock.json', 'absent'];
  it('changes with a content, a name, a new file; not with a test', async () => {
    const seen = [await sourceHash(root, parts)];
    await put('renderer/main.tsx', 'other');
    seen.push(await sourceHash(root, parts));
    await put('renderer/deep/new.ts', '');
    seen.push(await sourceHash(root, parts));
    await put('package-lock.json', '{"a":1}');
    seen.push(await sourceHash(root, parts));
    expect(new Set(seen).size).toBe(4);
    await put('shared/domain/box.test.ts', 'test');
    expect(await sourceHash(root, parts)).toBe(seen[3]);
  });
});

describe('ensureRenderer', () => {
  it('builds when there is nothing, then not again until a source changes', async () => {
    await putVite(leaves('files.json', await rendererSourceHash(root)));
    const first = options();
    expect(await ensureRenderer(first)).toBe(join(root, 'dist', 'renderer'));
    expect(first.lines).toEqual(['Building the screens…']);
    const second = options();
    await ensureRenderer(second);
    expect(second.lines).toEqual([]);
    expect(await runs()).toHaveLength(1);
    await put('shared/domain/box.ts', 'changed');
    await ensureRenderer(options());
    expect(await runs()).toHaveLength(2);
    expect(await readdir(join(root, 'dist'))).toEqual(['renderer']);
  });

  it('keeps the old build, and says why, where the new one fails', async () => {
    await putVite(leaves('files.json', 'old'));
    await ensureRenderer(options());
    await putVite(
      "console.error('\\u001b[31mno such file: x.ts\\u001b[0m\\n    at somewhere (a.js:1:1)'); process.exit(1);",
    );
    const failed = await ensureRenderer(options()).catch((error) => error);
    expect(failed).toMatchObject({
      kind: 'internal',
      message: 'renderer/vite.config.ts could not be built.\nno such file: x.ts',
    });
    expect(JSON.parse(await readFile(join(root, 'dist/renderer/files.json'), 'utf8'))).toEqual({
      source: 'old',
    });
    expect(await readdir(join(root, 'dist'))).toEqual(['renderer']);
  });

  it('stands two builds at once', async () => {
    await putVite(leaves('files.json', await rendererSourceHash(root)));
    await Promise.all([ensureRenderer(options()), ensureRenderer(options())]);
    expect(await readdir(join(root, 'dist', 'renderer'))).toEqual(['files.json']);
    expect(await readdir(join(root, 'dist'))).toEqual(['renderer']);
  });

  it('takes what came with an installed copy', async () => {
    expect(await ensureRenderer(options(false))).toBe(join(root, 'dist', 'renderer'));
    await expect(runs()).rejects.toThrow('ENOENT');
  });
});

it('builds the desktop shell in two parts, into one folder', async () => {
  await putVite(`${leaves('source.json', 'x')} fs.writeFileSync(path.join(out, 'main.js'), '');`);
  expect(await ensureDesktop(options())).toBe(join(root, 'dist', 'desktop', 'main.js'));
  expect(await runs()).toEqual(['vite.config.ts', 'vite.preload.config.ts']);
});
