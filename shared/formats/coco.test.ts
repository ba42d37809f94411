import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CocoReader, cocoLosses, writeCoco } from './coco.ts';
import type { FormatBox, FormatImage } from './records.ts';

const plain = { ignore: false, difficult: false, occluded: false, truncated: false };

function read(document: { images?: unknown[]; annotations?: unknown[]; categories?: unknown[] }) {
  const reader = new CocoReader('a.json');
  for (const value of document.annotations ?? []) reader.addAnnotation(value);
  for (const value of document.images ?? []) reader.addImage(value);
  for (const value of document.categories ?? []) reader.addCategory(value);
  return reader.finish();
}

const images = [
  { id: 90, file_name: 'b.jpg', width: 10, height: 20 },
  { id: 7, file_name: 'a.jpg' },
];
const categories = [
  { id: 44, name: 'cat' },
  { id: 3, name: 'dog' },
];

describe('CocoReader', () => {
  it('joins by id, never by position, whatever comes first', () => {
    const annotations = [
      { image_id: 7, category_id: 3, bbox: [1, 2, 3.5, 4] },
      { image_id: 90, category_id: 44, bbox: [0, 0, 1, 1] },
    ];
    const result = read({ images, annotations, categories });
    expect(result.images).toEqual([
      {
        fileName: 'b.jpg',
        size: { widthPx: 10, heightPx: 20 },
        boxes: [{ className: 'cat', boxPx: [0, 0, 1, 1], ...plain }],
        incomplete: false,
      },
      {
        fileName: 'a.jpg',
        size: null,
        boxes: [{ className: 'dog', boxPx: [1, 2, 4.5, 6], ...plain }],
        incomplete: false,
      },
    ]);
    expect(result.categories).toEqual([
      { id: 44, name: 'cat' },
      { id: 3, name: 'dog' },
    ]);
    expect(result.notes).toEqual([]);
  });

  it('takes crowds for ignore regions, and a custom ignore for a difficult one', () => {
    const box = { image_id: 7, category_id: 3, bbox: [1, 2, 3, 4] };
    const annotations = [
      { ...box, iscrowd: 1 },
      { ...box, ignore: 1, iscrowd: 0 },
      { ...box, attributes: { occluded: true } },
    ];
    const { boxes } = read({ images, annotations, categories }).images[1]!;
    expect(boxes).toMatchObject([
      { ignore: true, difficult: false },
      { ignore: true, difficult: true },
      { ignore: false, occluded: true },
    ]);
  });

  it('drops the id-0 root only where it is unused and a group of others', () => {
    const root = { id: 0, name: 'cells' };
    const grouped = categories.map((category) => ({ ...category, supercategory: 'cells' }));
    expect(read({ categories: [root, ...grouped] }).categories.map(({ id }) => id)).toEqual([44, 3]);
    expect(read({ categories: [root, ...categories] }).categories.map(({ id }) => id)).toEqual([0, 44, 3]);
    const annotations = [{ image_id: 7, category_id: 0, bbox: [1, 2, 3, 4] }];
    expect(read({ images, annotations, categories: [root, ...grouped] }).categories[0]).toEqual(root);
  });

  it('names what it cannot use and marks the image as incomplete', () => {
    const annotations = [
      { image_id: 7, category_id: 5, bbox: [1, 2, 3, 4] },
      { image_id: 90, category_id: 3, bbox: [1, 2, 3] },
      { image_id: 1, category_id: 3, bbox: [1, 2, 3, 4] },
      { category_id: 3 },
      null,
    ];
    const result = read({
      images: [...images, { id: 8 }, 'x'],
      annotations,
      categories: [...categories, { id: 'x' }],
    });
    expect(result.images.map(({ incomplete }) => incomplete)).toEqual([true, true]);
    expect(result.notes.map(({ kind }) => kind).sort()).toEqual(
      [
        'bad-box',
        'bad-box',
        'bad-box',
        'bad-category',
        'bad-image',
        'bad-image',
        'unknown-category',
        'unknown-image',
      ].sort(),
    );
  });

  it('keeps a long list of problems readable', () => {
    const annotations = Array.from({ length: 5000 }, () => ({
      image_id: 1,
      category_id: 3,
      bbox: [1, 2, 3, 4],
    }));
    const { notes } = read({ images, annotations, categories });
    expect(notes).toHaveLength(101);
    expect(notes.at(-1)!.detail).toBe('4900 more of this kind.');
  });

  it('takes nothing from a member named __proto__', () => {
    const annotations = [
      JSON.parse('{"image_id":7,"category_id":3,"bbox":[1,2,3,4],"__proto__":{"iscrowd":1}}'),
    ];
    expect(read({ images, annotations, categories }).images[1]!.boxes[0]!.ignore).toBe(false);
  });
});

