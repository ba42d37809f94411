/** Which part of the arena is whose, and when: from the dispatches alone. */
import type { KernelCall } from '../plan/call.ts';
import { type Block, mostAlive, type Place, pack } from './packing.ts';

export interface ArenaPlan {
  /** Of all slabs together. */
  readonly words: number;
  /** Each a buffer of its own: one, unless one would be longer than the device allows. */
  readonly slabWords: readonly number[];
  readonly places: ReadonlyMap<string, Place>;
  /** The most that is alive during one dispatch: no plan needs less. */
  readonly aliveWords: number;
}

export interface Life extends Block {
  readonly id: string;
}

/**
 * From the first call that names an id to the last one. An id that a call reads before any has written it was written by the
 * host, before the first call; one that is `pinned` is read by the host, after the last.
 */
export function livesOf(calls: readonly KernelCall[], pinned: ReadonlySet<string>): Life[] {
  const lives = new Map<string, { id: string; words: number; from: number; to: number }>();
  calls.forEach(({ bindings }, at) => {
    for (const { ref, access } of bindings) {
      if (ref.kind !== 'arena') continue;
      const words = ref.offsetWords + ref.words;
      const life = lives.get(ref.id);
      if (life) {
        life.words = Math.max(life.words, words);
        life.to = at;
      } else lives.set(ref.id, { id: ref.id, words, from: access === 'read' ? 0 : at, to: at });
    }
  });
  const end = calls.length - 1;
  return [...lives.values()].map((life) => (pinned.has(life.id) ? { ...life, to: end } : life));
}

/** Every id's place; ids that are alive together never overlap. `slabLimitWords`: what one buffer of the device may hold. */
export function planArena(
  calls: readonly KernelCall[],
  pinned: ReadonlySet<string> = new Set(),
  slabLimitWords = Number.POSITIVE_INFINITY,
): ArenaPlan {
  const lives = livesOf(calls, pinned);
  const { places, slabWords } = pack(lives, slabLimitWords);
  return {
    words: slabWords.reduce((sum, words) => sum + words, 0),
    slabWords,
    places: new Map(lives.map(({ id }, index) => [id, places[index]!])),
    aliveWords: mostAlive(lives),
  };
}
