/** Back through max-pooling: each cell asks the windows that it lies in whether it was their first maximum. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolGradientOp } from '../../plan/ops.ts';
import type { Memory } from '../memory.ts';
import { referenceTarget } from '../sums/target.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { forEachWinner } from './maxPool.ts';

export function lowerMaxPoolGradient(_op: MaxPoolGradientOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceMaxPoolGradient({ x, dy, target }: MaxPoolGradientOp, memory: Memory): void {
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const dx = new Float64Array(source.length);
  forEachWinner(x, dy, source, (from, at) => {
    dx[from]! += gradient[at]!;
  });
  referenceTarget(target, memory, dx);
}
