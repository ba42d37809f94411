/** Text that every kernel is made of. */
import type { Binding } from '../plan/call.ts';
import { strideOf, type TensorSpec, type TensorView } from '../plan/tensor.ts';

/** What kernels may know of the device they are written for. */
export interface DeviceFacts {
  /** The CPU plays the GPU: no workgroup memory (a barrier costs a context switch there), small workgroups, few threads. */
  readonly software: boolean;
  readonly maxWorkgroupsPerDimension: number;
  readonly maxWorkgroupStorageBytes: number;
  readonly maxInvocationsPerWorkgroup: number;
  /** Of one range of a buffer: what is longer is computed in several dispatches, with the same sums. */
  readonly maxBindingBytes: number;
  /** How many threads may hand each other values without memory; null where they can't. */
  readonly subgroups: SubgroupSizes | null;
  /** Products of small matrices that a subgroup computes at once; none unless they were asked for. */
  readonly matrices: readonly MatrixShape[];
}

export interface SubgroupSizes {
  readonly min: number;
  readonly max: number;
}

/** `left` [m, k] by `right` [k, n], both of `component`, summed up in `result`. */
export interface MatrixShape {
  readonly component: 'f16' | 'f32';
  readonly result: 'f16' | 'f32';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Threads of a workgroup for kernels in which each works alone. */
export function flatWorkgroupSize({ software }: Pick<DeviceFacts, 'software'>): number {
  return software ? 16 : 64;
}

/** Threads that leave no part of the device idle: what a reduction that shares its work out as it likes should have about. */
export function busyThreads({ software }: Pick<DeviceFacts, 'software'>): number {
  return software ? 512 : 16384;
}

/** Workgroups for so many threads in a row, folded into y where x does not hold them; the kernel takes its index from `flatMain`. */
export function flatWorkgroups(threads: number, facts: DeviceFacts): [x: number, y: number, z: number] {
  const groups = Math.max(1, Math.ceil(threads / flatWorkgroupSize(facts)));
  const x = Math.min(groups, facts.maxWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x), 1];
}

/**
 * An entry point that calls `compute(index: u32)` for every index below `threads`, an expression; so is `firstGroup`, the workgroup that
 * a slice of the dispatch begins with.
 */
export function flatMain(threads: string, facts: DeviceFacts, firstGroup?: string): string {
  const size = flatWorkgroupSize(facts);
  return `
@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.y * groups.x * ${size}u + id.x${firstGroup ? ` + ${firstGroup} * ${size}u` : ''};
  if (index < ${threads}) { compute(index); }
}`;
}

/** `array<T>` as binding `index`; what lies in the arena is one buffer, and so always `read_write`. */
export function declareStorage(index: number, name: string, type: string, { ref, access }: Binding): string {
  const mode = ref.kind === 'arena' || access === 'read-write' ? 'read_write' : 'read';
  return `@group(0) @binding(${index}) var<storage, ${mode}> ${name}: array<${type}>;`;
}

/** The call's own uniforms, as a struct of scalars: `declareUniforms(3, 'g', 'rows: u32, width: u32')`. */
export function declareUniforms(index: number, name: string, members: string): string {
  const type = `${name.toUpperCase()}_Uniforms`;
  return `struct ${type} { ${members} }\n@group(0) @binding(${index}) var<uniform> ${name}: ${type};`;
}

/** Type of a tensor's elements in WGSL: four channels each. */
export function elementType({ storage }: Pick<TensorSpec, 'storage'>): 'vec4<f32>' | 'vec2<u32>' {
  return storage === 'f16' ? 'vec2<u32>' : 'vec4<f32>';
}

/** Four channels of a tensor: an expression of type `vec4<f32>`; `at` counts in fours. */
export function load4({ storage }: Pick<TensorSpec, 'storage'>, name: string, at: string): string {
  if (storage === 'f32') return `${name}[${at}]`;
  return `vec4<f32>(unpack2x16float(${name}[${at}].x), unpack2x16float(${name}[${at}].y))`;
}

/**
 * A statement that writes four channels. What is too large for a half becomes the largest there is: WGSL leaves that to the device, and
 * the nearest number serves a step better than none. What is no number, or infinite, becomes no number, so that a step that has gone
 * wrong is seen. All by its bits: devices do what they like with infinities here, and compilers may take it that there are none.
 */
export function store4(
  { storage }: Pick<TensorSpec, 'storage'>,
  name: string,
  at: string,
  value: string,
): string {
  if (storage === 'f32') return `${name}[${at}] = ${value};`;
  return `{
    let bits = bitcast<vec4<u32>>(${value});
    let size = bits & vec4<u32>(0x7fffffffu);
    let near = bitcast<vec4<f32>>(min(size, vec4<u32>(${largestHalf})) | (bits ^ size));
    let none = select(vec4<u32>(), vec4<u32>(${noHalf}), size >= vec4<u32>(${infinity}));
    ${name}[${at}] = vec2<u32>(pack2x16float(near.xy), pack2x16float(near.zw)) | none.xz | none.yw;
  }`;
}

/** As a float's bits: 65504, and infinity. */
const largestHalf = '0x477fe000u';
const infinity = '0x7f800000u';

/** Of both halves of a word, twice: the bit that makes no number of the largest. */
const noHalf = '0x400u, 0x4000000u, 0x400u, 0x4000000u';

/** `relu(x)`. Not `max`, of which most GPUs make zero out of what is no number: a step that is not finite would go unnoticed. */
export const reluText = `
fn relu(x: vec4<f32>) -> vec4<f32> { return select(x, vec4<f32>(), x < vec4<f32>()); }`;

/** Fours of channels in a row. */
export function foursOf({ tensor }: TensorView): number {
  return strideOf(tensor.channels) / 4;
}

/** `line(0)` … of a count, for unrolling. */
export function unroll(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}
