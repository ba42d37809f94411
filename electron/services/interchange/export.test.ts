import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { formatNames } from '../../../shared/contract/schemas.ts';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { ImageState } from '../../../shared/domain/image.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import { exportFrom } from './export.ts';
import { interchangeFormats } from './formatRegistry.ts';
import { contents, importFrom, makeScratch, problemKinds, quietJob, writeDataset } from './testDataset.ts';

const scratch = makeScratch();
afterAll(() => scratch.remove());

const plain = { ignore: false, difficult: false, occluded: false, truncated: false };
type Drawn = Partial<BoxRecord> & Pick<BoxRecord, 'boxPx'>;
let boxCount = 0;

function label(
  store: ProjectStore,
  path: string,
  state: ImageState,
  className: string,
  boxes: readonly Drawn[],
): void {
  const image = store.images().find(({ relativePath }) => relativePath === path)!;
  const after = boxes.map(
    (box): BoxRecord => ({
      ...{ id: `b${boxCount++}`, imageId: image.id, classId: store.addClass(className).id },
      ...{ status: 'label', origin: 'person', score: null, runId: null, ...plain },
      ...box,
    }),
  );
  const changes = after.map((box) => ({ before: null, after: box }));
  store.applyEdits([
    { imageId: image.id, label: 'Draw', boxes: changes, state: { before: image.state, after: state } },
  ]);
}

/** Two folders with a file of the same name, a negative, an unreviewed and an unlabelled image, a proposal, odd class names. */
async function project(): Promise<ProjectStore> {
  const folder = await writeDataset(scratch.folder(), {
    'a.jpg': [64, 48],
    'x/a.jpg': [40, 30],
    'a.png': [20, 20],
    'negative.jpg': [64, 48],
    'begun.jpg': [64, 48],
    'fresh.jpg': [64, 48],
  });
  const store = scratch.project();
  const sizes: Record<string, [number, number]> = { 'x/a.jpg': [40, 30], 'a.png': [20, 20] };
  store.addImages(
    ['a.jpg', 'x/a.jpg', 'a.png', 'negative.jpg', 'begun.jpg', 'fresh.jpg'].map((relativePath, index) => {
      const [widthPx, heightPx] = sizes[relativePath] ?? [64, 48];
      const split = (['train', 'val', 'test', 'train', 'train', null] as const)[index]!;
      return { rootPath: folder, relativePath, contentHash: relativePath, widthPx, heightPx, split };
    }),
  );
  store.addClass('first, never used');
  label(store, 'a.jpg', 'reviewed', '<img onerror=alert(1)>', [
    { boxPx: [0, 0, 64, 48] },
    { boxPx: [1.25, 2.5, 10.75, 20.125] },
    { boxPx: [5, 5, 9, 9], status: 'proposal', origin: 'model', score: 0.5 },
  ]);
  label(store, 'x/a.jpg', 'reviewed', 'cell: "b" & c', [
    { boxPx: [3, 4, 30, 20], origin: 'model', score: 0.9 },
  ]);
  label(store, 'a.png', 'reviewed', 'cell: "b" & c', [{ boxPx: [0, 0, 1, 1] }]);
  label(store, 'negative.jpg', 'reviewed-empty', '', []);
  label(store, 'begun.jpg', 'in-progress', 'cell: "b" & c', [{ boxPx: [0, 0, 5, 5] }]);
  return store;
}

function textsBelow(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(xml|txt|json|yaml)$/.test(name),
  );
  return files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}

describe.each(formatNames)('exporting and importing again: %s', (format) => {
  it('keeps images, boxes, classes, splits and negatives; leaves out what nobody reviewed and what nobody accepted', async () => {
    const store = await project();
    const dest = join(scratch.folder(), 'new');
    const report = await exportFrom(store, { dest, format }, quietJob);
    expect(report).toMatchObject({ images: 4, boxes: 4, negatives: 1, omitted: 2 });

    const back = scratch.project();
    const imported = await importFrom(back, dest);
    expect(imported).toMatchObject({ images: 4, boxes: 4, negatives: 1, unlabelled: 0 });
    const withoutPath = (images: ReturnType<typeof contents>) =>
      Object.values(images)
        .filter(({ state }) => state === 'reviewed' || state === 'reviewed-empty')
        .map(({ boxes, ...rest }) => ({
          ...rest,
          boxes: boxes.map(({ boxPx, className }) => ({ boxPx, className })),
        }))
        .map((image) => JSON.stringify(image))
        .sort();
    const expected = contents(store);
    // The proposal stays behind.
    expected['a.jpg']!.boxes.pop();
    expect(withoutPath(contents(back))).toEqual(withoutPath(expected));
    expect(textsBelow(dest)).not.toContain('begun');
  });

  it('copies images and never touches the originals', async () => {
    const store = await project();
    const [image] = store.images();
    const original = store.absolutePath(image!.id);
    const before = { ...statSync(original) };
    const dest = scratch.folder();
    await exportFrom(store, { dest, format }, quietJob);
    const copies = readdirSync(dest, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('a.jpg'),
    );
    const copy = join(dest, copies[0]!);
    expect(readFileSync(copy)).toEqual(readFileSync(original));
    expect(statSync(copy).ino).not.toBe(before.ino);
    expect(statSync(original).mtimeMs).toBe(before.mtimeMs);
  });

  it('does not nest deeper each time it is imported and exported again', async () => {
    const [first, second] = [scratch.folder(), scratch.folder()];
    await exportFrom(await project(), { dest: first, format }, quietJob);
    const back = scratch.project();
    await importFrom(back, first);
    await exportFrom(back, { dest: second, format }, quietJob);
    const names = (dest: string) => readdirSync(dest, { recursive: true, encoding: 'utf8' }).sort();
    expect(names(second)).toEqual(names(first));
  });

  it('recognises its own export and no other', async () => {
    const dest = scratch.folder();
    await exportFrom(await project(), { dest, format }, quietJob);
    for (const name of formatNames)
      expect([name, await interchangeFormats[name].detect(dest)]).toEqual([name, name === format]);
  });
});

