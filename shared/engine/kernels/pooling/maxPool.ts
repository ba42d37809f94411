/** Max-pooling, 3x3 with stride 2 and padding 1, of tensors of one level. */
import type { KernelCall } from '../../plan/call.ts';
import type { MaxPoolOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import type { DeviceFacts } from '../wgsl.ts';

export function lowerMaxPool(_op: MaxPoolOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceMaxPool({ x, y }: MaxPoolOp, memory: Memory): void {
  const source = memory.tensor(x);
  const to = memory.tensor(y);
  forEachWinner(x, y, source, (from, at) => {
    to[at] = source[from]!;
  });
}

/** Visits every element of `y` with where in `x` its first maximum lies, row by row. */
export function forEachWinner(
  x: TensorView,
  y: TensorView,
  source: Float32Array,
  visit: (from: number, at: number) => void,
): void {
  const [input, output] = [x.levels[0]!, y.levels[0]!];
  const stride = strideOf(x.tensor.channels);
  let at = 0;
  for (let image = 0; image < x.tensor.batch; image++) {
    for (let top = -1; top < output.height * 2 - 1; top += 2) {
      for (let left = -1; left < output.width * 2 - 1; left += 2) {
        for (let channel = 0; channel < stride; channel++, at++) {
          let winner = -1;
          for (let yIn = Math.max(top, 0); yIn < Math.min(top + 3, input.height); yIn++) {
            for (let xIn = Math.max(left, 0); xIn < Math.min(left + 3, input.width); xIn++) {
              const from = ((image * input.height + yIn) * input.width + xIn) * stride + channel;
              if (winner < 0 || source[from]! > source[winner]!) winner = from;
            }
          }
          visit(winner, at);
        }
      }
    }
  }
}
