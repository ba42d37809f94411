/**
 * Images at the network's scale, kept in memory up to a budget: decoding and resizing cost more than a small network's step.
 * An image that cannot be read is named once and left out; the run goes on with the others.
 */
import { type ByteImage, preprocessInto, resizedSize, type SizePx } from '../detector/preprocess.ts';
import { Problem, toProblemData } from '../domain/problem.ts';
import type { TrainingImage } from './ports.ts';

export interface ScaledImage {
  readonly size: SizePx;
  /** `[heightPx, widthPx, 3]`, normalised. */
  readonly pixels: Float32Array;
}

/** As an executor that takes bytes is given it; `size`: what it is to be scaled to. */
export interface UnscaledImage {
  readonly size: SizePx;
  readonly bytes: ByteImage;
}

export type LoadedImage = ScaledImage | UnscaledImage;

export interface ScaleSettings {
  readonly minSizePx: number;
  readonly maxSizePx: number;
}

export interface ImageSourceOptions extends ScaleSettings {
  pixels(imageId: string): Promise<Uint8Array>;
  /** Called once for every image that cannot be read. */
  onUnreadable(image: TrainingImage, reason: string): void;
  readonly budgetBytes?: number;
  /** Leave the scaling to the executor. */
  readonly asBytes?: boolean;
}

/** True where bytes take no more room than the floats that they become: with larger images it is better to scale once. */
export function areSmallAsBytes(
  images: readonly Pick<TrainingImage, 'widthPx' | 'heightPx'>[],
  { minSizePx, maxSizePx }: ScaleSettings,
): boolean {
  return images.every(({ widthPx, heightPx }) => {
    const size = resizedSize(heightPx, widthPx, minSizePx, maxSizePx);
    return widthPx * heightPx <= size.widthPx * size.heightPx * Float32Array.BYTES_PER_ELEMENT;
  });
}

const defaultBudgetBytes = 512 * 1024 * 1024;

export class ImageSource {
  readonly #options: ImageSourceOptions;
  readonly #unreadable = new Set<string>();
  /**
   * Filled once and never evicted: every epoch asks for every image in another order, where throwing out the oldest would
   * throw out what is asked for next.
   */
  readonly #cache = new Map<string, LoadedImage>();
  #freeBytes: number;

  constructor(options: ImageSourceOptions) {
    this.#options = options;
    this.#freeBytes = options.budgetBytes ?? defaultBudgetBytes;
  }

  /** Null where the image cannot be read. */
  async load(image: TrainingImage): Promise<LoadedImage | null> {
    const cached = this.#cache.get(image.id);
    if (cached) return cached;
    if (this.#unreadable.has(image.id)) return null;
    try {
      const { pixels, asBytes } = this.#options;
      const load = asBytes ? unscaledImage : scaleImage;
      const loaded = load(image, await pixels(image.id), this.#options);
      this.#keep(image.id, loaded);
      return loaded;
    } catch (error) {
      this.#unreadable.add(image.id);
      this.#options.onUnreadable(image, toProblemData(error).message);
      return null;
    }
  }

  #keep(imageId: string, loaded: LoadedImage): void {
    const { byteLength } = 'bytes' in loaded ? loaded.bytes.data : loaded.pixels;
    if (byteLength > this.#freeBytes) return;
    this.#freeBytes -= byteLength;
    this.#cache.set(imageId, loaded);
  }
}

type SizedImage = Pick<TrainingImage, 'name' | 'widthPx' | 'heightPx'>;

/** Resizes and normalises upright RGB8 pixels. Throws `damaged` where they are not as many as the image's size says. */
export function scaleImage(image: SizedImage, data: Uint8Array, settings: ScaleSettings): ScaledImage {
  return scaleBytes(unscaledImage(image, data, settings));
}

export function scaleBytes({ size, bytes }: UnscaledImage): ScaledImage {
  const pixels = new Float32Array(size.heightPx * size.widthPx * 3);
  const slot = { images: pixels, batchIndex: 0, paddedHeight: size.heightPx, paddedWidth: size.widthPx };
  preprocessInto(slot, bytes, size);
  return { size, pixels };
}

/** Throws `damaged`, as `scaleImage`. */
function unscaledImage(
  { name, widthPx, heightPx }: SizedImage,
  data: Uint8Array,
  { minSizePx, maxSizePx }: ScaleSettings,
): UnscaledImage {
  if (data.length !== widthPx * heightPx * 3) {
    throw new Problem(
      'damaged',
      `${name} holds ${data.length} bytes of pixels where ${widthPx}x${heightPx} want ${widthPx * heightPx * 3}.`,
      'The file has changed since it was added: add its folder again.',
    );
  }
  return { size: resizedSize(heightPx, widthPx, minSizePx, maxSizePx), bytes: { data, widthPx, heightPx } };
}
