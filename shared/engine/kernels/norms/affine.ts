/** A norm of fixed statistics that follows no convolution, forward and backward. */
import type { KernelCall } from '../../plan/call.ts';
import type { AffineGradientOp, AffineOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { Memory } from '../memory.ts';
import { imagesOf } from '../rows.ts';
import { referenceTarget } from '../sums/target.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { addTo } from './groupNormGradient.ts';

export function lowerAffine(_op: AffineOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function lowerAffineGradient(_op: AffineGradientOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceAffine({ x, norm, relu, y }: AffineOp, memory: Memory): void {
  const stride = strideOf(x.tensor.channels);
  const source = memory.tensor(x);
  const [scale, shift] = [memory.words(norm.scale), memory.words(norm.shift)];
  const to = memory.tensor(y);
  for (const { firstRow, rows } of imagesOf(x)) {
    for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
      const value = source[at]! * scale[at % stride]! + shift[at % stride]!;
      to[at] = relu ? Math.max(value, 0) : value;
    }
  }
}

export function referenceAffineGradient(op: AffineGradientOp, memory: Memory): void {
  const { x, dy, norm, learnt, target } = op;
  const stride = strideOf(x.tensor.channels);
  const source = memory.tensor(x);
  const gradient = memory.tensor(dy);
  const scale = memory.words(norm.scale);
  const dx = Float64Array.from(gradient, (value, at) => value * scale[at % stride]!);
  if (learnt) {
    const [dScale, dShift] = [new Float64Array(stride), new Float64Array(stride)];
    for (const { firstRow, rows } of imagesOf(x)) {
      for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
        dScale[at % stride]! += gradient[at]! * source[at]!;
        dShift[at % stride]! += gradient[at]!;
      }
    }
    const [fixedScale, fixedShift] = [memory.words(learnt.fixed.scale), memory.words(learnt.fixed.shift)];
    const dWeight = dScale.map((value, c) => value * fixedScale[c]! + dShift[c]! * fixedShift[c]!);
    addTo(memory, learnt.weightGradient, dWeight);
    addTo(memory, learnt.biasGradient, dShift);
  }
  if (target) referenceTarget(target, memory, dx);
}
