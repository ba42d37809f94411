/** Norms of fixed statistics whose weight and bias learn, as scale and shift: all of a network in one dispatch. */
import type { BufferRef, KernelCall } from '../../plan/call.ts';
import type { FoldNormsOp } from '../../plan/ops.ts';
import { alignUp, strideOf } from '../../plan/tensor.ts';
import { Kernel } from '../kernel.ts';
import { keyOf, type Memory } from '../memory.ts';
import { type DeviceFacts, flatMain, flatWorkgroups } from '../wgsl.ts';

/**
 * All scales and shifts, fixed and folded, are of one state buffer, and weights and biases of one arena: both are bound as a whole, and
 * a table says where each norm's vectors begin.
 */
export function lowerFoldNorms({ norms }: FoldNormsOp, facts: DeviceFacts): KernelCall[] {
  if (norms.length === 0) return [];
  const learnt = span(norms.flatMap(({ weight, bias }) => [weight, bias]));
  const vectors = span(
    norms.flatMap(({ fixed, folded }) => [fixed, folded]).flatMap(({ scale, shift }) => [scale, shift]),
  );
  const foursFrom = (range: BufferRef, { offsetWords }: BufferRef) => (offsetWords - range.offsetWords) / 4;
  let fours = 0;
  const table = norms.flatMap(({ channels, weight, bias, fixed, folded }) => {
    const first = fours;
    fours += strideOf(channels) / 4;
    return [
      ...[first, foursFrom(learnt, weight), foursFrom(learnt, bias), 0],
      ...[fixed.scale, fixed.shift, folded.scale, folded.shift].map((ref) => foursFrom(vectors, ref)),
    ];
  });
  const kernel = new Kernel();
  kernel.words('learnt', 'vec4<f32>', learnt, 'read');
  kernel.words('vectors', 'vec4<f32>', vectors, 'read-write');
  kernel.uniforms(`norms: array<array<vec4<u32>, 2>, ${norms.length}>, fours: u32`, [...table, fours]);
  const code = `
fn compute(index: u32) {
  var norm = 0u;
  for (var step = ${2 ** Math.floor(Math.log2(norms.length))}u; step > 0u; step /= 2u) {
    let next = norm + step;
    if (next < ${norms.length}u && g.norms[min(next, ${norms.length - 1}u)][0].x <= index) { norm = next; }
  }
  let four = index - g.norms[norm][0].x;
  let weight = learnt[g.norms[norm][0].y + four];
  let bias = learnt[g.norms[norm][0].z + four];
  let at = g.norms[norm][1] + four;
  vectors[at.z] = weight * vectors[at.x];
  vectors[at.w] = bias + weight * vectors[at.y];
}
${flatMain('g.fours', facts)}`;
  return [kernel.call('fold norms', code, flatWorkgroups(fours, facts), fours * 12)];
}

/** The range that holds all of these, which are of one buffer. */
function span(refs: readonly BufferRef[]): BufferRef {
  const [first] = refs;
  if (refs.some((ref) => keyOf(ref) !== keyOf(first!)))
    throw new Error('Norms are folded within one buffer.');
  const offsetWords = Math.min(...refs.map((ref) => ref.offsetWords));
  const end = Math.max(...refs.map((ref) => ref.offsetWords + ref.words));
  return { ...first!, offsetWords, words: alignUp(end - offsetWords, 4) };
}

export function referenceFoldNorms({ norms }: FoldNormsOp, memory: Memory): void {
  for (const { weight, bias, fixed, folded } of norms) {
    const [weights, biases] = [memory.words(weight), memory.words(bias)];
    const [fixedScale, fixedShift] = [memory.words(fixed.scale), memory.words(fixed.shift)];
    memory.words(folded.scale).set(weights.map((value, c) => value * fixedScale[c]!));
    memory.words(folded.shift).set(biases.map((value, c) => value + weights[c]! * fixedShift[c]!));
  }
}
