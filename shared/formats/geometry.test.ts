import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoxPx } from '../domain/box.ts';
import { fitToImage, toUpright } from './geometry.ts';
import { plainFlags } from './records.ts';

const size = { widthPx: 640, heightPx: 480 };
const fitted = (...boxPx: BoxPx[]) =>
  fitToImage(
    boxPx.map((box) => ({ className: 'RBC', boxPx: box, ...plainFlags })),
    size,
    'a.xml',
  );

describe('fitToImage', () => {
  it('leaves a box inside its image as it is, without a word', () => {
    expect(fitted([0, 0, 640, 480])).toMatchObject({
      boxes: [{ boxPx: [0, 0, 640, 480] }],
      notes: [],
      incomplete: false,
    });
  });

  it('clips and names a box that reaches out, a hair silently', () => {
    expect(fitted([-5, 10, 20, 490])).toMatchObject({
      boxes: [{ boxPx: [0, 10, 20, 480] }],
      notes: [{ kind: 'box-clipped' }],
      incomplete: false,
    });
    expect(fitted([-0.5, 10, 640.4, 20]).notes).toEqual([]);
  });

  it.each([
    ['box-outside', [700, 10, 720, 20]],
    ['no-area', [10, 10, 10, 20]],
    ['no-area', [20, 10, 10, 20]],
    ['bad-box', [Number.NaN, 10, 10, 20]],
    ['bad-box', [0, 10, Number.POSITIVE_INFINITY, 20]],
  ] as [string, BoxPx][])('leaves out and names what is no box here: %s', (kind, box) => {
    expect(fitted(box)).toMatchObject({ boxes: [], notes: [{ kind, file: 'a.xml' }], incomplete: true });
  });

  it('keeps and names a box one pixel wide', () => {
    expect(fitted([503, 336, 504, 337])).toMatchObject({
      boxes: [{ boxPx: [503, 336, 504, 337] }],
      notes: [{ kind: 'thin-box' }],
      incomplete: false,
    });
  });
});

describe('toUpright', () => {
  it('turns the first stored pixel where EXIF says it belongs', () => {
    const stored = { widthPx: 4, heightPx: 3 };
    const first: BoxPx = [0, 0, 1, 1];
    const expected: Record<number, BoxPx> = {
      1: [0, 0, 1, 1],
      2: [3, 0, 4, 1],
      3: [3, 2, 4, 3],
      4: [0, 2, 1, 3],
      5: [0, 0, 1, 1],
      6: [2, 0, 3, 1],
      7: [2, 3, 3, 4],
      8: [0, 3, 1, 4],
    };
    for (const [orientation, box] of Object.entries(expected)) {
      expect(toUpright(first, stored, Number(orientation))).toEqual(box);
    }
  });

  it('keeps every box inside, with its sides swapped where the photo is turned by a quarter', () => {
    const side = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), side, side, side, side, (orientation, a, b, c, d) => {
        const stored = { widthPx: 100, heightPx: 100 };
        const box: BoxPx = [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
        const turned = toUpright(box, stored, orientation);
        const sizes = [turned[2] - turned[0], turned[3] - turned[1]];
        if (orientation >= 5) sizes.reverse();
        expect(sizes).toEqual([box[2] - box[0], box[3] - box[1]]);
        expect(turned.every((value) => value >= 0 && value <= 100)).toBe(true);
      }),
    );
  });
});
