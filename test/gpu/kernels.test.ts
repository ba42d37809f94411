/** Our kernels against tfjs's own. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend,
  concat,
  conv2d,
  engine,
  grads,
  memory,
  relu,
  setBackend,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tensor1d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fnv1a32, uniformAt } from '../../shared/domain/random.ts';
import { groupNormOnGpu } from '../../shared/reference/kernels/groupNorm.ts';
import { normParts, squaredNorms } from '../../shared/reference/kernels/optimizer.ts';
import { setTiledConvolutions } from '../../shared/reference/kernels/register.ts';
import { groupNormOfOperations } from '../../shared/reference/layers.ts';
import { testDevice } from './softwareDevice.ts';

type Checked = Awaited<ReturnType<typeof testDevice>>;
let gpu: Checked;
beforeAll(async () => {
  gpu = await testDevice();
});
afterAll(() => setTiledConvolutions(gpu.device.software));

/** Numbers in -1..1, the same on every run. */
function noise(name: string, count: number): Float32Array {
  const stream = fnv1a32(name);
  return Float32Array.from({ length: count }, (_, index) => uniformAt(stream, index) * 2 - 1);
}

function noise4d(name: string, shape: [number, number, number, number]): Tensor4D {
  return tensor4d(
    noise(
      name,
      shape.reduce((product, side) => product * side, 1),
    ),
    shape,
  );
}

/** Relative to the largest of the expected values. */
async function expectSame(ours: Tensor, theirs: Tensor, tolerance = 2e-6): Promise<void> {
  expect(ours.shape).toEqual(theirs.shape);
  const [a, b] = await Promise.all([ours.data(), theirs.data()]);
  gpu.watch.check();
  let scale = 0;
  let worst = 0;
  b.forEach((value, index) => {
    scale = Math.max(scale, Math.abs(value));
    worst = Math.max(worst, Math.abs(a[index]! - value));
  });
  expect(scale).toBeGreaterThan(0);
  expect(worst / scale).toBeLessThan(tolerance);
}

const convolutions = [
  { name: '3x3', x: [2, 7, 9, 8], outputs: 16, kernel: 3, stride: 1 },
  {
    name: '3x3 with channels that are no multiple of four',
    x: [2, 5, 6, 10],
    outputs: 27,
    kernel: 3,
    stride: 1,
  },
  { name: '3x3 with a tile that is not full', x: [1, 4, 3, 12], outputs: 20, kernel: 3, stride: 1 },
  { name: '3x3 stride 2, even', x: [2, 8, 10, 8], outputs: 12, kernel: 3, stride: 2 },
  { name: '3x3 stride 2, odd', x: [2, 7, 5, 8], outputs: 8, kernel: 3, stride: 2 },
  { name: '1x1', x: [2, 5, 5, 8], outputs: 12, kernel: 1, stride: 1 },
  { name: '1x1 stride 2', x: [2, 6, 9, 8], outputs: 12, kernel: 1, stride: 2 },
  { name: '7x7 stride 2 on an image', x: [2, 17, 20, 3], outputs: 8, kernel: 7, stride: 2 },
  { name: '3x3 on one pixel', x: [2, 1, 1, 8], outputs: 8, kernel: 3, stride: 2 },
] as const;

describe('tiled convolutions', () => {
  it.each(convolutions)(
    "are tfjs's, forward and backward: $name",
    async ({ name, x, outputs, kernel, stride }) => {
      const input = noise4d(`${name}.x`, [...x]);
      const filter = noise4d(`${name}.w`, [kernel, kernel, x[3], outputs]);
      const convolve = (a: Tensor, w: Tensor) =>
        conv2d(a as Tensor4D, w as Tensor4D, stride, (kernel - 1) / 2);
      const run = (tiled: boolean): Tensor[] => {
        setTiledConvolutions(tiled);
        const output = convolve(input, filter);
        const dy = noise4d(`${name}.dy`, output.shape as [number, number, number, number]);
        return [output, ...grads(convolve)([input, filter], dy)];
      };
      const theirs = run(false);
      const ours = run(true);
      for (const [index, each] of ours.entries()) await expectSame(each, theirs[index]!);
    },
  );
});

