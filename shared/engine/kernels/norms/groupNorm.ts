/** torch's GroupNorm over every level and image of a tensor, with the ReLU that follows it. */
import type { KernelCall } from '../../plan/call.ts';
import type { GroupNormOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { imagesOf } from '../rows.ts';
import type { DeviceFacts } from '../wgsl.ts';

export function lowerGroupNorm(_op: GroupNormOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceGroupNorm(op: GroupNormOp, memory: Memory): void {
  const { x, y, groups, epsilon } = op;
  const { channels } = x.tensor;
  const [stride, width] = [strideOf(channels), channels / groups];
  const images = imagesOf(x);
  const source = memory.tensor(x);
  const weight = memory.words(op.weight);
  const bias = memory.words(op.bias);
  const statistics = memory.words(statisticsRef(op));
  const to = memory.tensor(y);
  images.forEach(({ firstRow, rows }, image) => {
    const at = (row: number, channel: number) => (firstRow + row) * stride + channel;
    for (let group = 0; group < groups; group++) {
      const first = group * width;
      const over = (term: (value: number) => number) => {
        let total = 0;
        for (let row = 0; row < rows; row++) {
          for (let c = first; c < first + width; c++) total += term(source[at(row, c)]!);
        }
        return total / (rows * width);
      };
      const mean = over((value) => value);
      const deviation = 1 / Math.sqrt(over((value) => (value - mean) ** 2) + epsilon);
      statistics.set([mean, deviation], (image * groups + group) * 2);
      for (let row = 0; row < rows; row++) {
        for (let c = first; c < first + width; c++) {
          const value = (source[at(row, c)]! - mean) * deviation * weight[c]! + bias[c]!;
          to[at(row, c)] = op.relu ? Math.max(value, 0) : value;
        }
      }
    }
    for (let row = 0; row < rows; row++) to.fill(0, at(row, channels), at(row, stride));
  });
}

/** Where mean and reciprocal deviation lie: `[level][image][group][2]`. */
export function statisticsRef({ x, groups, statistics }: Pick<GroupNormOp, 'x' | 'groups' | 'statistics'>) {
  const words = x.levels.length * x.tensor.batch * groups * 2;
  return { kind: 'arena', id: statistics, offsetWords: 0, words } as const;
}
