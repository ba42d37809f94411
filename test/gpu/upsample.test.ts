/**
 * Nearest upsampling to twice the size, its value and its gradient, against the closed form: a cell's gradient is the sum of the 2x2 block
 * that it fed. And tfjs 4.22's own gradient, which is why there is one of ours: on webgpu `floor(X * (dy / Y))` in f32 misses cells at many
 * sizes; on cpu a batch above one is read at the wrong stride.
 */
import {
  dispose,
  grads,
  image,
  setBackend,
  type Tensor,
  type Tensor4D,
  tensor4d,
} from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pyramidSizes } from '../../shared/detector/network.ts';
import { upsample } from '../../shared/reference/layers.ts';
import { testDevice } from './softwareDevice.ts';

/** Sides of the upsampled map in cells. 22, 44 and 88 are a pyramid's for a frame of 352 or 704 px; 46, 58 and 92 come from 23, 29 and 46. */
const targetSides = [22, 44, 46, 58, 88, 92, 352, 704];
const channels = 2;

beforeAll(async () => {
  await testDevice();
});

interface Case {
  readonly batch: number;
  /** Of the small map. */
  readonly side: number;
}

/** Whole numbers, so that sums of four are exact in any order; their period divides no map's size, so that a wrong stride shows. */
function counts(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => ((index * 7919) % 1009) - 504);
}

/** Every cell of the large map, `[batch, 2 side, 2 side, channels]`, with the cell of the small one that feeds it. */
function* cells({ batch, side }: Case): Generator<[large: number, small: number]> {
  let large = 0;
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < 2 * side; y++) {
      for (let x = 0; x < 2 * side; x++) {
        for (let channel = 0; channel < channels; channel++) {
          yield [large++, ((b * side + (y >> 1)) * side + (x >> 1)) * channels + channel];
        }
      }
    }
  }
}

/** Value and gradient of an upsampling, and what both should be. */
async function compute(of: Case, operation: (input: Tensor4D, like: Tensor4D) => Tensor4D) {
  const { batch, side } = of;
  const input = counts(batch * side * side * channels);
  const upstream = counts(input.length * 4);
  const exact = { value: new Float32Array(upstream.length), gradient: new Float32Array(input.length) };
  for (const [large, small] of cells(of)) {
    exact.value[large] = input[small]!;
    exact.gradient[small]! += upstream[large]!;
  }
  const x = tensor4d(input, [batch, side, side, channels]);
  const like = tensor4d(upstream, [batch, 2 * side, 2 * side, channels]);
  const value = operation(x, like);
  const [gradient] = grads((a: Tensor) => operation(a as Tensor4D, like))([x], like);
  const computed = { value: await value.data(), gradient: await gradient!.data() };
  dispose([x, like, value, gradient!]);
  return { computed, exact };
}

/** Compared as bytes: a mismatch among half a million numbers is one line, not a list. */
function same(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}

function stock(input: Tensor4D, like: Tensor4D): Tensor4D {
  return image.resizeNearestNeighbor(input, [like.shape[1], like.shape[2]]);
}

const cases = targetSides.flatMap((target) => [1, 2].map((batch) => ({ target, batch, side: target / 2 })));

describe.each(['webgpu', 'cpu'])('on %s', (backend) => {
  beforeAll(async () => {
    await setBackend(backend);
  });
  afterAll(async () => {
    await setBackend('webgpu');
  });

  it.each(cases)('is exact to $target cells, batch $batch', async (each) => {
    const { computed, exact } = await compute(each, upsample);
    expect(same(computed.value, exact.value)).toBe(true);
    expect(same(computed.gradient, exact.gradient)).toBe(true);
  });

  it("would not be with tfjs's own gradient", async () => {
    const right: typeof cases = [];
    for (const each of cases) {
      const { computed, exact } = await compute(each, stock);
      if (same(computed.gradient, exact.gradient)) right.push(each);
    }
    expect(right).toEqual(cases.filter(stockIsRight[backend]!));
  });
});

/** Of the cases above. */
const stockIsRight: Record<string, (each: (typeof cases)[number]) => boolean> = {
  webgpu: ({ target }) => target === 22,
  cpu: ({ batch }) => batch === 1,
};

it('doubles every level of every frame, to an odd number of cells from none', () => {
  for (let side = 32; side <= 2048; side += 32) {
    const [p3, p4, p5] = pyramidSizes(side, 4096 - side);
    expect([p4!.height, p3!.height]).toEqual([2 * p5!.height, 2 * p4!.height]);
    expect([p4!.width, p3!.width]).toEqual([2 * p5!.width, 2 * p4!.width]);
  }
});

it('refuses what is not twice the size', () => {
  const [x, like] = [tensor4d([1, 2, 3, 4], [1, 2, 2, 1]), tensor4d(counts(9), [1, 3, 3, 1])];
  expect(() => upsample(x, like)).toThrow('not a factor of two');
  dispose([x, like]);
});
