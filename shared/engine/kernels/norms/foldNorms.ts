/** Norms of fixed statistics whose weight and bias learn, as scale and shift: all of a network in one dispatch. */
import type { KernelCall } from '../../plan/call.ts';
import type { FoldNormsOp } from '../../plan/ops.ts';
import type { Memory } from '../memory.ts';
import type { DeviceFacts } from '../wgsl.ts';

/** All scales and shifts, fixed and folded, are of one state buffer. */
export function lowerFoldNorms(_op: FoldNormsOp, _facts: DeviceFacts): KernelCall[] {
  return [];
}

export function referenceFoldNorms({ norms }: FoldNormsOp, memory: Memory): void {
  for (const { weight, bias, fixed, folded } of norms) {
    const [weights, biases] = [memory.words(weight), memory.words(bias)];
    const [fixedScale, fixedShift] = [memory.words(fixed.scale), memory.words(fixed.shift)];
    memory.words(folded.scale).set(weights.map((value, c) => value * fixedScale[c]!));
    memory.words(folded.shift).set(biases.map((value, c) => value + weights[c]! * fixedShift[c]!));
  }
}
