import { expect, it } from 'vitest';
import type { KernelCall } from '../plan/call.ts';
import { sliceCall } from './slices.ts';

const call: KernelCall = {
  ...{ label: 'test', code: '', bindings: [], workgroups: [100, 1, 3], flops: 1000 },
  ...{ uniforms: Uint32Array.of(7, 0, 9, 0), sliceWord: 1 },
};

/** First and last workgroup along x. */
function spans(calls: readonly KernelCall[]): [number, number][] {
  return calls.map(({ uniforms, workgroups }) => [uniforms![1]!, uniforms![1]! + workgroups[0] - 1]);
}

it('divides a dispatch, and its slices again, into every workgroup once', () => {
  const slices = sliceCall(call, 3);
  expect(spans(slices)).toEqual([
    [0, 33],
    [34, 67],
    [68, 99],
  ]);
  const again = slices.flatMap((slice, index) => sliceCall(slice, index + 1));
  expect(spans(again)).toEqual([
    [0, 33],
    [34, 50],
    [51, 67],
    [68, 78],
    [79, 89],
    [90, 99],
  ]);
  expect(again.reduce((sum, { flops }) => sum + flops, 0)).toBeCloseTo(1000);
  expect(again.every(({ uniforms, workgroups }) => uniforms![0] === 7 && workgroups[2] === 3)).toBe(true);
});

it('leaves alone what cannot be divided', () => {
  const { sliceWord: _, ...whole } = call;
  expect(sliceCall(whole, 4)).toEqual([whole]);
  expect(sliceCall(call, 1)).toEqual([call]);
});
