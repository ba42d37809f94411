/** Dispatches small enough to follow by hand: what the runtime's tests make plans of. */
import type { BufferRef, KernelCall } from '../../../shared/engine/plan/call.ts';
import { words } from '../../../shared/engine/plan/call.ts';

export function arenaRef(id: string, length: number): BufferRef {
  return { kind: 'arena', id, offsetWords: 0, words: length };
}

export function stateRef(id: string, length: number): BufferRef {
  return { kind: 'state', id, offsetWords: 0, words: length };
}

/** `to[i] = from[i] * factor + to[i] * keep`, `rounds` times over: a call as long as one likes. */
export function scale(
  from: BufferRef,
  to: BufferRef,
  factor: number,
  { keep = 0, rounds = 1 } = {},
): KernelCall {
  const mode = from.kind === 'arena' ? 'read_write' : 'read';
  return {
    label: 'scale',
    code: `
@group(0) @binding(0) var<storage, ${mode}> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
struct Numbers { factor: f32, keep: f32, rounds: u32, first: u32 }
@group(0) @binding(2) var<uniform> numbers: Numbers;
@compute @workgroup_size(16) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x + numbers.first * 16u;
  if (at >= arrayLength(&target_)) { return; }
  for (var round = 0u; round < numbers.rounds; round++) {
    target_[at] = source[at] * numbers.factor + target_[at] * numbers.keep;
  }
}`,
    bindings: [
      { ref: from, access: 'read' },
      { ref: to, access: 'read-write' },
    ],
    uniforms: words([{ f32: factor }, { f32: keep }, rounds, 0]),
    workgroups: [Math.ceil(to.words / 16), 1, 1],
    sliceWord: 3,
    flops: 3 * to.words * rounds,
  };
}

export function floats(read: Uint32Array): number[] {
  return [...new Float32Array(read.buffer, 0, read.length)];
}
