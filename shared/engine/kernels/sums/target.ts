/** How every gradient is written: with what else is added to it, and masked by the ReLU that it flows back through. */
import type { GradientTarget } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Kernel } from '../kernel.ts';
import type { Memory } from '../memory.ts';
import { imagesOf } from '../rows.ts';

/** Binds the target and says which statements write an expression of type `vec4<f32>` at an index, both evaluated once. */
export function bindTarget(
  kernel: Kernel,
  { dx, add, mask }: GradientTarget,
): (at: string, value: string) => string {
  const to = kernel.tensor('dx', dx, 'read-write');
  const added = add && kernel.tensor('added', add, 'read');
  const masked = mask && kernel.tensor('masked', mask, 'read');
  return (at, value) => {
    const sum = added ? `${value} + ${added.load('to')}` : value;
    const gradient = masked ? `select(vec4<f32>(), ${sum}, ${masked.load('to')} > vec4<f32>())` : sum;
    return `{ let to = ${at}; let gradient = ${gradient}; ${to.store('to', 'gradient')} }`;
  };
}

/** `values`: laid out as the target's rows. */
export function referenceTarget(
  { dx, add, mask }: GradientTarget,
  memory: Memory,
  values: ArrayLike<number>,
): void {
  const stride = strideOf(dx.tensor.channels);
  const added = add && memory.tensor(add);
  const masked = mask && memory.tensor(mask);
  const to = memory.tensor(dx);
  for (const { firstRow, rows } of imagesOf(dx)) {
    for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
      const isPassed = !masked || masked[at]! > 0;
      to[at] = isPassed ? values[at]! + (added ? added[at]! : 0) : 0;
    }
  }
}
