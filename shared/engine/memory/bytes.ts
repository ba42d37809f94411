/** What a plan takes of a device's memory, buffer by buffer: known before a device is asked for any of it. */
import type { BufferRef, KernelCall } from '../plan/call.ts';
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
export function bufferWords(refs: readonly BufferRef[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const ref of refs) {
    if (ref.kind === 'arena') continue;
    const key = keyOfBuffer(ref);
    sizes.set(key, Math.max(sizes.get(key) ?? 0, ref.offsetWords + ref.words));
  }
  return sizes;
}

/** State buffers by their ids, behind a word that no arena is called by. */
export function keyOfBuffer(ref: BufferRef): string {
  return ref.kind === 'state' ? `state ${ref.id}` : ref.kind;
}

export function planBytes(
  calls: readonly KernelCall[],
  pinned: ReadonlySet<string> = new Set(),
  slabLimitBytes = Number.POSITIVE_INFINITY,
  arena: ArenaPlan = planArena(calls, pinned, slabLimitBytes / 4),
): PlanBytes {
  const buffers = [...bufferWords(refsOf(calls))].map(([key, words]) => ({ key, bytes: words * 4 }));
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
