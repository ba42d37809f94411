/**
 * Images at the network's scale, kept in memory up to a budget: decoding and resizing cost more than a small network's step.
 * An image that cannot be read is named once and left out; the run goes on with the others.
 */
import { preprocessInto, resizedSize, type SizePx } from '../detector/preprocess.ts';
import { Problem, toProblemData } from '../domain/problem.ts';
import type { TrainingImage } from './ports.ts';

export interface ScaledImage {
  readonly size: SizePx;
  /** `[heightPx, widthPx, 3]`, normalised. */
  readonly pixels: Float32Array;
}

export interface ScaleSettings {
  readonly minSizePx: number;
  readonly maxSizePx: number;
}

export interface ImageSourceOptions extends ScaleSettings {
  pixels(imageId: string): Promise<Uint8Array>;
  /** Called once for every image that cannot be read. */
  onUnreadable(image: TrainingImage, reason: string): void;
  readonly budgetBytes?: number;
}

const defaultBudgetBytes = 512 * 1024 * 1024;

export class ImageSource {
  readonly #options: ImageSourceOptions;
  readonly #unreadable = new Set<string>();
  /**
   * Filled once and never evicted: every epoch asks for every image in another order, where throwing out the oldest would
   * throw out what is asked for next.
   */
  readonly #cache = new Map<string, ScaledImage>();
  #freeBytes: number;

  constructor(options: ImageSourceOptions) {
    this.#options = options;
    this.#freeBytes = options.budgetBytes ?? defaultBudgetBytes;
  }

  /** Null where the image cannot be read. */
  async load(image: TrainingImage): Promise<ScaledImage | null> {
    const cached = this.#cache.get(image.id);
    if (cached) return cached;
    if (this.#unreadable.has(image.id)) return null;
    try {
      const scaled = scaleImage(image, await this.#options.pixels(image.id), this.#options);
      this.#keep(image.id, scaled);
      return scaled;
    } catch (error) {
      this.#unreadable.add(image.id);
      this.#options.onUnreadable(image, toProblemData(error).message);
      return null;
    }
  }

  #keep(imageId: string, scaled: ScaledImage): void {
    if (scaled.pixels.byteLength > this.#freeBytes) return;
    this.#freeBytes -= scaled.pixels.byteLength;
    this.#cache.set(imageId, scaled);
  }
}

/** Resizes and normalises upright RGB8 pixels. Throws `damaged` where they are not as many as the image's size says. */
export function scaleImage(
  image: Pick<TrainingImage, 'name' | 'widthPx' | 'heightPx'>,
  data: Uint8Array,
  { minSizePx, maxSizePx }: ScaleSettings,
): ScaledImage {
  const { widthPx, heightPx } = image;
  if (data.length !== widthPx * heightPx * 3) {
    throw new Problem(
      'damaged',
      `${image.name} holds ${data.length} bytes of pixels where ${widthPx}x${heightPx} want ${widthPx * heightPx * 3}.`,
      'The file has changed since it was added: add its folder again.',
    );
  }
  const size = resizedSize(heightPx, widthPx, minSizePx, maxSizePx);
  const pixels = new Float32Array(size.heightPx * size.widthPx * 3);
  const slot = { images: pixels, batchIndex: 0, paddedHeight: size.heightPx, paddedWidth: size.widthPx };
  preprocessInto(slot, { data, widthPx, heightPx }, size);
  return { size, pixels };
}
