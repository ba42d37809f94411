import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contents, importFrom, makeScratch, problemKinds, writeDataset } from './testDataset.ts';

const scratch = makeScratch();
afterAll(() => scratch.remove());
const row = '1 0.5 0.5 0.25 0.5\n';

describe('importing YOLO', () => {
  it('reads folders, lists and several of them as splits, and names in the order of their numbers', async () => {
    const source = await writeDataset(scratch.folder(), {
      'data.yaml': 'train: images/train\nval: [val.txt]\ntest: images/test\nnames: {1: dog, 0: cat}\n',
      'val.txt': './images/b.jpg\nimages/none.jpg\n',
      'images/train/a.jpg': [64, 48],
      'images/train/deep/c.jpg': [64, 48],
      'images/b.jpg': [64, 48],
      'images/test/d.jpg': [64, 48],
      'labels/train/a.txt': row,
      'labels/train/deep/c.txt': '',
      'labels/b.txt': row,
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(report).toMatchObject({
      images: 4,
      boxes: 2,
      classes: ['cat', 'dog'],
      negatives: 1,
      unlabelled: 1,
    });
    expect(contents(store)).toMatchObject({
      'images/train/a.jpg': {
        split: 'train',
        state: 'reviewed',
        boxes: [{ className: 'dog', boxPx: [24, 12, 40, 36] }],
      },
      'images/train/deep/c.jpg': { split: 'train', state: 'reviewed-empty' },
      'images/b.jpg': { split: 'val', state: 'reviewed' },
      'images/test/d.jpg': { split: 'test', state: 'unlabelled' },
    });
    expect(problemKinds(report)).toEqual(['missing-image', 'unlabelled']);
  });

  it('reads what Roboflow writes as ../train/images', async () => {
    const source = await writeDataset(scratch.folder(), {
      'data.yaml': 'train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [cat, dog]\n',
      'train/images/a.jpg': [64, 48],
      'train/labels/a.txt': row,
      'valid/images/b.jpg': [64, 48],
      'valid/labels/b.txt': row,
    });
    const store = scratch.project();
    expect(await importFrom(store, join(source, 'data.yaml'))).toMatchObject({
      images: 2,
      boxes: 2,
      problems: [],
    });
    expect(contents(store)).toMatchObject({ 'valid/images/b.jpg': { split: 'val' } });
  });

  it('leaves an image unlabelled whose file trainers would refuse, and keeps it out of training where splits overlap', async () => {
    const source = await writeDataset(scratch.folder(), {
      'data.yaml': 'train: images\nval: images/b.jpg\nnames: [cat, dog]\n',
      'images/a.jpg': [64, 48],
      'images/b.jpg': [64, 48],
      'labels/a.txt': `${row}7 0.5 0.5 0.1 0.1\n`,
      'labels/b.txt': row,
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(problemKinds(report)).toEqual(['bad-row', 'two-splits']);
    expect(contents(store)).toMatchObject({
      'images/a.jpg': { state: 'unlabelled', boxes: [] },
      'images/b.jpg': { split: 'val' },
    });
  });

  it('never leaves the data set', async () => {
    const outside = await writeDataset(scratch.folder(), { 'images/s.jpg': [64, 48], 'labels/s.txt': row });
    const source = await writeDataset(scratch.folder(), {
      'data.yaml': `path: ${outside}\ntrain: [images, ${outside}/images, ../../x]\nval: list.txt\nnames: [cat, dog]\n`,
      'list.txt': `${outside}/images/s.jpg\n../../s.jpg\n`,
      'images/a.jpg': [64, 48],
    });
    symlinkSync(join(outside, 'labels'), join(source, 'labels'));
    await writeDataset(outside, { 'labels/a.txt': row });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(Object.keys(contents(store))).toEqual(['images/a.jpg']);
    expect(contents(store)['images/a.jpg']!.state).toBe('unlabelled');
    expect(problemKinds(report).filter((kind) => kind === 'outside-dataset').length).toBeGreaterThanOrEqual(
      3,
    );
  });

  it('says where class names come from when no data.yaml tells them', async () => {
    const files = { 'images/train/a.jpg': [64, 48], 'labels/train/a.txt': row } as const;
    const listed = await writeDataset(scratch.folder(), { ...files, 'classes.txt': 'cat\ndog\n' });
    const bare = await writeDataset(scratch.folder(), files);
    const [one, two] = [scratch.project(), scratch.project()];
    const report = await importFrom(one, listed);
    expect(report).toMatchObject({
      classes: ['cat', 'dog'],
      problems: [{ file: 'classes.txt', kind: 'class-order' }],
    });
    expect(await importFrom(two, bare)).toMatchObject({
      classes: ['class 1'],
      problems: [{ kind: 'class-order' }],
    });
    expect(contents(two)['images/train/a.jpg']).toMatchObject({
      split: 'train',
      boxes: [{ className: 'class 1' }],
    });
  });

  it('knows labels beside their images by the classes.txt that labelImg writes', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'a.txt': row,
      'classes.txt': 'cat\ndog\n',
    });
    expect(await importFrom(scratch.project(), source)).toMatchObject({ boxes: 1, classes: ['cat', 'dog'] });
  });

  it('finds the labels of images that lie where the user says', async () => {
    const images = await writeDataset(scratch.folder(), { 'train/a.jpg': [64, 48], 'b.jpg': [64, 48] });
    const source = await writeDataset(scratch.folder(), {
      'data.yaml': 'names: [cat, dog]\n',
      'labels/train/a.txt': row,
      'b.txt': row,
    });
    const store = scratch.project();
    expect(await importFrom(store, source, { imagesPath: images })).toMatchObject({
      images: 2,
      boxes: 2,
      problems: [],
    });
    expect(contents(store)['train/a.jpg']!.split).toBe('train');
  });
});
