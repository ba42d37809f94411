import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { importInto } from './import.ts';
import { contents, importFrom, makeScratch, problemKinds, quietJob, writeDataset } from './testDataset.ts';

const scratch = makeScratch();
afterAll(() => scratch.remove());

function annotation(
  boxes: readonly (readonly number[])[],
  options: { filename?: string; size?: [number, number]; name?: string } = {},
) {
  const { filename = 'a.jpg', size: [width, height] = [64, 48], name = 'RBC' } = options;
  const objects = boxes.map(
    ([x1, y1, x2, y2]) =>
      `<object><name>${name}</name><bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`,
  );
  const size = `<size><width>${width}</width><height>${height}</height><depth>3</depth></size>`;
  return `<annotation><filename>${filename}</filename>${size}${objects.join('')}</annotation>`;
}

describe('importing Pascal VOC', () => {
  it('tells labelled, negative and unlabelled images apart, and reads the splits', async () => {
    const source = await writeDataset(scratch.folder(), {
      'JPEGImages/a.jpg': [64, 48],
      'JPEGImages/b.jpg': [64, 48],
      'JPEGImages/c.jpg': [64, 48],
      'Annotations/a.xml': annotation([
        [1, 1, 64, 48],
        [11, 11, 20, 20],
      ]),
      'Annotations/b.xml': annotation([], { filename: 'b.jpg' }),
      'ImageSets/Main/train.txt': 'a\n',
      'ImageSets/Main/val.txt': 'b 1\r\n',
      'ImageSets/Main/trainval.txt': 'a\nb\n',
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(report).toMatchObject({ images: 3, boxes: 2, classes: ['RBC'], negatives: 1, unlabelled: 1 });
    const flags = { ignore: false, difficult: false, occluded: false, truncated: false };
    expect(contents(store)).toEqual({
      'a.jpg': {
        ...{ split: 'train', state: 'reviewed' },
        boxes: [
          { className: 'RBC', boxPx: [0, 0, 64, 48], ...flags },
          { className: 'RBC', boxPx: [10, 10, 20, 20], ...flags },
        ],
      },
      'b.jpg': { split: 'val', state: 'reviewed-empty', boxes: [] },
      'c.jpg': { split: null, state: 'unlabelled', boxes: [] },
    });
    expect(problemKinds(report)).toEqual(['dialect']);
  });

  it('reads all files from 0 where one holds a 0, or as it is told', async () => {
    const files = {
      'a.jpg': [64, 48],
      'b.jpg': [64, 48],
      'a.xml': annotation([[0, 5, 10, 20]]),
      'b.xml': annotation([[7, 5, 10, 20]], { filename: 'b.jpg' }),
    } as const;
    const source = await writeDataset(scratch.folder(), files);
    const [detected, told] = [scratch.project(), scratch.project()];
    await importFrom(detected, source);
    expect(contents(detected)['b.jpg']!.boxes[0]!.boxPx).toEqual([7, 5, 10, 20]);
    const report = await importFrom(told, source, { dialect: 'spec' });
    expect(contents(told)['b.jpg']!.boxes[0]!.boxPx).toEqual([6, 4, 10, 20]);
    expect(report.problems[0]).toMatchObject({ file: 'a.xml', kind: 'dialect' });
  });

  it('names every bad file and goes on with the rest', async () => {
    const source = await writeDataset(scratch.folder(), {
      'JPEGImages/good.jpg': [64, 48],
      'JPEGImages/doctype.jpg': [64, 48],
      'JPEGImages/outside.jpg': [64, 48],
      'JPEGImages/zero.jpg': Buffer.alloc(0),
      'JPEGImages/text.jpg': 'no image at all',
      'Annotations/good.xml': annotation([[2, 2, 9, 9]], { filename: 'good.jpg' }),
      'Annotations/doctype.xml': `<!DOCTYPE a SYSTEM "file:///etc/passwd">${annotation([[2, 2, 9, 9]])}`,
      'Annotations/outside.xml': annotation(
        [
          [2, 2, 9, 9],
          [60, 2, 90, 9],
          [100, 100, 120, 120],
        ],
        { filename: 'outside.jpg' },
      ),
      'Annotations/zero.xml': annotation([[2, 2, 9, 9]], { filename: 'zero.jpg' }),
      'Annotations/broken.xml': '<annotation><object>',
      'Annotations/lost.xml': annotation([[2, 2, 9, 9]], { filename: 'nowhere.jpg' }),
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(report).toMatchObject({ images: 3, boxes: 3, unlabelled: 1 });
    const named = report.problems.map(({ file, kind }) => `${file} ${kind}`);
    expect(named.sort()).toEqual(
      [
        ...[
          'Annotations/broken.xml bad-input',
          'Annotations/doctype.xml bad-input',
          'Annotations/lost.xml missing-image',
        ],
        ...['Annotations/outside.xml box-clipped', 'Annotations/outside.xml box-outside'],
        `${source.split('/').at(-1)} dialect`,
        ...['text.jpg bad-input', 'zero.jpg bad-input'],
      ].sort(),
    );
    expect(contents(store)['outside.jpg']).toMatchObject({ state: 'in-progress' });
    expect(contents(store)['doctype.jpg']).toMatchObject({ state: 'unlabelled' });
    expect(report.problems.find(({ file }) => file === 'Annotations/doctype.xml')!.detail).toMatch(
      /DOCTYPE not allowed/,
    );
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait for a pipe that bears the name of labels',
    async () => {
      const source = await writeDataset(scratch.folder(), {
        'b.jpg': [64, 48],
        'b.xml': annotation([[1, 1, 5, 5]], { filename: 'b.jpg' }),
      });
      execFileSync('mkfifo', [join(source, 'a.xml')]);
      const report = await importFrom(scratch.project(), source);
      expect(report.boxes).toBe(1);
      expect(report.problems).toContainEqual(expect.objectContaining({ file: 'a.xml', kind: 'bad-input' }));
    },
  );

  it('reads UTF-16, as Windows’ tools write it, and tells the format by more than the first file', async () => {
    const utf16 = Buffer.from(`\ufeff${annotation([[1, 1, 5, 5]], { name: 'Zelle é' })}`, 'utf16le');
    const source = await writeDataset(scratch.folder(), {
      '0.xml': 'not XML',
      'a.jpg': [64, 48],
      'a.xml': utf16,
      'b.jpg': [64, 48],
      'b.xml': Buffer.from(utf16).swap16(),
    });
    expect(await importFrom(scratch.project(), source)).toMatchObject({ boxes: 2, classes: ['Zelle é'] });
  });

  it('follows the name of the XML where filename is stale, and never a filename that leads out', async () => {
    const source = await writeDataset(scratch.folder(), {
      'JPEGImages/a.jpg': [64, 48],
      'JPEGImages/b.jpg': [64, 48],
      'Annotations/a.xml': annotation([[2, 2, 9, 9]], { filename: 'b.jpg' }),
      'Annotations/b.xml': annotation([[3, 3, 9, 9]], { filename: '../../secret.jpg' }),
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(contents(store)['a.jpg']!.boxes[0]!.boxPx).toEqual([1, 1, 9, 9]);
    expect(contents(store)['b.jpg']!.boxes[0]!.boxPx).toEqual([2, 2, 9, 9]);
    expect(problemKinds(report)).toEqual(['dialect', 'outside-dataset', 'stale-filename']);
  });

  it('keeps files of one name in two folders apart', async () => {
    const source = await writeDataset(scratch.folder(), {
      'JPEGImages/x/a.jpg': [64, 48],
      'JPEGImages/y/a.jpg': [32, 32],
      'Annotations/x/a.xml': annotation([[2, 2, 9, 9]]),
      'Annotations/y/a.xml': annotation([[3, 3, 9, 9]], { size: [32, 32] }),
    });
    const store = scratch.project();
    await importFrom(store, source);
    expect(contents(store)['x/a.jpg']!.boxes[0]!.boxPx).toEqual([1, 1, 9, 9]);
    expect(contents(store)['y/a.jpg']!.boxes[0]!.boxPx).toEqual([2, 2, 9, 9]);
  });

  it('reports sizes that are not the image’s and leaves such labels to a person', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'b.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]], { size: [128, 96] }),
      'b.xml': annotation([[2, 2, 9, 9]], { size: [48, 64], filename: 'b.jpg' }),
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(problemKinds(report)).toEqual(['dialect', 'size-mismatch', 'transposed-size']);
    expect(Object.values(contents(store)).map(({ state }) => state)).toEqual(['in-progress', 'in-progress']);
  });

  it('turns labels of the stored photo upright where EXIF turns the photo', async () => {
    const source = await writeDataset(scratch.folder(), {
      // Stored 64x48, shown 48x64.
      'stored.jpg': [64, 48, 6],
      'shown.jpg': [64, 48, 6],
      'square.jpg': [64, 48, 3],
      'stored.xml': annotation([[50, 2, 60, 9]], { filename: 'stored.jpg', size: [64, 48] }),
      'shown.xml': annotation([[2, 50, 9, 60]], { filename: 'shown.jpg', size: [48, 64] }),
      'square.xml': annotation([[2, 5, 9, 10]], { filename: 'square.jpg', size: [64, 48] }),
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    const found = contents(store);
    expect(found['stored.jpg']).toMatchObject({ state: 'reviewed', boxes: [{ boxPx: [39, 49, 47, 60] }] });
    expect(found['shown.jpg']).toMatchObject({ state: 'reviewed', boxes: [{ boxPx: [1, 49, 9, 60] }] });
    expect(problemKinds(report)).toEqual(['dialect', 'exif', 'transposed-size']);
  });

  it('does not follow links out of the data set', async () => {
    const outside = await writeDataset(scratch.folder(), {
      'secret.jpg': [64, 48],
      'secret.xml': annotation([]),
    });
    const source = await writeDataset(scratch.folder(), {
      'JPEGImages/a.jpg': [64, 48],
      'Annotations/a.xml': annotation([]),
    });
    symlinkSync(join(outside, 'secret.jpg'), join(source, 'JPEGImages/b.jpg'));
    symlinkSync(join(outside, 'secret.xml'), join(source, 'Annotations/c.xml'));
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(Object.keys(contents(store))).toEqual(['a.jpg']);
    expect(report.problems.map(({ file }) => file).sort()).toEqual(['Annotations/c.xml', 'b.jpg']);
  });

  it('takes the images from where the user says they are, and the Annotations folder for its data set', async () => {
    const images = await writeDataset(scratch.folder(), { 'a.jpg': [64, 48] });
    const apart = await writeDataset(scratch.folder(), { 'a.xml': annotation([[2, 2, 9, 9]]) });
    const whole = await writeDataset(scratch.folder(), {
      'JPEGImages/a.jpg': [64, 48],
      'Annotations/a.xml': annotation([[2, 2, 9, 9]]),
    });
    const [one, two] = [scratch.project(), scratch.project()];
    expect(await importFrom(one, apart, { imagesPath: images })).toMatchObject({ images: 1, boxes: 1 });
    expect(await importFrom(two, join(whole, 'Annotations'))).toMatchObject({ images: 1, boxes: 1 });
  });

  it('writes nothing in a dry run and reports the same', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]]),
    });
    const store = scratch.project();
    const dry = await importFrom(store, source, { dryRun: true });
    expect(store.images()).toEqual([]);
    expect(store.classes()).toEqual([]);
    expect(await importFrom(store, source)).toEqual(dry);
  });

  it('keeps the labels an image has already, however often it is imported', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]]),
    });
    const store = scratch.project();
    await importFrom(store, source);
    const before = contents(store);
    const report = await importFrom(store, source);
    expect(contents(store)).toEqual(before);
    expect(problemKinds(report)).toEqual(['already-labelled', 'dialect']);
  });

  it('follows a data set that was moved, and keeps what was done since', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]]),
      'b.jpg': [64, 48],
    });
    const store = scratch.project();
    await importFrom(store, source);
    const [before] = store.images();
    const moved = join(scratch.folder(), 'moved');
    renameSync(source, moved);
    await importFrom(store, moved);
    expect(store.images()).toHaveLength(2);
    expect(store.images()[0]).toMatchObject({ id: before!.id, labelCount: 1, missing: false });
    expect(store.rootPath(before!.id)).toBe(realpathSync(moved));
  });

  it('can be undone image by image', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]]),
    });
    const store = scratch.project();
    await importFrom(store, source);
    const { id } = store.images()[0]!;
    expect(store.history(id).undo).toBe('Import labels');
    store.undo(id);
    expect(store.image(id)).toMatchObject({ state: 'unlabelled', labelCount: 0 });
  });

  it('takes markup in a class name for a name, and leaves out a class no project can have', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'b.jpg': [64, 48],
      'a.xml': annotation([[2, 2, 9, 9]], { name: '&lt;img onerror=alert(1)&gt;' }),
      'b.xml': annotation([[2, 2, 9, 9]], { name: 'x'.repeat(500), filename: 'b.jpg' }),
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(store.classes().map(({ name }) => name)).toEqual(['<img onerror=alert(1)>']);
    expect(problemKinds(report)).toEqual(['bad-class', 'dialect']);
    expect(contents(store)['b.jpg']).toMatchObject({ state: 'in-progress', boxes: [] });
  });

  it('stops when it is cancelled and keeps what it has', async () => {
    const files = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`i${i}.png`, [8, 8] as const]));
    const source = await writeDataset(scratch.folder(), {
      ...files,
      'i0.xml': annotation([[2, 2, 5, 5]], { size: [8, 8] }),
    });
    const store = scratch.project();
    const controller = new AbortController();
    const progress = (done: number, total: number | null) =>
      total === 150 && done >= 64 && controller.abort();
    const importing = importInto(
      store,
      { source, dryRun: false },
      { ...quietJob, signal: controller.signal, progress },
    );
    await expect(importing).rejects.toMatchObject({ kind: 'cancelled' });
    expect(store.images()).toHaveLength(64);
    expect(store.integrityCheck()).toBe('ok');
  });

  it('ends in a sentence where there is nothing to import', async () => {
    const store = scratch.project();
    const empty = scratch.folder();
    await expect(importFrom(store, empty)).rejects.toMatchObject({ kind: 'bad-input' });
    await expect(importFrom(store, empty, { format: 'voc' })).rejects.toMatchObject({ kind: 'bad-input' });
    await expect(importFrom(store, join(empty, 'nowhere'))).rejects.toMatchObject({ kind: 'not-found' });
  });
});

const realData = fileURLToPath(new URL('../../../../shared/data/bccd', import.meta.url));
const hasRealData = existsSync(realData);

describe('the BCCD blood cells', () => {
  it.skipIf(!hasRealData)(
    `imports whole${hasRealData ? '' : ' (skipped: there is no ../shared/data/bccd beside this checkout)'}`,
    async () => {
      const store = scratch.project();
      const report = await importFrom(store, realData, { format: 'voc' });
      expect(report).toMatchObject({ images: 364, boxes: 4888, negatives: 0, unlabelled: 0 });
      expect([...report.classes].sort()).toEqual(['Platelets', 'RBC', 'WBC']);
      const thin = report.problems.filter(({ kind }) => kind === 'thin-box').map(({ file }) => file);
      expect(thin).toEqual(['Annotations/BloodImage_00338.xml', 'Annotations/BloodImage_00343.xml']);
      const splits = store.images().map(({ split }) => split);
      const count = (name: string) => splits.filter((split) => split === name).length;
      expect([count('train'), count('val'), count('test')]).toEqual([205, 87, 72]);
    },
  );
});