describe('exportFrom', () => {
  it('refuses a folder that holds anything else, and replaces its own export', async () => {
    const store = await project();
    const foreign = await writeDataset(scratch.folder(), { 'mine.txt': 'mine' });
    await expect(exportFrom(store, { dest: foreign, format: 'voc' }, quietJob)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(readdirSync(foreign)).toEqual(['mine.txt']);

    const dest = scratch.folder();
    await exportFrom(store, { dest, format: 'voc' }, quietJob);
    writeFileSync(join(dest, 'notes.txt'), 'mine');
    await exportFrom(store, { dest, format: 'yolo', split: 'train' }, quietJob);
    expect(existsSync(join(dest, 'Annotations', 'a.xml'))).toBe(false);
    expect(existsSync(join(dest, 'data.yaml'))).toBe(true);
    expect(readFileSync(join(dest, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('does not delete what a forged list of its files names outside the folder', async () => {
    const folder = await writeDataset(scratch.folder(), {
      'precious.txt': 'precious',
      'dest/.boxwright-export.json': JSON.stringify({ format: 'voc', files: ['../precious.txt'] }),
    });
    await exportFrom(await project(), { dest: join(folder, 'dest'), format: 'voc' }, quietJob);
    expect(readFileSync(join(folder, 'precious.txt'), 'utf8')).toBe('precious');
  });

  it('says that nothing is reviewed, and makes no folder', async () => {
    const store = scratch.project();
    const dest = join(scratch.folder(), 'new');
    await expect(exportFrom(store, { dest, format: 'yolo' }, quietJob)).rejects.toThrow('There is no image');
    const folder = await writeDataset(scratch.folder(), { 'a.jpg': [64, 48] });
    const size = { contentHash: 'a', widthPx: 64, heightPx: 48 };
    store.addImages([{ rootPath: folder, relativePath: 'a.jpg', ...size, split: 'train' }]);
    await expect(exportFrom(store, { dest, format: 'yolo' }, quietJob)).rejects.toThrow(
      'No image of the project is reviewed yet (1 waits)',
    );
    expect(existsSync(dest)).toBe(false);
  });

  it('writes one split where one is asked for', async () => {
    const report = await exportFrom(
      await project(),
      { dest: scratch.folder(), format: 'coco', split: 'train' },
      quietJob,
    );
    expect(report).toMatchObject({ images: 2, negatives: 1, omitted: 1 });
  });

  it('says what each format could not keep', async () => {
    const store = await project();
    const kinds = async (format: (typeof formatNames)[number]) =>
      problemKinds(await exportFrom(store, { dest: scratch.folder(), format }, quietJob));
    expect(await kinds('voc')).toEqual(['fractional', 'not-kept', 'renamed', 'renamed']);
    // Whole names tell images apart there: no stem is taken twice.
    expect(await kinds('coco')).toEqual(['not-kept']);
    expect(await kinds('yolo')).toEqual(['not-kept']);
  });

  it('lists an image that is gone and goes on', async () => {
    const store = await project();
    rmSync(store.absolutePath(store.images()[0]!.id));
    const report = await exportFrom(store, { dest: scratch.folder(), format: 'voc' }, quietJob);
    expect(report.images).toBe(3);
    const told = report.problems.filter(({ kind }) => kind === 'not-found');
    expect(told).toEqual([expect.objectContaining({ detail: expect.stringContaining('a.jpg') })]);
  });

  it('writes nothing where every image is gone', async () => {
    const store = await project();
    rmSync(store.rootPath(store.images()[0]!.id), { recursive: true });
    const dest = join(scratch.folder(), 'new');
    await expect(exportFrom(store, { dest, format: 'voc' }, quietJob)).rejects.toMatchObject({
      kind: 'not-found',
      message: 'None of the 4 images to export is where it was, so nothing was written.',
    });
  });

  it('writes COCO ids that are the classes’ own', async () => {
    const dest = scratch.folder();
    const store = await project();
    await exportFrom(store, { dest, format: 'coco' }, quietJob);
    const { categories } = JSON.parse(
      readFileSync(join(dest, 'annotations', 'instances_train.json'), 'utf8'),
    );
    expect(categories.map(({ id, name }: { id: number; name: string }) => [id, name])).toEqual(
      store.classes().map(({ id, name }) => [id, name]),
    );
  });

  it('stops when it is cancelled, and the rest can be replaced later', async () => {
    const store = await project();
    const dest = scratch.folder();
    const controller = new AbortController();
    const progress = (_done: number, _total: number | null, message: string) =>
      message.startsWith('Writing') && controller.abort();
    const cancelled = exportFrom(
      store,
      { dest, format: 'voc' },
      { ...quietJob, signal: controller.signal, progress },
    );
    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await exportFrom(store, { dest, format: 'voc' }, quietJob)).toMatchObject({ images: 4 });
  });
});
