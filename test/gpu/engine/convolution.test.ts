/** Convolutions and their input gradients against the plain references. */
import { beforeAll, describe, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { testDevice } from '../softwareDevice.ts';
import { type ConvolutionCase, expectReference } from './convolutionCase.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const cases: ConvolutionCase[] = [
  {
    name: '3x3 with odd channels and sizes',
    levels: [[7, 9]],
    channels: [10, 27],
    kernel: 3,
    stride: 1,
    fused: 'norm',
  },
  {
    name: '3x3 over levels, long sums',
    levels: [
      [9, 11],
      [5, 6],
      [3, 3],
      [1, 1],
    ],
    channels: [132, 36],
    kernel: 3,
    stride: 1,
    fused: 'bias',
  },
  { name: '3x3 stride 2, even', levels: [[8, 10]], channels: [8, 12], kernel: 3, stride: 2, fused: 'norm' },
  { name: '3x3 stride 2, odd', levels: [[7, 5]], channels: [8, 70], kernel: 3, stride: 2 },
  {
    name: '1x1 in halves',
    levels: [[5, 5]],
    channels: [8, 72],
    kernel: 1,
    stride: 1,
    fused: 'norm',
    storage: 'f16',
  },
  { name: '1x1 stride 2', levels: [[6, 9]], channels: [8, 12], kernel: 1, stride: 2, fused: 'norm' },
  {
    name: '7x7 stride 2 on an image',
    levels: [[17, 20]],
    channels: [3, 8],
    kernel: 7,
    stride: 2,
    fused: 'norm',
  },
];

/** Compiling takes the most of a test here: the kernels of real GPUs are many times longer, and only what differs in them is run. */
const telling = new Set(['3x3 over levels, long sums', '3x3 stride 2, odd', '1x1 in halves']);

describe.each([
  ['software', true, cases],
  ['real GPUs', false, cases.filter(({ name }) => telling.has(name))],
] as const)('convolutions for %s', (_name, software, each) => {
  it.each(each)('are the reference, forward and backward: $name', (one) =>
    expectReference(device, deviceFacts(device, software), one),
  );
});

it('wide tiles of real GPUs are the reference too, where threads outnumber blocks of weights', () => {
  const shape = { rows: 32, columns: 64, depth: 16, threadRows: 2, threadColumns: 8 };
  const each: ConvolutionCase = { ...cases[0]!, channels: [20, 92] };
  return expectReference(device, deviceFacts(device, false), each, { kind: 'workgroup', ...shape });
});
