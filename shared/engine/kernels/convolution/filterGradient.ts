/**
 * The gradient of a convolution's filter: for every tap, input and output channel a sum over all pixels of all images and levels. Where
 * the filter alone has too few threads for the device, the pixels are shared out: partial sums in the arena, added up in a fixed order
 * by a second dispatch. No atomics, so that two runs give the same bytes.
 */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { filterMatrixTiles, lowerFilterMatrix } from './filterGradientMatrix.ts';
import { lowerNormGradient, lowerPartialSums } from './filterGradientReduce.ts';
import { lowerRegisters, type RegisterTile, registerTiles } from './filterGradientRegisters.ts';
import { lowerSubgroups, type SubgroupsTile, subgroupsTiles } from './filterGradientSubgroups.ts';
import { lowerWorkgroup, type WorkgroupTile, workgroupTiles } from './filterGradientWorkgroup.ts';
import type { MatrixTile } from './matrixUnits.ts';

export type FilterVariant = RegisterTile | WorkgroupTile | SubgroupsTile | MatrixTile;

/** Candidates for the tuner; the first is the default. */
export function filterVariants(op: ConvFilterGradientOp, facts: DeviceFacts): FilterVariant[] {
  const [registers, workgroup] = [registerTiles(op), workgroupTiles(op, facts)];
  if (facts.software) return [...registers, ...workgroup];
  const usual: FilterVariant[] = [...workgroup, ...subgroupsTiles(op, facts), ...registers];
  return usual.toSpliced(1, 0, ...filterMatrixTiles(op, facts));
}

/** One dispatch; a second where the pixels are shared out; a third where a norm learns. */
export function lowerConvFilterGradient(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  variant: FilterVariant = filterVariants(op, facts)[0]!,
): KernelCall[] {
  const { main, partials } = lowerMain(op, facts, variant);
  if (!partials) return [main];
  const sums = lowerPartialSums(op, facts, partials);
  return op.normGradient ? [main, sums, lowerNormGradient(op, facts, partials)] : [main, sums];
}

function lowerMain(op: ConvFilterGradientOp, facts: DeviceFacts, variant: FilterVariant) {
  switch (variant.kind) {
    case 'registers':
      return lowerRegisters(op, facts, variant);
    case 'workgroup':
      return lowerWorkgroup(op, facts, variant);
    case 'subgroups':
      return lowerSubgroups(op, facts, variant);
    case 'matrix':
      return lowerFilterMatrix(op, facts, variant);
  }
}

/** Sums in doubles. */
export function referenceConvFilterGradient(op: ConvFilterGradientOp, memory: Memory): void {
  const { conv, dy, norm, normGradient } = op;
  const [inStride, outStride] = [strideOf(conv.inChannels), strideOf(conv.outChannels)];
  const raw = rawGradient(op, memory);
  const scale = norm ? memory.words(norm.scale) : null;
  const gradient = memory.words(op.weightGradient);
  raw.forEach((sum, at) => {
    gradient[at]! += scale ? sum * scale[at % outStride]! : sum;
  });
  const shift = new Float64Array(outStride);
  const gradients = memory.tensor(dy);
  for (const { firstRow, height, width } of dy.levels) {
    const end = (firstRow + dy.tensor.batch * height * width) * outStride;
    for (let at = firstRow * outStride; at < end; at++) shift[at % outStride]! += gradients[at]!;
  }
  const addTo = (into: Float32Array, value: (out: number) => number) => {
    for (let out = 0; out < outStride; out++) into[out]! += value(out);
  };
  if (op.biasGradient) addTo(memory.words(op.biasGradient), (out) => shift[out]!);
  if (!normGradient) return;
  const dScale = new Float64Array(outStride);
  const weight = memory.words(normGradient.convWeight);
  for (let at = 0; at < conv.kernelSize ** 2 * inStride * outStride; at++)
    dScale[at % outStride]! += weight[at]! * raw[at]!;
  const [fixedScale, fixedShift] = [
    memory.words(normGradient.fixed.scale),
    memory.words(normGradient.fixed.shift),
  ];
  addTo(
    memory.words(normGradient.weightGradient),
    (out) => dScale[out]! * fixedScale[out]! + shift[out]! * fixedShift[out]!,
  );
  addTo(memory.words(normGradient.biasGradient), (out) => shift[out]!);
}

/** `sum over pixels of x * dy`, `[tap][strideOf(in)][strideOf(out)]`. */
function rawGradient({ conv, x, dy }: ConvFilterGradientOp, memory: Memory): Float64Array {
  const { kernelSize, stride, padding, inChannels, outChannels } = conv;
  const [inStride, outStride] = [strideOf(inChannels), strideOf(outChannels)];
  const [inputs, gradients] = [memory.tensor(x), memory.tensor(dy)];
  const raw = new Float64Array(kernelSize ** 2 * inStride * outStride);
  dy.levels.forEach((to, level) => {
    const from = x.levels[level]!;
    for (let pixel = 0; pixel < dy.tensor.batch * to.height * to.width; pixel++) {
      const image = Math.floor(pixel / (to.height * to.width));
      const row = Math.floor(pixel / to.width) % to.height;
      for (let tap = 0; tap < kernelSize ** 2; tap++) {
        const sy = row * stride - padding + Math.floor(tap / kernelSize);
        const sx = (pixel % to.width) * stride - padding + (tap % kernelSize);
        if (sy < 0 || sy >= from.height || sx < 0 || sx >= from.width) continue;
        const source = (from.firstRow + (image * from.height + sy) * from.width + sx) * inStride;
        for (let input = 0; input < inChannels; input++) {
          const value = inputs[source + input]!;
          const into = (tap * inStride + input) * outStride;
          for (let out = 0; out < outChannels; out++) {
            raw[into + out]! += value * gradients[(to.firstRow + pixel) * outStride + out]!;
          }
        }
      }
    }
  });
  return raw;
}
