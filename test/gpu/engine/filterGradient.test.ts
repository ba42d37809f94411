/** Gradients of filters, of biases and of norms behind convolutions, against the plain reference. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { sliceCall } from '../../../shared/engine/device/slices.ts';
import {
  filterVariants,
  lowerConvFilterGradient,
} from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import { testDevice } from '../softwareDevice.ts';
import { expectReference, type FilterGradientCase, operands } from './filterGradientCase.ts';
import type { Side } from './operands.ts';
import { runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const pyramid: Side[] = [
  [9, 11],
  [5, 6],
  [3, 3],
  [2, 2],
  [1, 1],
];

const cases: FilterGradientCase[] = [
  { name: '3x3 over levels', levels: pyramid, channels: [20, 36], kernel: 3, stride: 1, also: 'bias' },
  {
    name: '3x3 of many channels',
    levels: [[5, 6]],
    channels: [132, 72],
    kernel: 3,
    stride: 1,
    also: 'norm',
  },
  {
    name: '3x3 stride 2, odd, a norm that learns',
    levels: [[13, 19]],
    channels: [10, 27],
    kernel: 3,
    stride: 2,
    also: 'learnt norm',
  },
  {
    name: '1x1 stride 2, in halves',
    levels: [[7, 5]],
    channels: [8, 20],
    kernel: 1,
    stride: 2,
    also: 'bias',
    storage: 'f16',
  },
  {
    name: '7x7 stride 2 of an image',
    levels: [[37, 22]],
    channels: [3, 12],
    kernel: 7,
    stride: 2,
    also: 'norm',
  },
];

describe.each([
  ['software', true],
  ['real GPUs', false],
] as const)("a filter's gradient for %s", (_, software) => {
  it.each(cases)('is the reference: $name', (each) =>
    expectReference(device, deviceFacts(device, software), each),
  );
});

it('is the reference in tiles of other shapes', async () => {
  const facts = deviceFacts(device, false);
  const variants = filterVariants(operands(cases[0]!).op, facts);
  const wide = variants.find((variant) => variant.kind === 'workgroup' && variant.rows > variant.columns);
  const byTap = variants.find((variant) => variant.kind === 'registers' && variant.taps === 1);
  for (const variant of [wide, byTap]) await expectReference(device, facts, cases[0]!, variant!);
});

it.each([true, false])('gives the same bytes twice, in slices too (software %s)', async (software) => {
  const { op, memory } = operands({ ...cases[0]!, levels: [[40, 40]] });
  const calls = lowerConvFilterGradient(op, deviceFacts(device, software));
  expect(calls).toHaveLength(2);
  const sliced = calls.flatMap((call) => sliceCall(call, 3));
  expect(sliced).toHaveLength(4);
  const runs = [await runCalls(device, calls, memory), await runCalls(device, sliced, memory)];
  const [first, second] = runs.map((after) => Buffer.from(after.words(op.weightGradient).buffer));
  expect(first!.equals(second!)).toBe(true);
});
