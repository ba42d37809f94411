import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contents, importFrom, makeScratch, problemKinds, writeDataset } from './testDataset.ts';

const scratch = makeScratch();
afterAll(() => scratch.remove());

const categories = [
  { id: 44, name: 'cat', supercategory: 'animal' },
  { id: 3, name: 'dog', supercategory: 'animal' },
];

function instances(files: readonly string[], more: Record<string, unknown> = {}): string {
  const images = files.map((file_name, index) => ({ id: index * 10 + 7, file_name, width: 64, height: 48 }));
  const annotations = files.map((_, index) => ({
    ...{
      id: index,
      image_id: index * 10 + 7,
      category_id: 3 + 41 * (index % 2),
      bbox: [index, 2, 10.5, 20],
      area: 1,
      iscrowd: 0,
    },
    segmentation: [[1, 2, 3, 4]],
  }));
  return JSON.stringify({ info: {}, images, annotations, categories, ...more });
}

describe('importing COCO', () => {
  it('finds the images of each split where tools put them, and keeps the ids of categories', async () => {
    const source = await writeDataset(scratch.folder(), {
      'annotations/instances_train2017.json': instances(['a.jpg', 'b.jpg']),
      'annotations/instances_val2017.json': instances(['c.jpg']),
      'annotations/captions_val2017.json': JSON.stringify({
        images: [{ id: 1, file_name: 'c.jpg' }],
        annotations: [{ caption: 'x' }],
      }),
      'train2017/a.jpg': [64, 48],
      'train2017/b.jpg': [64, 48],
      'images/val2017/c.jpg': [64, 48],
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(report).toMatchObject({ images: 3, boxes: 3, classes: ['cat', 'dog'], problems: [] });
    expect(store.classes().map(({ id, name }) => [id, name])).toEqual([
      [44, 'cat'],
      [3, 'dog'],
    ]);
    const found = contents(store);
    expect(found['train2017/a.jpg']).toMatchObject({
      split: 'train',
      boxes: [{ className: 'dog', boxPx: [0, 2, 10.5, 22] }],
    });
    expect(found['train2017/b.jpg']!.boxes[0]!.className).toBe('cat');
    expect(found['images/val2017/c.jpg']!.split).toBe('val');
  });

  it('reads Roboflow’s layout, without its root category', async () => {
    const roboflow = { categories: [{ id: 0, name: 'animal', supercategory: 'none' }, ...categories] };
    const source = await writeDataset(scratch.folder(), {
      'train/_annotations.coco.json': instances(['a.jpg'], roboflow),
      'valid/_annotations.coco.json': instances(['a.jpg'], roboflow),
      'train/a.jpg': [64, 48],
      'valid/a.jpg': [64, 48],
    });
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(report).toMatchObject({ images: 2, boxes: 2, classes: ['cat', 'dog'] });
    expect(problemKinds(report)).toEqual(['root-category', 'root-category']);
    expect(contents(store)).toMatchObject({
      'train/a.jpg': { split: 'train' },
      'valid/a.jpg': { split: 'val' },
    });
  });

  it('takes an image without annotations for a negative, and a file without annotations for saying nothing', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'b.jpg': [64, 48],
      'negative.json': instances(['a.jpg'], { annotations: [] }),
      'silent.json': instances(['b.jpg'], { annotations: undefined }),
    });
    const store = scratch.project();
    await importFrom(store, source);
    expect(contents(store)).toMatchObject({
      'a.jpg': { state: 'reviewed-empty' },
      'b.jpg': { state: 'unlabelled' },
    });
  });

  it('never leaves the data set', async () => {
    const outside = await writeDataset(scratch.folder(), { 'secret.jpg': [64, 48] });
    const names = [
      '../secret.jpg',
      join(outside, 'secret.jpg'),
      '\\\\host\\share\\a.jpg',
      'link.jpg',
      'a.jpg',
      'none.jpg',
    ];
    const source = await writeDataset(scratch.folder(), { 'a.jpg': [64, 48], 'i.json': instances(names) });
    await writeDataset(join(source, '..'), { 'secret.jpg': [64, 48] });
    symlinkSync(join(outside, 'secret.jpg'), join(source, 'link.jpg'));
    const store = scratch.project();
    const report = await importFrom(store, source);
    expect(Object.keys(contents(store))).toEqual(['a.jpg']);
    expect(problemKinds(report)).toEqual([...Array(4).fill('outside-dataset'), 'missing-image'].sort());
  });

  it('takes the images from where the user says they are, of a file named itself', async () => {
    const images = await writeDataset(scratch.folder(), { 'deep/a.jpg': [64, 48] });
    const source = await writeDataset(scratch.folder(), { 'labels.json': instances(['deep/a.jpg']) });
    const store = scratch.project();
    const report = await importFrom(store, join(source, 'labels.json'), { imagesPath: images });
    expect(report).toMatchObject({ images: 1, boxes: 1 });
  });

  it('says so in a sentence where the file is none, and touches nothing', async () => {
    const source = await writeDataset(scratch.folder(), {
      'a.jpg': [64, 48],
      'i.json': instances(['a.jpg']).slice(0, -9),
    });
    const store = scratch.project();
    await expect(importFrom(store, join(source, 'i.json'))).rejects.toMatchObject({
      kind: 'bad-input',
      message: expect.stringContaining('i.json is not readable JSON'),
    });
    expect(store.images()).toEqual([]);
  });
});
