/** Gradients of filters, of biases and of norms behind convolutions, against the plain reference. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { sliceCall } from '../../../shared/engine/device/slices.ts';
import {
  type FilterVariant,
  filterVariants,
  lowerConvFilterGradient,
  referenceConvFilterGradient,
} from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import type { BufferRef } from '../../../shared/engine/plan/call.ts';
import type { ConvFilterGradientOp } from '../../../shared/engine/plan/ops.ts';
import { strideOf, type TensorSpec } from '../../../shared/engine/plan/tensor.ts';
import { testDevice } from '../softwareDevice.ts';
import { Operands, type Side } from './operands.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

interface Case {
  readonly name: string;
  /** Of x. */
  readonly levels: readonly Side[];
  readonly channels: readonly [input: number, output: number];
  readonly kernel: number;
  readonly stride: number;
  readonly also?: 'bias' | 'norm' | 'learnt norm';
  readonly storage?: TensorSpec['storage'];
}

const pyramid: Side[] = [
  [9, 11],
  [5, 6],
  [3, 3],
  [2, 2],
  [1, 1],
];

const cases: Case[] = [
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
  it.each(cases)('is the reference: $name', (each) => expectReference(each, software));
});

it('is the reference in tiles of other shapes', async () => {
  const { op, facts } = operands(cases[0]!, false);
  const variants = filterVariants(op, facts);
  const wide = variants.find((variant) => variant.kind === 'workgroup' && variant.rows > variant.columns);
  const byTap = variants.find((variant) => variant.kind === 'registers' && variant.taps === 1);
  for (const variant of [wide, byTap]) await expectReference(cases[0]!, false, variant!);
});

it.each([true, false])('gives the same bytes twice, in slices too (software %s)', async (software) => {
  const { op, facts, memory } = operands({ ...cases[0]!, levels: [[40, 40]] }, software);
  const calls = lowerConvFilterGradient(op, facts);
  expect(calls).toHaveLength(2);
  const sliced = calls.flatMap((call) => sliceCall(call, 3));
  expect(sliced).toHaveLength(4);
  const runs = [await runCalls(device, calls, memory), await runCalls(device, sliced, memory)];
  const [first, second] = runs.map((after) => Buffer.from(after.words(op.weightGradient).buffer));
  expect(first!.equals(second!)).toBe(true);
});

async function expectReference(each: Case, software: boolean, variant?: FilterVariant): Promise<void> {
  const { op, facts, memory, f16 } = operands(each, software);
  const calls = lowerConvFilterGradient(op, facts, variant);
  for (const { ref } of calls.flatMap(({ bindings }) => bindings)) {
    // As in a plan's arena, where others were before.
    if (ref.kind === 'arena' && !['x', 'dy'].includes(ref.id)) memory.words(ref).fill(1e3);
  }
  const after = await runCalls(device, calls, memory, f16);
  referenceConvFilterGradient(op, memory);
  const { weightGradient, biasGradient, normGradient } = op;
  const written = [weightGradient, biasGradient, normGradient?.weightGradient, normGradient?.biasGradient];
  for (const ref of written) if (ref) expectSame(after.words(ref), memory.words(ref), 3e-6);
}

function operands(each: Case, software: boolean) {
  const [inChannels, outChannels] = each.channels;
  const { kernel: kernelSize, stride, levels, also, storage = 'f32' } = each;
  const padding = (kernelSize - 1) / 2;
  const of = new Operands(2);
  const outputs = levels.map(
    (side) => side.map((length) => Math.floor((length - 1) / stride) + 1) as unknown as Side,
  );
  const words = kernelSize ** 2 * strideOf(inChannels) * strideOf(outChannels);
  const gradient = (count: number): BufferRef => of.vector({ kind: 'gradients' }, count);
  const norm = (id: string) => ({
    scale: of.vector({ kind: 'state', id: `${id} scale` }, outChannels),
    shift: of.vector({ kind: 'state', id: `${id} shift` }, outChannels),
  });
  const op: ConvFilterGradientOp = {
    op: 'convFilterGradient',
    conv: { inChannels, outChannels, kernelSize, stride, padding },
    x: of.noise('x', levels, inChannels, { storage }),
    dy: of.noise('dy', outputs, outChannels, { storage }),
    weightGradient: gradient(words),
    biasGradient: also === 'bias' ? gradient(outChannels) : null,
    norm: also === 'norm' || also === 'learnt norm' ? norm('folded') : null,
    normGradient:
      also === 'learnt norm'
        ? {
            weightGradient: gradient(outChannels),
            biasGradient: gradient(outChannels),
            fixed: norm('fixed'),
            convWeight: of.vector({ kind: 'weights' }, words),
          }
        : null,
  };
  return { op, memory: of.memory, f16: of.f16, facts: deviceFacts(device, software) };
}
