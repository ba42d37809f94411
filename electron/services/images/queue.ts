/** Decoding in turn: what a person waits for goes first, then training, and neither that nor the rest takes the last place. */
import { availableParallelism } from 'node:os';
import sharp from 'sharp';

const lanes = ['interactive', 'training', 'background'] as const;
export type Lane = (typeof lanes)[number];

export class DecodeQueue {
  readonly #slots: number;
  readonly #waiting: Record<Lane, (() => void)[]> = { interactive: [], training: [], background: [] };
  readonly #running: Record<Lane, number> = { interactive: 0, training: 0, background: 0 };

  constructor(slots: number) {
    this.#slots = slots;
  }

  async run<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    if (this.#hasRoom(lane)) this.#running[lane]++;
    // Whoever leaves hands its place over, so that nobody can slip in between.
    else await new Promise<void>((resume) => this.#waiting[lane].push(resume));
    try {
      return await work();
    } finally {
      this.#running[lane]--;
      this.#next();
    }
  }

  #hasRoom(lane: Lane): boolean {
    const { interactive, training, background } = this.#running;
    if (interactive + training + background >= this.#slots) return false;
    return lane === 'interactive' || training + background < Math.max(1, this.#slots - 1);
  }

  #next(): void {
    for (const lane of lanes) {
      while (this.#waiting[lane].length > 0 && this.#hasRoom(lane)) {
        this.#running[lane]++;
        this.#waiting[lane].shift()!();
      }
    }
  }
}

// One thread an image and several images at once: libvips' own threads would only wait for each other.
sharp.concurrency(1);
sharp.cache(false);

/** The process's one queue: sharp decodes on libuv's pool, which has four threads. */
export const decodeQueue = new DecodeQueue(Math.min(4, Math.max(2, availableParallelism())));
