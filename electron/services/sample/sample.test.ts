import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ProjectStore } from '../store/projectStore.ts';
import { drawSample, unlabelledCount } from './sample.ts';

const scratch = mkdtempSync(join(tmpdir(), 'boxwright-sample-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function filesBelow(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files.sort().map((path) => [path.slice(folder.length), readFileSync(path).toString('base64')]),
  );
}

describe('drawSample', () => {
  it('makes the same files to the byte, the database among them, and others from another seed', async () => {
    await drawSample(join(scratch, 'a'), { images: 6, seed: 5 });
    await drawSample(join(scratch, 'deeper', 'b'), { images: 6, seed: 5 });
    await drawSample(join(scratch, 'c'), { images: 6, seed: 6 });
    const [a, b, c] = ['a', 'deeper/b', 'c'].map((name) => filesBelow(join(scratch, name)));
    expect(a!.size).toBeGreaterThan(6);
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('labels all but the last, splits the labelled and reviews the empty', async () => {
    const folder = join(scratch, 'states');
    await drawSample(folder, { images: 18, seed: 1 });
    const store = ProjectStore.open(folder);
    try {
      const images = store.images();
      expect(images).toHaveLength(18);
      expect(images.filter((image) => image.state === 'unlabelled')).toEqual(
        images.slice(-unlabelledCount(18)),
      );
      expect(images[14]!.state).toBe('reviewed-empty');
      expect(images[0]!.state).toBe('reviewed');
      expect(images.slice(0, 15).filter((image) => image.split === 'val')).toHaveLength(3);
      expect(images.slice(0, 15).filter((image) => image.split === 'train')).toHaveLength(12);
      expect(store.classes().map(({ name }) => name)).toEqual(['RBC', 'WBC', 'Platelets']);
      expect(store.summary().isSample).toBe(true);
      expect(store.boxesOf(images[0]!.id).length).toBe(images[0]!.labelCount);
    } finally {
      store.close();
    }
  });

  it('leaves twenty of the default 120 for the user', () => {
    expect(unlabelledCount(120)).toBe(20);
    expect(unlabelledCount(4)).toBe(0);
  });

  it('refuses a folder that is not empty and touches nothing in it', async () => {
    const folder = mkdtempSync(join(scratch, 'full-'));
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    await expect(drawSample(folder, { images: 2, seed: 1 })).rejects.toMatchObject({ kind: 'conflict' });
    expect(readdirSync(folder)).toEqual(['mine.txt']);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const folder = join(scratch, 'cancelled');
    const controller = new AbortController();
    const job = {
      signal: controller.signal,
      progress: (done: number) => done === 2 && controller.abort(),
      problem: () => {},
    };
    await expect(drawSample(folder, { images: 20, seed: 1 }, job)).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(existsSync(folder)).toBe(false);
    expect(readdirSync(scratch).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('refuses a count or seed that is none', async () => {
    await expect(drawSample(join(scratch, 'n'), { images: 0, seed: 1 })).rejects.toMatchObject({
      kind: 'bad-input',
    });
    await expect(drawSample(join(scratch, 'n'), { images: 1, seed: 0.5 })).rejects.toMatchObject({
      kind: 'bad-input',
    });
  });
});
