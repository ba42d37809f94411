/** Nearest neighbour to exactly twice the size, and back, of tensors of one level: each cell belongs to a 2x2 block. */
import type { KernelCall } from '../../plan/call.ts';
import type { UpsampleGradientOp, UpsampleOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { referenceTarget } from '../sums/target.ts';
import type { DeviceFacts } from '../wgsl.ts';

export function lowerUpsample(_op: UpsampleOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function lowerUpsampleGradient(_op: UpsampleGradientOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceUpsample({ x, lateral, relu, y }: UpsampleOp, memory: Memory): void {
  const source = memory.tensor(x);
  const other = lateral && memory.tensor(lateral);
  const to = memory.tensor(y);
  forEachPair(y, (cell, at) => {
    const value = source[cell]! + (other ? other[at]! : 0);
    to[at] = relu ? Math.max(value, 0) : value;
  });
}

export function referenceUpsampleGradient({ dy, target }: UpsampleGradientOp, memory: Memory): void {
  const gradient = memory.tensor(dy);
  const dx = new Float64Array(gradient.length / 4);
  forEachPair(dy, (cell, at) => {
    dx[cell]! += gradient[at]!;
  });
  referenceTarget(target, memory, dx);
}

/** Visits every element of the larger tensor with the cell of the smaller one whose block it belongs to. */
function forEachPair(large: TensorView, visit: (cell: number, at: number) => void): void {
  const { height, width } = large.levels[0]!;
  const stride = strideOf(large.tensor.channels);
  for (let row = 0; row < large.tensor.batch * height; row++) {
    // Heights are even, so a row's half says its image too.
    const cells = (row >> 1) * (width / 2);
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < stride; channel++) {
        visit((cells + (x >> 1)) * stride + channel, (row * width + x) * stride + channel);
      }
    }
  }
}
