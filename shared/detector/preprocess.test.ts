import { describe, expect, it } from 'vitest';
import { readFixture, units } from '../../test/support/fixtures.ts';
import { fnv1a32, uniformAt } from '../domain/random.ts';
import { paddedSize, preprocessInto, resizeBilinear, resizedSize, scaleBoxes } from './preprocess.ts';

const model = readFixture<typeof import('../../test/fixtures/model_r18_fpn64.json')>('model_r18_fpn64');

/** The fixtures' picture: 0.7 * ramp + 0.3 * noise per channel, here interleaved. */
function fixtureImage(tag: string, heightPx: number, widthPx: number) {
  const stream = fnv1a32(tag);
  const data = new Float32Array(heightPx * widthPx * 3);
  const { fround } = Math;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < heightPx; y++) {
      for (let x = 0; x < widthPx; x++) {
        const ramps = [y / heightPx, x / widthPx, (y / heightPx + x / widthPx) / 2];
        const noise = uniformAt(stream, (channel * heightPx + y) * widthPx + x);
        data[(y * widthPx + x) * 3 + channel] = fround(0.7 * ramps[channel]!) + fround(0.3 * fround(noise));
      }
    }
  }
  return { data, heightPx, widthPx };
}

/** Interleaved element of a planar index. */
function planar(data: Float32Array, heightPx: number, widthPx: number, index: number): number {
  const area = heightPx * widthPx;
  return data[(index % area) * 3 + Math.floor(index / area)]!;
}

describe('resizedSize', () => {
  it("follows torch's double rounding", () => {
    // 427 x 640 is 799 x 1199 and 480 x 640 is 800 x 1066: plain fround(800 / side) gets the second wrong.
    expect(resizedSize(427, 640, 800, 1333)).toEqual({ heightPx: 799, widthPx: 1199 });
    expect(resizedSize(480, 640, 800, 1333)).toEqual({ heightPx: 800, widthPx: 1066 });
    expect(resizedSize(90, 120, 96, 160)).toEqual({ heightPx: 96, widthPx: 128 });
    expect(resizedSize(96, 80, 96, 160)).toEqual({ heightPx: 115, widthPx: 96 });
  });

  it('is bound by the long side and never empty', () => {
    expect(resizedSize(100, 1000, 800, 1333)).toEqual({ heightPx: 133, widthPx: 1333 });
    // 319, not 320: the float32 scale falls just short, as with torchvision's 798 and 799.
    expect(resizedSize(1, 10000, 320, 320)).toEqual({ heightPx: 1, widthPx: 319 });
  });
});

describe('paddedSize', () => {
  it('holds every image and rounds up to multiples of 32', () => {
    expect(
      paddedSize([
        { heightPx: 96, widthPx: 128 },
        { heightPx: 115, widthPx: 96 },
      ]),
    ).toEqual({ heightPx: 128, widthPx: 128 });
  });
});

describe('resizeBilinear', () => {
  it("is torch's interpolate", () => {
    const [inHeight, inWidth] = units.bilinear.in_hw as [number, number];
    const [heightPx, widthPx] = units.bilinear.out_hw as [number, number];
    const image = fixtureImage(`${units.hash_prefix}units.resize.image0`, inHeight, inWidth);
    const out = resizeBilinear(image, { heightPx, widthPx });
    units.bilinear.probe.forEach((expected, index) => {
      expect(planar(out, heightPx, widthPx, index * 911)).toBeCloseTo(expected, 5);
    });
    expect(
      Math.abs(out.reduce((sum, value) => sum + value, 0) / units.bilinear.out.abs_sum - 1),
    ).toBeLessThan(1e-6);
  });

  /** Of a row of zeros and ones a value is a weight. torch's own, of 96 pixels stretched to 115, to the last bit. */
  it("weighs neighbours by torch's very float32 numbers", () => {
    const data = Float32Array.from({ length: 96 * 3 }, (_, index) => Math.floor(index / 3) % 2);
    const out = resizeBilinear({ data, heightPx: 1, widthPx: 96 }, { heightPx: 1, widthPx: 115 });
    const torch = { 1: 0.752173901, 7: 0.239130497, 40: 0.691304684, 77: 0.195651531, 113: 0.247825146 };
    for (const [x, value] of Object.entries(torch)) expect(out[Number(x) * 3]).toBe(Math.fround(value));
  });

  it('copies at the same size', () => {
    const data = Uint8Array.from({ length: 4 * 3 * 3 }, (_, index) => (index * 37) % 256);
    expect([...resizeBilinear({ data, heightPx: 4, widthPx: 3 }, { heightPx: 4, widthPx: 3 })]).toEqual([
      ...data,
    ]);
  });
});

