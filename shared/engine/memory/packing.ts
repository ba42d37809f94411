/** Laying blocks that live for a while into as little memory as can be found: first fit in several orders, the best is kept. */
import { alignUp } from '../plan/tensor.ts';

export interface Block {
  readonly words: number;
  /** First and last moment at which it is alive, both included. */
  readonly from: number;
  readonly to: number;
}

/** Where a block lies: in which slab, and where in it. */
export interface Place {
  readonly slab: number;
  readonly offsetWords: number;
}

export interface Packing {
  /** As `blocks`. */
  readonly places: readonly Place[];
  readonly slabWords: readonly number[];
}

/** Bindings begin at multiples of 256 bytes. */
export const alignmentWords = 64;

/** How often what lies on top is moved to the front of the order, to see whether the whole becomes lower. */
const promotions = 24;

/** No slab is longer than `slabLimitWords`, but for a block that alone is. */
export function pack(blocks: readonly Block[], slabLimitWords: number): Packing {
  let best = orders(blocks)
    .map((order) => ({ order, packing: packInOrder(blocks, order, slabLimitWords) }))
    .reduce((a, b) => (total(b.packing) < total(a.packing) ? b : a));
  for (let round = 0; round < promotions && total(best.packing) > mostAlive(blocks); round++) {
    const top = best.order.filter((index) => endsItsSlab(blocks[index]!, best.packing, index));
    const order = [...top, ...best.order.filter((index) => !top.includes(index))];
    const packing = packInOrder(blocks, order, slabLimitWords);
    if (total(packing) > total(best.packing)) break;
    best = { order, packing };
  }
  return best.packing;
}

/** What no packing can be smaller than: the most that is alive at one moment. */
export function mostAlive(blocks: readonly Block[]): number {
  const changes = blocks.flatMap(({ words, from, to }) => {
    const size = alignUp(words, alignmentWords);
    return [
      { at: from, words: size },
      { at: to + 1, words: -size },
    ];
  });
  changes.sort((a, b) => a.at - b.at || a.words - b.words);
  let alive = 0;
  let most = 0;
  for (const change of changes) {
    alive += change.words;
    most = Math.max(most, alive);
  }
  return most;
}

function total({ slabWords }: Packing): number {
  return slabWords.reduce((sum, words) => sum + words, 0);
}

function endsItsSlab({ words }: Block, { places, slabWords }: Packing, index: number): boolean {
  const { slab, offsetWords } = places[index]!;
  return offsetWords + alignUp(words, alignmentWords) === slabWords[slab];
}

/** Large first, long-lived first, both, and as they come: each is the best for some networks. */
function orders(blocks: readonly Block[]): number[][] {
  const life = ({ from, to }: Block) => to - from + 1;
  const weights: readonly ((block: Block) => number)[] = [
    ({ words }) => -words,
    (block) => -life(block),
    (block) => -life(block) * block.words,
    ({ from }) => from,
    ({ to }) => -to,
  ];
  return weights.map((weightOf) =>
    blocks
      .map((_, index) => index)
      .sort(
        (a, b) => weightOf(blocks[a]!) - weightOf(blocks[b]!) || blocks[b]!.words - blocks[a]!.words || a - b,
      ),
  );
}

function packInOrder(blocks: readonly Block[], order: readonly number[], limit: number): Packing {
  const places: Place[] = new Array(blocks.length);
  const slabs: { words: number; placed: number[] }[] = [];
  for (const index of order) {
    const block = blocks[index]!;
    const words = alignUp(block.words, alignmentWords);
    for (let at = 0; ; at++) {
      slabs[at] ??= { words: 0, placed: [] };
      const slab = slabs[at]!;
      const offsetWords = lowestGap(block, words, slab.placed, blocks, places);
      if (offsetWords + words > limit && offsetWords > 0) continue;
      places[index] = { slab: at, offsetWords };
      insertByOffset(slab.placed, index, places);
      slab.words = Math.max(slab.words, offsetWords + words);
      break;
    }
  }
  return { places, slabWords: slabs.map(({ words }) => words) };
}

/** The lowest offset at which the block meets none of those placed that are alive together with it; `placed` by offset. */
function lowestGap(
  { from, to }: Block,
  words: number,
  placed: readonly number[],
  blocks: readonly Block[],
  places: readonly Place[],
): number {
  let at = 0;
  for (const index of placed) {
    const other = blocks[index]!;
    if (other.to < from || other.from > to) continue;
    const { offsetWords } = places[index]!;
    if (offsetWords - at >= words) break;
    at = Math.max(at, offsetWords + alignUp(other.words, alignmentWords));
  }
  return at;
}

function insertByOffset(placed: number[], index: number, places: readonly Place[]): void {
  const { offsetWords } = places[index]!;
  let at = placed.length;
  while (at > 0 && places[placed[at - 1]!]!.offsetWords > offsetWords) at--;
  placed.splice(at, 0, index);
}