describe('convolutions in plain JavaScript', () => {
  it.each(convolutions)(
    "are tfjs's, forward and backward: $name",
    async ({ name, x, outputs, kernel, stride }) => {
      const shapes = { x: [...x], w: [kernel, kernel, x[3], outputs] } as const;
      const computeHere = async () => {
        const input = noise4d(`${name}.x`, shapes.x as [number, number, number, number]);
        const filter = noise4d(`${name}.w`, [...shapes.w]);
        const convolve = (a: Tensor, w: Tensor) =>
          conv2d(a as Tensor4D, w as Tensor4D, stride, (kernel - 1) / 2);
        const output = convolve(input, filter);
        const dy = noise4d(`${name}.dy`, output.shape as [number, number, number, number]);
        return Promise.all([output, ...grads(convolve)([input, filter], dy)].map((each) => each.data()));
      };
      setTiledConvolutions(false);
      const theirs = await computeHere();
      await setBackend('cpu');
      try {
        const ours = await computeHere();
        ours.forEach((data, index) => {
          const scale = Math.max(...theirs[index]!.map(Math.abs));
          const worst = Math.max(...data.map((value, i) => Math.abs(value - theirs[index]![i]!)));
          expect(worst / scale).toBeLessThan(2e-6);
        });
      } finally {
        await setBackend('webgpu');
      }
    },
  );
});

describe('group norm', () => {
  const cases = [
    { shape: [2, 9, 11, 24], groups: 8, active: true },
    { shape: [1, 1, 1, 16], groups: 8, active: false },
    { shape: [3, 4, 5, 32], groups: 32, active: true },
  ] as const;

  it.each(cases)(
    'is that of elementary operations: $shape in $groups groups',
    async ({ shape, groups, active }) => {
      const channels = shape[3];
      const x = noise4d('gn.x', [...shape]);
      const weight = tensor1d(noise('gn.weight', channels).map((value) => 1 + 0.3 * value));
      const bias = tensor1d(noise('gn.bias', channels));
      const dy = noise4d('gn.dy', [...shape]);
      const ours = (a: Tensor, w: Tensor, b: Tensor) =>
        groupNormOnGpu(a as Tensor4D, w, b, { groups, epsilon: 1e-5, relu: active });
      const theirs = (a: Tensor, w: Tensor, b: Tensor) => {
        const normed = groupNormOfOperations(a as Tensor4D, w, b, groups, 1e-5);
        return active ? relu(normed) : normed;
      };
      await expectSame(ours(x, weight, bias), theirs(x, weight, bias), 1e-5);
      const ourGradients = grads(ours)([x, weight, bias], dy);
      const theirGradients = grads(theirs)([x, weight, bias], dy);
      for (const [index, each] of ourGradients.entries()) {
        await expectSame(each, theirGradients[index]!, shape[1] === 1 ? 1e-3 : 2e-5);
      }
    },
  );

  it('does not cancel where the mean is far from zero', async () => {
    const values = noise('gn.far', 2 * 8 * 8 * 16).map((value) => 1000 + value);
    const x = tensor4d(values, [2, 8, 8, 16]);
    const one = tensor1d(new Float32Array(16).fill(1));
    const zero = tensor1d(new Float32Array(16));
    const output = groupNormOnGpu(x, one, zero, { groups: 4, epsilon: 1e-5, relu: false });
    const data = (await output.data()) as Float32Array;
    const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(variance).toBeCloseTo(1, 2);
  });

  it('leaves nothing behind', () => {
    const x = noise4d('gn.x', [2, 9, 11, 24]);
    const one = tensor1d(new Float32Array(24).fill(1)) as Tensor1D;
    const run = () =>
      tidy(() => {
        const operation = (a: Tensor, w: Tensor, b: Tensor) =>
          groupNormOnGpu(a as Tensor4D, w, b, { groups: 8, epsilon: 1e-5, relu: true });
        grads(operation)([x, one, one], x);
      });
    run();
    const before = { ...memory(), onDevice: engine().backend.numDataIds() };
    for (let i = 0; i < 3; i++) run();
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(engine().backend.numDataIds()).toBe(before.onDevice);
  });
});

describe('gradient norms', () => {
  it('are those of each gradient, and not finite where one element is not', async () => {
    const values = [
      noise('norm.a', 10_000),
      noise('norm.b', 5),
      Float32Array.of(1, Number.NaN),
      Float32Array.of(3, Infinity),
    ];
    const norms = squaredNorms(
      backend() as WebGPUBackend,
      values.map((each) => tensor1d(each)),
    );
    const data = (await concat([tensor1d([7]), norms as Tensor1D]).data()) as Float32Array;
    let offset = 1;
    const sums = values.map((each) => {
      const own = data.slice(offset, offset + normParts(each.length));
      offset += own.length;
      return own.reduce((sum, part) => sum + part, 0);
    });
    expect(offset).toBe(data.length);
    for (const index of [0, 1]) {
      const exact = values[index]!.reduce((sum, each) => sum + each * each, 0);
      expect(Math.abs(sums[index]! / exact - 1)).toBeLessThan(1e-5);
    }
    expect(sums[2]).toBeNaN();
    expect(Number.isFinite(sums[3])).toBe(false);
  });
});
