/** Convolution with what follows it: frozen norm or bias, residual, ReLU. */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { gatherForward } from './gather.ts';
import { type ConvVariant, lowerGather, variantsOf } from './gatherVariants.ts';

/** Candidates for the tuner; the first is the default. */
export function convVariants(op: ConvOp, facts: DeviceFacts): ConvVariant[] {
  return variantsOf(gatherForward(op), facts);
}

export function lowerConv(op: ConvOp, facts: DeviceFacts, variant?: ConvVariant): KernelCall[] {
  return lowerGather(gatherForward(op), facts, variant);
}

/** Sums in doubles. */
export function referenceConv(op: ConvOp, memory: Memory): void {
  const { conv, x, y, norm, bias, residual, relu } = op;
  const { kernelSize, stride, padding, inChannels, outChannels } = conv;
  const [input, output, weight] = [memory.tensor(x), memory.tensor(y), memory.words(op.weight)];
  const [scale, shift] = norm ? [memory.words(norm.scale), memory.words(norm.shift)] : [null, null];
  const biases = bias ? memory.words(bias) : null;
  const added = residual ? memory.tensor(residual) : null;
  const [inStride, outStride] = [strideOf(inChannels), strideOf(outChannels)];
  const sums = new Float64Array(outStride);
  y.levels.forEach((to, level) => {
    const from = x.levels[level]!;
    for (let row = 0; row < y.tensor.batch * to.height * to.width; row++) {
      const column = row % to.width;
      const line = Math.floor(row / to.width) % to.height;
      const image = Math.floor(row / (to.width * to.height));
      sums.fill(0);
      for (let tap = 0; tap < kernelSize ** 2; tap++) {
        const sy = line * stride - padding + Math.floor(tap / kernelSize);
        const sx = column * stride - padding + (tap % kernelSize);
        if (sy < 0 || sy >= from.height || sx < 0 || sx >= from.width) continue;
        const source = (from.firstRow + (image * from.height + sy) * from.width + sx) * inStride;
        for (let c = 0; c < inChannels; c++) {
          const value = input[source + c]!;
          const at = (tap * inStride + c) * outStride;
          for (let o = 0; o < outChannels; o++) sums[o]! += value * weight[at + o]!;
        }
      }
      const target = (to.firstRow + row) * outStride;
      for (let o = 0; o < outStride; o++) {
        let value = sums[o]!;
        if (scale && shift) value = value * scale[o]! + shift[o]!;
        if (biases) value += biases[o]!;
        if (added) value += added[target + o]!;
        output[target + o] = relu ? Math.max(0, value) : value;
      }
    }
  });
}
