import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatBox, FormatImage } from './records.ts';
import {
  readYoloConfig,
  readYoloLabels,
  writeYoloConfig,
  writeYoloLabels,
  yoloBoxes,
  yoloBoxPx,
  yoloLabelPath,
  yoloLosses,
} from './yolo.ts';

const plain = { ignore: false, difficult: false, occluded: false, truncated: false };
const twoClasses = (index: number) => index === 0 || index === 1;
const read = (text: string) => readYoloLabels(text, twoClasses, 'a.txt');

describe('readYoloConfig', () => {
  it('reads names as a list or a dict, in the order of the numbers', () => {
    expect([...readYoloConfig('names: [a, b]', 'd').names]).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect([...readYoloConfig('names: {10: k, 2: c, 0: a}', 'd').names.keys()]).toEqual([0, 2, 10]);
  });

  it('reads splits as a folder, a list file or several', () => {
    const config = readYoloConfig('path: ../x\ntrain: [a, b]\nvalid: v.txt\ntest:\nnames: [a]', 'd');
    expect(config).toMatchObject({ path: '../x', entries: { train: ['a', 'b'], val: ['v.txt'], test: [] } });
  });

  it('says where nc and names disagree', () => {
    expect(readYoloConfig('nc: 3\nnames: [a]', 'd').notes).toMatchObject([{ kind: 'class-count' }]);
  });

  it.each([
    ['no YAML', 'names: [', /not readable YAML/],
    ['a list', '- a', /no data set/],
    ['a class without a number', 'names: {a: b}', /no class number/],
    ['expanding aliases', bomb(), /not readable YAML/],
  ])('says so in a sentence: %s', (_, text, message) => {
    expect(() => readYoloConfig(text, 'data.yaml')).toThrow(message);
  });

  it('reads back what it writes, markup and all', () => {
    const names = ['RBC', '<img onerror=x>', 'yes', '1', 'a: b # c'];
    const config = readYoloConfig(writeYoloConfig(names, ['train', 'val']), 'data.yaml');
    expect([...config.names.values()]).toEqual(names);
    expect(writeYoloConfig(names, ['train'])).toContain('  0: RBC');
    expect(config.entries).toEqual({ train: ['images/train'], val: ['images/val'], test: [] });
    expect(config.notes).toEqual([]);
  });
});

function bomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
  );
  return ['l0: &l0 x', ...levels].join('\n');
}

describe('yoloLabelPath', () => {
  it.each([
    ['images/train/a.jpg', 'labels/train/a.txt'],
    ['train/images/a.b.png', 'train/labels/a.b.txt'],
    ['images/x/images/a.jpg', 'images/x/labels/a.txt'],
    ['my-images/a.jpg', 'my-images/a.txt'],
    ['a.jpg', 'a.txt'],
  ])('%s -> %s', (image, label) => {
    expect(yoloLabelPath(image)).toBe(label);
  });
});

describe('readYoloLabels', () => {
  it('reads five columns as centre and size', () => {
    const { rows, notes } = read('1 0.5 0.5 0.5 0.25\n\n0 0.1 0.1 0.2 0.2\n');
    expect(rows![0]).toEqual({ classIndex: 1, boxNorm: [0.25, 0.375, 0.75, 0.625] });
    expect(yoloBoxPx(rows![0]!, { widthPx: 640, heightPx: 480 })).toEqual([160, 180, 480, 300]);
    expect(notes).toEqual([]);
  });

  it('takes an empty file for an image without objects', () => {
    expect(read('')).toEqual({ rows: [], notes: [] });
    expect(read(' \n')).toEqual({ rows: [], notes: [] });
  });

  it('reads every line as a polygon once one has more than six columns, and says so', () => {
    const { rows, notes } = read('0 0.1 0.2 0.5 0.3 0.3 0.9\n1 0.2 0.2 0.4 0.6\n');
    expect(rows!.map(({ boxNorm }) => boxNorm)).toEqual([
      [0.1, 0.2, 0.5, 0.9],
      [0.2, 0.2, 0.4, 0.6],
    ]);
    expect(notes).toMatchObject([{ kind: 'polygon' }]);
  });

  it('counts equal lines once', () => {
    const { rows, notes } = read('0 0.5 0.5 0.1 0.1\n0 0.50 0.5 0.1 0.1\n');
    expect(rows).toHaveLength(1);
    expect(notes).toMatchObject([{ kind: 'duplicate-row' }]);
  });

  it.each([
    ['six columns', '0 0.5 0.5 0.1 0.1 0.9'],
    ['four columns', '0 0.5 0.5 0.1'],
    ['a coordinate over 1.01', '0 0.5 0.5 0.1 1.02'],
    ['a coordinate under -0.01', '0 -0.02 0.5 0.1 0.1'],
    ['a class that is not there', '2 0.5 0.5 0.1 0.1'],
    ['half a class', '0.5 0.5 0.5 0.1 0.1'],
    ['no number', '0 x 0.5 0.1 0.1'],
    ['an odd polygon', '0 0.1 0.2 0.5 0.3 0.3 0.9 0.4'],
  ])('refuses the whole file for %s, with the line', (_, line) => {
    const { rows, notes } = read(`1 0.5 0.5 0.1 0.1\n${line}\n`);
    expect(rows).toBeNull();
    expect(notes).toMatchObject([
      { file: 'a.txt', kind: 'bad-row', detail: expect.stringContaining('Line') },
    ]);
  });

  it('lets a hair beyond the border pass', () => {
    expect(read('0 1.005 -0.005 0.1 0.1').rows).toHaveLength(1);
  });
});

describe('writeYoloLabels', () => {
  it('gives boxes back to a thousandth of a pixel', () => {
    const size = { widthPx: 8191, heightPx: 479 };
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(share, share, share, share), { maxLength: 6 }), (quads) => {
        const boxes = quads.map(
          ([a, b, c, d], index): FormatBox => ({
            ...{ className: ['a', 'b'][index % 2]!, ...plain },
            boxPx: [
              Math.min(a, c) * size.widthPx,
              Math.min(b, d) * size.heightPx,
              Math.max(a, c) * size.widthPx + 1e-3,
              Math.max(b, d) * size.heightPx + 1e-3,
            ],
          }),
        );
        const image: FormatImage = { path: 'a.jpg', ...size, split: null, boxes };
        const names = new Map([
          [0, 'a'],
          [1, 'b'],
        ]);
        const text = writeYoloLabels(image, new Map([...names].map(([index, name]) => [name, index])));
        const { rows } = read(text);
        fc.pre(rows!.length === boxes.length);
        yoloBoxes(rows!, names, size).forEach((box, index) => {
          expect(box.className).toBe(boxes[index]!.className);
          box.boxPx.forEach((side, i) => {
            expect(Math.abs(side - boxes[index]!.boxPx[i]!)).toBeLessThan(1e-3);
          });
        });
      }),
    );
  });

  it('writes nothing for a verified negative, leaves ignore regions out and says so', () => {
    const image: FormatImage = { path: 'a.jpg', widthPx: 10, heightPx: 10, split: null, boxes: [] };
    const index = new Map([['a', 0]]);
    expect(writeYoloLabels(image, index)).toBe('');
    const boxes: FormatBox[] = [
      { className: 'a', boxPx: [0, 0, 5, 5], ...plain, ignore: true },
      { className: 'a', boxPx: [0, 0, 5, 10], ...plain, truncated: true },
    ];
    expect(writeYoloLabels({ ...image, boxes }, index)).toBe('0 0.25 0.5 0.5 1\n');
    expect(yoloLosses([{ ...image, boxes }], 'labels')).toHaveLength(2);
  });
});