describe('writeCoco', () => {
  const classes = [
    { id: 1, name: 'cat', color: '#000000', order: 0 },
    { id: 18, name: '<img onerror=x>', color: '#000000', order: 1 },
  ];

  it('gives back what it was given, ids of classes included', () => {
    const box = fc.record({
      className: fc.constantFrom('cat', '<img onerror=x>'),
      x: fc.double({ min: 0, max: 600, noNaN: true }),
      w: fc.double({ min: 0.01, max: 40, noNaN: true }),
      ignore: fc.boolean(),
      difficult: fc.boolean(),
      occluded: fc.boolean(),
      truncated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(fc.array(box, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), (drawn) => {
        const written = drawn.map(
          (boxes, index): FormatImage => ({
            ...{ path: `${index}.jpg`, widthPx: 640, heightPx: 640, split: null },
            boxes: boxes.map(({ x, w, ...rest }): FormatBox => ({ ...rest, boxPx: [x, x, x + w, x + w] })),
          }),
        );
        const document = JSON.parse(JSON.stringify(writeCoco(written, classes)));
        const back = read(document);
        expect(back.notes).toEqual([]);
        expect(back.categories).toEqual(classes.map(({ id, name }) => ({ id, name })));
        back.images.forEach((image, index) => {
          const { boxes } = written[index]!;
          expect(image.boxes.map(({ boxPx: _, ...rest }) => rest)).toEqual(
            boxes.map(({ boxPx: _, ...rest }) => rest),
          );
          image.boxes.forEach(({ boxPx }, i) => {
            expect(boxPx[2]).toBeCloseTo(boxes[i]!.boxPx[2], 9);
          });
        });
      }),
    );
  });

  it('always writes area and iscrowd, counts ids from 1, and lists a negative without annotations', () => {
    const boxes: FormatBox[] = [
      { className: '<img onerror=x>', boxPx: [1, 2, 4, 6], ...plain, ignore: true },
    ];
    const base = { widthPx: 9, heightPx: 9, split: null };
    const document = writeCoco(
      [
        { ...base, path: 'n.jpg', boxes: [] },
        { ...base, path: 'p.jpg', boxes },
      ],
      classes,
    );
    expect(document.images).toMatchObject([
      { id: 1, file_name: 'n.jpg' },
      { id: 2, file_name: 'p.jpg' },
    ]);
    expect(document.annotations).toMatchObject([
      { id: 1, image_id: 2, category_id: 18, bbox: [1, 2, 3, 4], area: 12, iscrowd: 1 },
    ]);
  });

  it('says what other tools will not see', () => {
    const boxes: FormatBox[] = [{ className: 'cat', boxPx: [1, 2, 4, 6], ...plain, difficult: true }];
    const image: FormatImage = { path: 'a', widthPx: 9, heightPx: 9, split: null, boxes };
    expect(cocoLosses([image], 'annotations')).toMatchObject([{ kind: 'not-kept' }]);
    expect(cocoLosses([{ ...image, boxes: [] }], 'annotations')).toEqual([]);
  });
});