describe('preprocessInto', () => {
  it("fills the batch of torchvision's transform", () => {
    const images = model.image_sizes_hw.map(([h, w], index) =>
      fixtureImage(`${model.hash_prefix}r18.image${index}`, h!, w!),
    );
    const sizes = images.map((image) =>
      resizedSize(image.heightPx, image.widthPx, model.min_size[0]!, model.max_size),
    );
    expect(sizes.map((size) => [size.heightPx, size.widthPx])).toEqual(model.resized_hw);
    const { heightPx: paddedHeight, widthPx: paddedWidth } = paddedSize(sizes);
    const batch = new Float32Array(2 * paddedHeight * paddedWidth * 3);
    images.forEach((image, batchIndex) => {
      preprocessInto({ images: batch, batchIndex, paddedHeight, paddedWidth }, image, sizes[batchIndex]!);
    });
    expect([2, 3, paddedHeight, paddedWidth]).toEqual(model.batch.shape);
    model.batch.first.forEach((expected, index) => {
      expect(planar(batch, paddedHeight, paddedWidth, index)).toBeCloseTo(expected, 5);
    });
    const absSum = batch.reduce((sum, value) => sum + Math.abs(value), 0);
    expect(Math.abs(absSum / model.batch.abs_sum - 1)).toBeLessThan(1e-6);
  });

  it('reads bytes as the same values as floats, and mirrors', () => {
    const data = Uint8Array.from({ length: 5 * 7 * 3 }, (_, index) => (index * 97) % 256);
    const floats = Float32Array.from(data, (value) => value / 255);
    const size = { heightPx: 9, widthPx: 13 };
    const write = (pixels: Uint8Array | Float32Array, flip: boolean) => {
      const images = new Float32Array(32 * 32 * 3);
      const slot = { images, batchIndex: 0, paddedHeight: 32, paddedWidth: 32 };
      preprocessInto(slot, { data: pixels, heightPx: 5, widthPx: 7 }, size, flip);
      return images;
    };
    const plain = write(data, false);
    const mirrored = write(data, true);
    write(floats, false).forEach((value, index) => {
      expect(value).toBeCloseTo(plain[index]!, 5);
    });
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        const from = y < 9 && x < 13 ? (y * 32 + 12 - x) * 3 : (y * 32 + x) * 3;
        expect(mirrored[(y * 32 + x) * 3 + 1]).toBe(plain[from + 1]);
      }
    }
    expect(plain[(9 * 32 + 0) * 3]).toBe(0);
    expect(plain[13 * 3]).toBe(0);
  });
});

describe('scaleBoxes', () => {
  const original = { heightPx: 100, widthPx: 200 };
  const resized = { heightPx: 50, widthPx: 400 };

  it('scales each axis by its own ratio', () => {
    expect([...scaleBoxes(Float32Array.of(10, 20, 30, 40), original, resized)]).toEqual([20, 10, 60, 20]);
  });

  it('mirrors in the resized width and keeps x1 before x2', () => {
    const mirrored = scaleBoxes(Float32Array.of(10, 20, 30, 40), original, resized, true);
    expect([...mirrored]).toEqual([340, 10, 380, 20]);
    expect([...scaleBoxes(mirrored, resized, resized, true)]).toEqual([20, 10, 60, 20]);
  });
});
