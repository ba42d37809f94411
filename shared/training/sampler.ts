/**
 * Which image every slot of every step's batch holds, as a pure function of the step: a run that resumes at step 21 draws
 * what it would have drawn without the interruption, and nothing but the step has to be saved.
 */
import { fnv1a32, RandomStream, shuffledIndices, uniformAt } from '../domain/random.ts';

export interface SamplerOptions {
  readonly count: number;
  readonly batch: number;
  readonly shuffle: boolean;
  readonly seed: number;
}

/** A slot of a batch: which image, and which draw of the run it is (0-based, over all epochs). */
export interface Draw {
  readonly imageIndex: number;
  readonly draw: number;
}

export class Sampler {
  readonly #options: SamplerOptions;
  #epoch = -1;
  #order: number[] = [];

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** The draws of a step (1-based). Batches run on over the end of an epoch. */
  batchAt(step: number): Draw[] {
    const first = (step - 1) * this.#options.batch;
    return Array.from({ length: this.#options.batch }, (_, slot) => ({
      imageIndex: this.imageAt(first + slot),
      draw: first + slot,
    }));
  }

  /** The image of one draw: every epoch is a permutation of its own. */
  imageAt(draw: number): number {
    const { count, shuffle } = this.#options;
    if (!shuffle) return draw % count;
    this.#turnTo(Math.floor(draw / count));
    return this.#order[draw % count]!;
  }

  #turnTo(epoch: number): void {
    if (epoch === this.#epoch) return;
    const stream = new RandomStream(`sampler/${this.#options.seed}/epoch/${epoch}`);
    this.#order = shuffledIndices(stream, this.#options.count);
    this.#epoch = epoch;
  }
}

/** Whether a draw's image is mirrored: a coin of its own for every seed, draw and image. */
export function isFlipped(seed: number, draw: number, imageId: string): boolean {
  return uniformAt(fnv1a32(`flip/${seed}/${imageId}`), draw) < 0.5;
}
