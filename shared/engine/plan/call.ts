/** One dispatch as data: what kernels are lowered to, memory is planned from, and a device encodes. */
import { rowWords, type TensorView, wordsOf } from './tensor.ts';

/**
 * A range of 4-byte words. `arena`: memory that is reused as soon as no later dispatch of the plan reads it; what it holds at first is
 * anything. `weights`, `gradients`, `momentum`: the flat arenas of the parameters, whole or a slice. `state`: a buffer of its own
 * that outlives the step (targets, settings, histogram, figures to be read).
 */
export type BufferRef = WordRange &
  ({ readonly kind: 'arena' | 'state'; readonly id: string } | { readonly kind: ParameterArena });

export type ParameterArena = 'weights' | 'gradients' | 'momentum';

export interface WordRange {
  /** From the beginning of the tensor, the arena or the buffer; a multiple of 64. */
  readonly offsetWords: number;
  readonly words: number;
}

export interface Binding {
  readonly ref: BufferRef;
  /** `uniform`: of `state` alone. */
  readonly access: 'read' | 'read-write' | 'uniform';
}

/**
 * `bindings[i]` is `@group(0) @binding(i)`; `uniforms`, where there are any, come after the last of them. Everything in the arena
 * is declared `read_write` whatever the access, for it is one buffer (`declareStorage`).
 */
export interface KernelCall {
  /** For people: the kernel and its shape, `conv 3x3 256>256`. Calls that do the same kind of work bear the same label. */
  readonly label: string;
  /** Whole WGSL, entry point `main`. Calls of equal text share a pipeline: channels are baked in, sizes of frames come as uniforms. */
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Words of the call's own uniform struct, made by `words`; fixed for the plan. */
  readonly uniforms: Uint32Array | null;
  readonly workgroups: readonly [x: number, y: number, z: number];
  /** Index in `uniforms` of the first workgroup along x, 0 unless the call is a slice: where there is one, the dispatch can be made in slices (`sliceCall`). */
  readonly sliceWord?: number;
  /** Multiplications and additions, for throughput and for splitting submits by their length. */
  readonly flops: number;
}

export function bindView(view: TensorView, access: 'read' | 'read-write'): Binding {
  const offsetWords = view.startRow * rowWords(view.tensor);
  return { ref: { kind: 'arena', id: view.tensor.id, offsetWords, words: wordsOf(view) }, access };
}

/** A part of the arena that is no tensor: partial sums, statistics. */
export function bindScratch(id: string, words: number, access: 'read' | 'read-write'): Binding {
  return { ref: { kind: 'arena', id, offsetWords: 0, words }, access };
}

export function bindState(id: string, words: number, access: Binding['access']): Binding {
  return { ref: { kind: 'state', id, offsetWords: 0, words }, access };
}

/** Words of a uniform struct: `{ f32: x }` for floats, plain numbers for u32 and i32. Padded to a multiple of 16 bytes. */
export function words(values: readonly (number | { readonly f32: number })[]): Uint32Array {
  const buffer = new Uint32Array(Math.ceil(values.length / 4) * 4);
  const floats = new Float32Array(buffer.buffer);
  values.forEach((value, index) => {
    if (typeof value === 'number') buffer[index] = value;
    else floats[index] = value.f32;
  });
  return buffer;
}
