/** Draws for the mutators. */
import type { RandomStream } from '../../shared/domain/random.ts';

/** What numbers go wrong at: the edges of every width, and small ones. */
export const interestingNumbers: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 8n, 64n, 127n, 128n, 255n, 256n, 65535n, 65536n],
  ...[
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n,
    2n ** 62n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ],
];

export function pick<Item>(random: RandomStream, items: readonly Item[]): Item {
  return items[random.integer(items.length)]!;
}

export function chance(random: RandomStream, probability: number): boolean {
  return random.uniform() < probability;
}
