import { describe, expect, it } from 'vitest';
import { buildBatch, countTooSmall, largestShape } from './batch.ts';
import { scaleImage } from './imageSource.ts';
import type { TrainingBox, TrainingImage } from './ports.ts';

const asIs = { minSizePx: 40, maxSizePx: 60 };
const box = (boxPx: TrainingBox['boxPx'], classIndex = 0, ignore = false): TrainingBox => ({
  boxPx,
  classIndex,
  ignore,
});

/** 60x40, red grows to the right. */
function ramp(boxes: TrainingBox[]): TrainingImage & { pixels: Uint8Array } {
  const pixels = new Uint8Array(60 * 40 * 3);
  for (let y = 0; y < 40; y++) for (let x = 0; x < 60; x++) pixels[(y * 60 + x) * 3] = x * 4;
  return { id: 'a', name: 'a.png', widthPx: 60, heightPx: 40, boxes, pixels };
}

function batchOf(image: ReturnType<typeof ramp>, flip: boolean, sizes = asIs) {
  return buildBatch([{ image, scaled: scaleImage(image, image.pixels, sizes), flip }]);
}

describe('buildBatch', () => {
  it('pads right and bottom with zeros to multiples of 32', () => {
    const batch = batchOf(ramp([]), false);
    expect([batch.paddedHeight, batch.paddedWidth]).toEqual([64, 64]);
    expect(batch.images.length).toBe(64 * 64 * 3);
    expect(batch.images[(39 * 64 + 60) * 3]).toBe(0);
    expect(batch.images[(40 * 64 + 59) * 3]).toBe(0);
    // A black green channel is not zero once normalised.
    expect(batch.images[(39 * 64 + 59) * 3 + 1]).toBeCloseTo(-0.456 / 0.224, 5);
  });

  it('mirrors pixels and boxes within the image, not within the padding', () => {
    const image = ramp([box([10, 5, 20, 15])]);
    const plain = batchOf(image, false);
    const mirrored = batchOf(image, true);
    for (const x of [0, 7, 59]) {
      expect(mirrored.images[(3 * 64 + x) * 3]).toBe(plain.images[(3 * 64 + 59 - x) * 3]);
    }
    expect(mirrored.images[(3 * 64 + 60) * 3]).toBe(0);
    expect([...mirrored.targets[0]!.boxes]).toEqual([40, 5, 50, 15]);
  });

  it('hands bytes on where all come as bytes, and scales those among floats', () => {
    const image = ramp([box([10, 5, 20, 15])]);
    const scaled = scaleImage(image, image.pixels, asIs);
    const { widthPx, heightPx, pixels: data } = image;
    const unscaled = { size: scaled.size, bytes: { data, widthPx, heightPx } };
    const bytes = buildBatch([{ image, scaled: unscaled, flip: true }]);
    expect(bytes.images).toHaveLength(0);
    expect(bytes.bytes).toEqual([unscaled.bytes]);
    expect(bytes.targets).toEqual(batchOf(image, true).targets);
    const mixed = [
      { image, scaled, flip: false },
      { image, scaled: unscaled, flip: true },
    ];
    const floats = mixed.map((item) => ({ ...item, scaled }));
    expect(buildBatch(mixed)).toEqual(buildBatch(floats));
  });

  it('scales boxes with the image and keeps ignore regions apart', () => {
    const image = ramp([box([10, 10, 30, 20], 2), box([0, 0, 20, 20], 1, true)]);
    const [target] = batchOf(image, false, { minSizePx: 20, maxSizePx: 30 }).targets;
    expect([...target!.boxes]).toEqual([5, 5, 15, 10]);
    expect([...target!.classIndices]).toEqual([2]);
    expect([...target!.ignoreBoxes]).toEqual([0, 0, 10, 10]);
    expect(target).toMatchObject({ heightPx: 20, widthPx: 30, originalHeightPx: 40, originalWidthPx: 60 });
  });

  it('clips boxes to the image and leaves out what is under a pixel at the network scale', () => {
    const image = ramp([box([-10, 0, 10, 10], 0), box([5, 5, 6, 30], 1), box([70, 0, 80, 10], 2)]);
    const sizes = { minSizePx: 20, maxSizePx: 30 };
    const [target] = batchOf(image, false, sizes).targets;
    expect([...target!.boxes]).toEqual([0, 0, 5, 5]);
    expect([...target!.classIndices]).toEqual([0]);
    expect(countTooSmall(image, sizes)).toBe(2);
    expect(countTooSmall(image, asIs)).toBe(1);
  });

  it('pads smaller images of a batch to the largest', () => {
    const wide = ramp([]);
    const small = { ...wide, widthPx: 30, heightPx: 40, pixels: wide.pixels.subarray(0, 30 * 40 * 3) };
    const items = [wide, small].map((image) => ({
      image,
      scaled: scaleImage(image, image.pixels, asIs),
      flip: false,
    }));
    const batch = buildBatch(items);
    expect([batch.batch, batch.paddedHeight, batch.paddedWidth]).toEqual([2, 64, 64]);
    expect(batch.targets.map((target) => target.widthPx)).toEqual([60, 40]);
    expect(batch.targets[1]!.heightPx).toBe(53);
    expect(batch.images[64 * 64 * 3 + 40 * 3]).toBe(0);
    expect(batch.images[64 * 64 * 3 + (53 * 64 + 5) * 3]).toBe(0);
  });
});

describe('largestShape', () => {
  const images = [
    { widthPx: 60, heightPx: 40 },
    { widthPx: 40, heightPx: 60 },
    { widthPx: 90, heightPx: 30 },
  ];
  const sizes = { minSizePx: 64, maxSizePx: 96, microBatch: 0 };

  it('holds any batch of these images, as far as it is computed at once', () => {
    const shape = { paddedHeight: 96, paddedWidth: 96 };
    expect(largestShape(images, { ...sizes, batch: 4 })).toEqual({ batch: 4, ...shape });
    expect(largestShape(images, { ...sizes, batch: 4, microBatch: 3 })).toEqual({ batch: 3, ...shape });
    expect(largestShape(images, { ...sizes, batch: 1 })).toEqual({
      ...{ batch: 1, paddedHeight: 64, paddedWidth: 96 },
    });
  });

  it('has room for the bytes of the largest image in every place', () => {
    const [, , largest] = images;
    expect(largestShape(images, { ...sizes, batch: 2 }, true).bytes).toEqual([largest, largest]);
  });
});
