/** What a plan takes of a device's memory, buffer by buffer: known before a device is asked for any of it. */
import type { BufferRef, KernelCall } from '../plan/call.ts';
import { cut, pieceWords, type RangeLimits, unlimited } from '../plan/cuts.ts';
import { alignUp } from '../plan/tensor.ts';
import { type ArenaPlan, planArena } from './arena.ts';

export interface PlanBytes {
  /** Activations, their gradients, scratch. */
  readonly arena: number;
  /** Weights, gradients and momentum: the same for every batch. */
  readonly parameters: number;
  /** Targets, settings, figures, and the uniforms of the calls. */
  readonly state: number;
  readonly total: number;
  readonly largestBuffer: number;
  /** Of what one dispatch binds at once as one range. */
  readonly largestBinding: number;
}

/** Each call's uniforms begin at a multiple of this. */
export const uniformStepBytes = 256;

export function uniformBytes(calls: readonly KernelCall[]): number {
  return calls.reduce((sum, { uniforms }) => sum + alignUp(uniforms?.byteLength ?? 0, uniformStepBytes), 0);
}

export function refsOf(calls: readonly KernelCall[]): BufferRef[] {
  return calls.flatMap(({ bindings }) => bindings.map(({ ref }) => ref));
}

/** Words of every buffer that is not the arena, under `keyOfBuffer`. */
export function bufferWords(refs: readonly BufferRef[], limits: RangeLimits): Map<string, number> {
  const piece = pieceWords(limits);
  const sizes = new Map<string, number>();
  for (const ref of refs) {
    if (ref.kind === 'arena') continue;
    for (const { key, offsetWords, words } of inBuffers(ref, piece)) {
      sizes.set(key, Math.max(sizes.get(key) ?? 0, offsetWords + words));
    }
  }
  return sizes;
}

/**
 * The buffers that a range of state or parameters lies in, and where in them: mostly one, several where no buffer can hold all of the
 * parameters.
 */
export function inBuffers(
  ref: BufferRef,
  piece: number,
): { readonly key: string; readonly offsetWords: number; readonly words: number }[] {
  const { kind, offsetWords, words } = ref;
  // State buffers by their ids, behind a word that no arena is called by.
  if (kind === 'state') return [{ key: `state ${ref.id}`, offsetWords, words }];
  return cut(ref, piece).map((part) => {
    const index = Math.floor(part.offsetWords / piece);
    return {
      key: index === 0 ? kind : `${kind} ${index}`,
      offsetWords: part.offsetWords % piece,
      words: part.words,
    };
  });
}

export function planBytes(
  calls: readonly KernelCall[],
  pinned: ReadonlySet<string> = new Set(),
  limits: RangeLimits = unlimited,
  arena: ArenaPlan = planArena(calls, pinned, limits.maxBufferBytes / 4),
): PlanBytes {
  const buffers = [...bufferWords(refsOf(calls), limits)].map(([key, words]) => ({ key, bytes: words * 4 }));
  const isState = ({ key }: { key: string }) => key.startsWith('state ');
  const sum = (parts: readonly { bytes: number }[]) => parts.reduce((bytes, part) => bytes + part.bytes, 0);
  const parameters = sum(buffers.filter((each) => !isState(each)));
  const state = sum(buffers.filter(isState)) + uniformBytes(calls);
  return {
    arena: arena.words * 4,
    parameters,
    state,
    total: arena.words * 4 + parameters + state,
    largestBuffer: largest([
      ...arena.slabWords.map((words) => words * 4),
      ...buffers.map(({ bytes }) => bytes),
    ]),
    largestBinding: largest(refsOf(calls).map(({ words }) => words * 4)),
  };
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
