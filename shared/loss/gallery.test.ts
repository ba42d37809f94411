import { describe, expect, it } from 'vitest';
import type { Batch, BatchTarget } from './executor.ts';
import { gallery } from './gallery.ts';
import type { HardLogit } from './statistics.ts';

/** Two to a place: a wide and a high one, and the next place right beside. */
const anchors = Float32Array.of(
  ...[-4, 2, 16, 10],
  ...[2, -4, 10, 16],
  ...[-3, 2, 17, 10],
  ...[40, 40, 60, 60],
  ...[100, 0, 120, 20],
);

const target = (changes: Partial<BatchTarget> = {}): BatchTarget => ({
  imageId: 'plain',
  heightPx: 50,
  widthPx: 80,
  originalHeightPx: 100,
  originalWidthPx: 160,
  boxes: new Float32Array(),
  classIndices: new Int32Array(),
  ignoreBoxes: new Float32Array(),
  ...changes,
});

const batch: Batch = {
  images: new Float32Array(),
  batch: 2,
  paddedHeight: 64,
  paddedWidth: 128,
  targets: [target(), target({ imageId: 'mirrored', flipped: true })],
};

const hard = (anchor: number, loss: number, changes: Partial<HardLogit> = {}): HardLogit => ({
  ...{ image: 0, anchor, classIndex: 0, side: 'backgroundTrue', probability: 0.5, loss },
  ...changes,
});

const show = (candidates: readonly HardLogit[], count = 12) =>
  gallery(candidates, batch, { anchors, anchorsPerPlace: 2, count }).map(({ boxPx, loss }) => ({
    boxPx,
    loss,
  }));

describe('gallery', () => {
  it('shows what lies within the image, in its own pixels', () => {
    expect(show([hard(3, 1)])).toEqual([{ boxPx: [80, 80, 120, 100], loss: 1 }]);
    expect(show([hard(0, 1)])).toEqual([{ boxPx: [0, 4, 32, 20], loss: 1 }]);
  });

  it('turns mirrored images back', () => {
    const [only] = gallery([hard(0, 1, { image: 1 })], batch, { anchors, anchorsPerPlace: 2, count: 1 });
    expect(only).toEqual({
      ...{ imageId: 'mirrored', boxPx: [128, 4, 160, 20], classIndex: 0 },
      ...{ side: 'backgroundTrue', probability: 0.5, loss: 1 },
    });
  });

  it('shows a thing once for each class and image, as its heaviest anchor', () => {
    const same = [hard(0, 1), hard(1, 3), hard(2, 2)];
    expect(show(same)).toEqual([
      { boxPx: [4, 0, 20, 32], loss: 3 },
      { boxPx: [0, 4, 34, 20], loss: 2 },
    ]);
    expect(show([hard(0, 3), hard(2, 2)]).map(({ loss }) => loss)).toEqual([3]);
    expect(show([hard(0, 3), hard(0, 2, { classIndex: 1 }), hard(0, 1, { image: 1 })])).toHaveLength(3);
  });

  it('leaves out what lies in the padding, and no more than asked for in', () => {
    expect(show([hard(4, 9), hard(3, 1)]).map(({ loss }) => loss)).toEqual([1]);
    expect(show([hard(0, 1), hard(3, 2)], 1).map(({ loss }) => loss)).toEqual([2]);
  });
});
