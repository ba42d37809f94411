/** Decoding in turn: what a person waits for goes first, and background work never takes the last place. */
import { availableParallelism } from 'node:os';
import sharp from 'sharp';

export type Lane = 'interactive' | 'background';

export class DecodeQueue {
  readonly #slots: number;
  readonly #waiting: Record<Lane, (() => void)[]> = { interactive: [], background: [] };
  readonly #running: Record<Lane, number> = { interactive: 0, background: 0 };

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
    const { interactive, background } = this.#running;
    if (interactive + background >= this.#slots) return false;
    return lane === 'interactive' || background < Math.max(1, this.#slots - 1);
  }

  #next(): void {
    for (const lane of ['interactive', 'background'] as const) {
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
