/**
 * Sums without float atomics: every thread sums its share in an order that never changes. On a GPU a workgroup then brings its threads'
 * sums together; on a software adapter, where a barrier costs more than it saves, every thread hands over its own.
 */
import type { DeviceFacts } from './wgsl.ts';

export interface Reduction {
  readonly groupSize: number;
  readonly groups: number;
  readonly threads: number;
  /** Sums that are handed over: one for each group, or for each thread. */
  readonly partials: number;
}

export function reductionOf({ software }: Pick<DeviceFacts, 'software'>): Reduction {
  if (software) return { groupSize: 16, groups: 32, threads: 512, partials: 512 };
  return { groupSize: 256, groups: 64, threads: 64 * 256, partials: 64 };
}

/**
 * An entry point for the workgroups of `reductionOf`. `sum`: statements that make `total: f32` out of what `index: u32`, one of
 * `threads`, has to sum; `write`: what becomes of `total`, the sum of partial `partial: u32`.
 */
export function reductionMain(facts: DeviceFacts, sum: string, write: string): string {
  const { groupSize } = reductionOf(facts);
  const inputs = '@builtin(global_invocation_id) id: vec3<u32>';
  if (facts.software) {
    return `
@compute @workgroup_size(${groupSize})
fn main(${inputs}) {
  let index = id.x;
  let partial = index;
  ${sum}
  ${write}
}`;
  }
  return `
${groupSumText(groupSize)}
@compute @workgroup_size(${groupSize})
fn main(${inputs}, @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = id.x;
  let partial = group.x;
  ${sum}
  total = groupSum(total, local);
  if (local == 0u) { ${write} }
}`;
}

/** An entry point for the same workgroups where nothing is handed over: `work` is told `index: u32`, one of `threads`. */
export function sharesMain(facts: DeviceFacts, work: string): string {
  return `
@compute @workgroup_size(${reductionOf(facts).groupSize})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let index = id.x;
  ${work}
}`;
}

/** `groupSum(value, local)`: the sum of a workgroup's values, for its first thread. */
export function groupSumText(groupSize: number): string {
  return `
var<workgroup> shares: array<f32, ${groupSize}>;
fn groupSum(value: f32, local: u32) -> f32 {
  shares[local] = value;
  for (var half = ${groupSize / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { shares[local] += shares[local + half]; }
  }
  return shares[local];
}`;
}

/** `isFinite(x)`, by its bits: a compiler may take it for granted that no float is anything else. */
export const isFiniteText = `
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`;
