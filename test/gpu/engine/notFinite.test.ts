/** What is no number comes through to the loss, where it is seen: a kernel that makes zero of it hides that a run has gone wrong. */
import { expect, it } from 'vitest';
import { lowerConv } from '../../../shared/engine/kernels/convolution/forward.ts';
import { lowerMaxPool } from '../../../shared/engine/kernels/pooling/maxPool.ts';
import { lowerSum } from '../../../shared/engine/kernels/sums/sum.ts';
import type { DeviceFacts } from '../../../shared/engine/kernels/wgsl.ts';
import type { KernelCall } from '../../../shared/engine/plan/call.ts';
import type { TensorView } from '../../../shared/engine/plan/tensor.ts';
import { testDevice, testFacts } from '../softwareDevice.ts';
import { Operands } from './operands.ts';
import { runCalls } from './runCalls.ts';

const of = new Operands(1);
const x = of.noise('x', [[5, 5]], 4);
of.memory.tensor(x)[4 * 12] = Number.NaN;
const same = of.empty('same', [[5, 5]], 4);
const pooled = of.empty('pooled', [[3, 3]], 4);

/** Values of the first channel that are no number. */
async function lost(lower: (facts: DeviceFacts) => KernelCall[], y: TensorView): Promise<number> {
  const { device } = (await testDevice()).device;
  const after = await runCalls(device, lower(await testFacts()), of.memory);
  return after.tensor(y).filter((value, at) => at % 4 === 0 && Number.isNaN(value)).length;
}

it('comes through a ReLU after a sum, one after a convolution, and through pooling', async () => {
  const sum = { op: 'sum', inputs: [x], relu: true, mask: null, y: same } as const;
  expect(await lost((facts) => lowerSum(sum, facts), same)).toBe(1);
  const conv = { kernelSize: 1, stride: 1, padding: 0, inChannels: 4, outChannels: 4 };
  const weight = of.vector({ kind: 'weights' }, 16);
  const convolution = { op: 'conv', conv, x, y: same, weight, bias: null, norm: null } as const;
  expect(await lost((facts) => lowerConv({ ...convolution, residual: null, relu: true }, facts), same)).toBe(
    1,
  );
  expect(await lost((facts) => lowerMaxPool({ op: 'maxPool', x, y: pooled }, facts), pooled)).toBe(1);
});

it('comes through halves, where finite numbers stay finite', async () => {
  const wide = new Operands(1);
  const numbers = [65504, 65519, 65520, 1e6, 3e38, 1, 6e-8, Number.NaN, Number.POSITIVE_INFINITY, 2, 0, 4];
  const from = wide.empty('from', [[2, numbers.length / 4]], 4);
  wide.memory.tensor(from).set([...numbers, ...numbers.map((value) => -value)]);
  const halves = wide.empty('halves', [[2, numbers.length / 4]], 4, 'f16');
  const { device } = (await testDevice()).device;
  const sum = { op: 'sum', inputs: [from], relu: false, mask: null, y: halves } as const;
  const after = await runCalls(device, lowerSum(sum, await testFacts()), wide.memory, wide.f16);
  const most = [65504, 65504, 65504, 65504, 65504];
  const kept = [...most, 1, Math.f16round(6e-8), Number.NaN, Number.NaN, 2, 0, 4];
  expect([...after.tensor(halves)]).toEqual([...kept, ...kept.map((value) => -value)]);
});
