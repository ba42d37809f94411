/** The gradient of a convolution with respect to what it read. */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvInputGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { gatherBackward } from './gather.ts';
import { type ConvVariant, lowerGather, variantsOf } from './gatherVariants.ts';

/** Candidates for the tuner; the first is the default. */
export function convInputGradientVariants(op: ConvInputGradientOp, facts: DeviceFacts): ConvVariant[] {
  return variantsOf(gatherBackward(op), facts);
}

export function lowerConvInputGradient(
  op: ConvInputGradientOp,
  facts: DeviceFacts,
  variant?: ConvVariant,
): KernelCall[] {
  return lowerGather(gatherBackward(op), facts, variant);
}

/** Every output's gradient is spread to what it was summed from, in doubles. */
export function referenceConvInputGradient(op: ConvInputGradientOp, memory: Memory): void {
  const { conv, dy, norm, target } = op;
  const { kernelSize, stride, padding, inChannels, outChannels } = conv;
  const [gradient, result, weight] = [memory.tensor(dy), memory.tensor(target.dx), memory.words(op.weight)];
  const scale = norm ? memory.words(norm.scale) : null;
  const added = target.add ? memory.tensor(target.add) : null;
  const mask = target.mask ? memory.tensor(target.mask) : null;
  const [inStride, outStride] = [strideOf(inChannels), strideOf(outChannels)];
  const sums = new Float64Array(result.length);
  dy.levels.forEach((from, level) => {
    const to = target.dx.levels[level]!;
    for (let row = 0; row < dy.tensor.batch * from.height * from.width; row++) {
      const column = row % from.width;
      const line = Math.floor(row / from.width) % from.height;
      const image = Math.floor(row / (from.width * from.height));
      const source = (from.firstRow + row) * outStride;
      for (let tap = 0; tap < kernelSize ** 2; tap++) {
        const ty = line * stride - padding + Math.floor(tap / kernelSize);
        const tx = column * stride - padding + (tap % kernelSize);
        if (ty < 0 || ty >= to.height || tx < 0 || tx >= to.width) continue;
        const at = (to.firstRow + (image * to.height + ty) * to.width + tx) * inStride;
        for (let c = 0; c < inChannels; c++) {
          const filter = (tap * inStride + c) * outStride;
          let sum = 0;
          for (let o = 0; o < outChannels; o++) {
            sum += gradient[source + o]! * (scale ? scale[o]! : 1) * weight[filter + o]!;
          }
          sums[at + c]! += sum;
        }
      }
    }
  });
  for (const { firstRow, height, width } of target.dx.levels) {
    const end = (firstRow + target.dx.tensor.batch * height * width) * inStride;
    for (let at = firstRow * inStride; at < end; at++) {
      const value = sums[at]! + (added ? added[at]! : 0);
      result[at] = mask && !(mask[at]! > 0) ? 0 : value;
    }
  }
}
