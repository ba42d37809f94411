/** Additions that nothing else could take along: residuals without a convolution, gradients that join. */
import type { KernelCall } from '../../plan/call.ts';
import type { SumOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { imagesOf } from '../rows.ts';
import type { DeviceFacts } from '../wgsl.ts';

export function lowerSum(_op: SumOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceSum({ inputs, relu, mask, y }: SumOp, memory: Memory): void {
  const stride = strideOf(y.tensor.channels);
  const sources = inputs.map((input) => memory.tensor(input));
  const masked = mask && memory.tensor(mask);
  const to = memory.tensor(y);
  for (const { firstRow, rows } of imagesOf(y)) {
    for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
      const sum = sources.reduce((total, source) => total + source[at]!, 0);
      const value = relu ? Math.max(sum, 0) : sum;
      to[at] = masked && !(masked[at]! > 0) ? 0 : value;
    }
  }
}
