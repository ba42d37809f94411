import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { namedImages } from './imageArguments.ts';

let folder = '';
const at = (...names: string[]) => names.map((name) => join(folder, name));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'boxwright-images-'));
  await mkdir(join(folder, 'more'));
  await mkdir(join(folder, 'empty'));
  for (const path of at('a2.png', 'a10.png', 'b[1].png', 'notes.txt', 'more/c.jpg')) {
    await writeFile(path, path.endsWith('.txt') ? 'words' : 'no picture');
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('takes files in their order, each once, and leaves in what is not there', async () => {
  const named = at('a10.png', 'a2.png', 'none.png', 'more/../a10.png');
  expect(await namedImages(named)).toEqual(at('a10.png', 'a2.png', 'none.png'));
});

it('takes the images of a folder, as a person counts them', async () => {
  expect(await namedImages([folder, ...at('a2.png')])).toEqual(
    at('a2.png', 'a10.png', 'b[1].png', 'more/c.jpg'),
  );
  await expect(namedImages(at('empty'))).rejects.toThrow(/no image in .*empty/);
});

it('resolves a pattern, unless a file is called so', async () => {
  expect(await namedImages(at('a*.png'))).toEqual(at('a2.png', 'a10.png'));
  expect(await namedImages(at('b[1].png'))).toEqual(at('b[1].png'));
  await expect(namedImages(at('x*.png'))).rejects.toThrow(/No file matches .*x\*\.png/);
});
