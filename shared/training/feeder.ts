/** What every step is fed: the sampler's images, read, scaled and perhaps mirrored. */
import { Problem } from '../domain/problem.ts';
import type { BatchItem } from './batch.ts';
import type { TrainConfig } from './config.ts';
import type { ImageSource } from './imageSource.ts';
import type { TrainingImage } from './ports.ts';
import { isFlipped, Sampler } from './sampler.ts';

type FeederConfig = Pick<TrainConfig, 'batch' | 'shuffle' | 'seed' | 'augment'>;

export class Feeder {
  readonly #config: FeederConfig;
  readonly #images: readonly TrainingImage[];
  readonly #source: ImageSource;
  readonly #sampler: Sampler;

  constructor(config: FeederConfig, images: readonly TrainingImage[], source: ImageSource) {
    this.#config = config;
    this.#images = images;
    this.#source = source;
    this.#sampler = new Sampler({ ...config, count: images.length });
  }

  /** The images of a step (1-based). Throws `not-found` where none can be read. */
  async itemsOf(step: number): Promise<BatchItem[]> {
    const items: BatchItem[] = [];
    for (const { draw } of this.#sampler.batchAt(step)) items.push(await this.#itemOf(draw));
    return items;
  }

  /** The draw's image, or the next readable one after it: the draws after this one stay as they are. */
  async #itemOf(draw: number): Promise<BatchItem> {
    const { augment, seed } = this.#config;
    for (let ahead = 0; ahead < this.#images.length; ahead++) {
      const image = this.#images[this.#sampler.imageAt(draw + ahead)]!;
      const scaled = await this.#source.load(image);
      if (scaled) return { image, scaled, flip: augment === 'default' && isFlipped(seed, draw, image.id) };
    }
    throw new Problem(
      'not-found',
      `None of the ${this.#images.length} training images can be read.`,
      'Check that the folders the images were added from are still there.',
    );
  }
}
