/** The references of convolutions against the plain ones that tfjs is held against; what is fused, by its definition. */
import { describe, expect, it } from 'vitest';
import { fnv1a32, uniformAt } from '../../../domain/random.ts';
import { convolveOnCpu, inputGradientOnCpu } from '../../../reference/kernels/cpuConvolution.ts';
import type { BufferRef } from '../../plan/call.ts';
import { type TensorView, wholeView } from '../../plan/tensor.ts';
import { Memory } from '../memory.ts';
import { lowerConv, referenceConv } from './forward.ts';
import { referenceConvInputGradient } from './inputGradient.ts';

const shapes = [
  { kernelSize: 3, stride: 1, padding: 1, inChannels: 8, outChannels: 12 },
  { kernelSize: 3, stride: 2, padding: 1, inChannels: 4, outChannels: 8 },
  { kernelSize: 1, stride: 2, padding: 0, inChannels: 8, outChannels: 4 },
];

describe.each(shapes)('references of $kernelSize x $kernelSize, stride $stride', (conv) => {
  const { kernelSize, stride, padding, inChannels, outChannels } = conv;
  const [batch, inHeight, inWidth] = [2, 7, 6];
  const outHeight = Math.floor((inHeight - 1) / stride) + 1;
  const outWidth = Math.floor((inWidth - 1) / stride) + 1;
  const info = {
    ...{ batchSize: batch, inHeight, inWidth, outHeight, outWidth, inChannels, outChannels },
    ...{ filterHeight: kernelSize, filterWidth: kernelSize, strideHeight: stride, strideWidth: stride },
    padInfo: { top: padding, left: padding },
  } as Parameters<typeof convolveOnCpu>[2];
  const memory = new Memory();
  const view = (id: string, height: number, width: number, channels: number): TensorView => {
    const whole = wholeView({ id, batch, levels: [{ height, width }], channels, storage: 'f32' });
    fill(memory.tensor(whole), id);
    return whole;
  };
  const state = (id: string, words: number): BufferRef => {
    const ref = { kind: 'state', id, offsetWords: 0, words } as const;
    fill(memory.words(ref), id);
    return ref;
  };
  const input = (id: string) => view(id, inHeight, inWidth, inChannels);
  const output = (id: string) => view(id, outHeight, outWidth, outChannels);
  const weight = state('weight', kernelSize ** 2 * inChannels * outChannels);
  const norm = { scale: state('scale', outChannels), shift: state('shift', outChannels) };

  it('are the plain convolution, normed, with bias and residual, without what is negative', () => {
    const [x, y, residual, bias] = [input('x'), output('y'), output('residual'), state('bias', outChannels)];
    referenceConv({ op: 'conv', conv, x, weight, norm, bias, residual, relu: true, y }, memory);
    const plain = convolveOnCpu(memory.tensor(x), memory.words(weight), info);
    const [scale, shift, biases] = [norm.scale, norm.shift, bias].map((ref) => memory.words(ref));
    const added = memory.tensor(residual);
    expectClose(memory.tensor(y), (at) => {
      const o = at % outChannels;
      return Math.max(0, plain[at]! * scale![o]! + shift![o]! + biases![o]! + added[at]!);
    });
  });

  it('are the plain gradient of what the norm scaled, added to, and zero where the ReLU was', () => {
    const [dy, dx, add, mask] = [output('dy'), input('dx'), input('add'), input('mask')];
    referenceConvInputGradient(
      { op: 'convInputGradient', conv, dy, weight, norm, target: { dx, add, mask } },
      memory,
    );
    const scale = memory.words(norm.scale);
    const scaled = memory.tensor(dy).map((value, at) => value * scale[at % outChannels]!);
    const plain = inputGradientOnCpu(scaled, memory.words(weight), info);
    const [added, masked] = [memory.tensor(add), memory.tensor(mask)];
    expectClose(memory.tensor(dx), (at) => (masked[at]! > 0 ? plain[at]! + added[at]! : 0));
  });
});

function fill(into: Float32Array, name: string): void {
  const stream = fnv1a32(name);
  for (let index = 0; index < into.length; index++) into[index] = uniformAt(stream, index) * 2 - 1;
}

function expectClose(ours: Float32Array, theirs: (at: number) => number): void {
  const worst = ours.reduce((most, value, at) => Math.max(most, Math.abs(value - theirs(at))), 0);
  expect(worst).toBeLessThan(1e-5);
  expect(ours.some((value) => value > 0)).toBe(true);
  expect(ours.some((value) => value === 0)).toBe(true);
}

it('is never more workgroups than a device takes, though it was chosen so for smaller frames', () => {
  const facts = {
    ...{ software: false, maxWorkgroupsPerDimension: 65535 },
    ...{ maxWorkgroupStorageBytes: 16384, maxInvocationsPerWorkgroup: 256 },
    ...{ maxBindingBytes: 2 ** 27, subgroups: null, matrices: [] },
  };
  const lower = (side: number) => {
    const view = (id: string) =>
      wholeView({ id, batch: 1, levels: [{ height: side, width: side }], channels: 4, storage: 'f32' });
    const conv = { kernelSize: 3, stride: 1, padding: 1, inChannels: 4, outChannels: 4 };
    const weight: BufferRef = { kind: 'weights', offsetWords: 0, words: 144 };
    const fused = { bias: null, norm: null, residual: null, relu: false };
    const small = {
      kind: 'workgroup',
      rows: 32,
      columns: 32,
      depth: 16,
      threadRows: 4,
      threadColumns: 4,
    } as const;
    return lowerConv({ op: 'conv', conv, x: view('x'), y: view('y'), weight, ...fused }, facts, small)[0]!;
  };
  expect(lower(100).workgroups).toEqual([313, 1, 1]);
  expect(Math.max(...lower(1500).workgroups)).toBeLessThanOrEqual(65535);
  expect(Math.max(...lower(4000).workgroups)).toBeLessThanOrEqual(65535);
});
