/** Back through GroupNorm: gradients of its input, its weight and its bias. */
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import type { GroupNormGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { imagesOf } from '../rows.ts';
import { referenceTarget } from '../sums/target.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { statisticsRef } from './groupNorm.ts';

export function lowerGroupNormGradient(_op: GroupNormGradientOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceGroupNormGradient(op: GroupNormGradientOp, memory: Memory): void {
  const { x, dy, groups, target } = op;
  const { channels } = x.tensor;
  const [stride, width] = [strideOf(channels), channels / groups];
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const weight = memory.words(op.weight);
  const statistics = memory.words(statisticsRef(op));
  const dx = new Float64Array(gradient.length);
  const [dWeight, dBias] = [new Float64Array(channels), new Float64Array(channels)];
  imagesOf(x).forEach(({ firstRow, rows }, image) => {
    for (let group = 0; group < groups; group++) {
      const at = (image * groups + group) * 2;
      const [mean, deviation] = [statistics[at]!, statistics[at + 1]!];
      const channelsOfGroup = Array.from({ length: width }, (_, c) => group * width + c);
      const forEach = (visit: (at: number, channel: number, normed: number) => void) => {
        for (let row = firstRow; row < firstRow + rows; row++) {
          for (const c of channelsOfGroup) {
            const at = row * stride + c;
            visit(at, c, (source[at]! - mean) * deviation);
          }
        }
      };
      let [plain, scaled] = [0, 0];
      forEach((at, c, normed) => {
        dBias[c]! += gradient[at]!;
        dWeight[c]! += gradient[at]! * normed;
        plain += weight[c]! * gradient[at]!;
        scaled += weight[c]! * gradient[at]! * normed;
      });
      const count = rows * width;
      forEach((at, c, normed) => {
        dx[at] = deviation * (gradient[at]! * weight[c]! - plain / count - (normed * scaled) / count);
      });
    }
  });
  if (op.weightGradient) addTo(memory, op.weightGradient, dWeight);
  if (op.biasGradient) addTo(memory, op.biasGradient, dBias);
  if (target) referenceTarget(target, memory, dx);
}

export function addTo(memory: Memory, ref: BufferRef, values: ArrayLike<number>): void {
  const words = memory.words(ref);
  for (let index = 0; index < values.length; index++) words[index]! += values[index]!;
}
