/** What a batch brings to the device: its frames, what its anchors are matched to, and the step's numbers. */
import { buildAnchorGrid } from '../detector/anchorGrid.ts';
import { GridMatcher } from '../detector/gridMatcher.ts';
import { type NetworkGraph, pyramidSizes } from '../detector/network.ts';
import { Recent } from '../domain/recent.ts';
import type { Batch, BatchShape } from '../loss/executor.ts';
import { type BatchMatches, type CountedMatches, matchBatch } from '../loss/targets.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import { frameId } from './kernels/images/expandFrame.ts';
import { packImages, pixelWordsOf, placementWordsOf } from './kernels/images/pack.ts';
import { pixelsId, placementsId } from './kernels/images/preprocess.ts';
import {
  emptyTargets,
  kindsOf,
  type PackedLayout,
  type PackedTargets,
  packTargets,
  type TargetWeights,
  wordsPerKind,
} from './kernels/loss/targets.ts';
import { type StepNumbers, settingsBinding, writeSettings } from './plan/settings.ts';
import { stateRef } from './sections.ts';

/** Of one size of frames. */
interface Matching {
  readonly matcher: GridMatcher;
  /** One per image of the largest batch so far. */
  readonly matches: Int32Array[];
}

/** Sizes of frames that are remembered: each is megabytes, and a folder of images may have hundreds. */
const sizesKept = 16;

export class Feed {
  readonly #graph: NetworkGraph;
  readonly #device: EngineDevice;
  readonly #matchings = new Recent<Matching>(sizesKept);
  /** What goes up with images that come as bytes. */
  #pixels = new Uint32Array();
  #placements = new Uint32Array();
  /** By the frames' shape: rows between its levels are never written again. */
  readonly #packed = new Recent<PackedTargets>(sizesKept);

  constructor(graph: NetworkGraph, device: EngineDevice) {
    this.#graph = graph;
    this.#device = device;
  }

  /** The arrays are used again for the next batch. */
  match(batch: Batch): CountedMatches {
    const { matcher, matches } = this.#matchingOf(batch);
    while (matches.length < batch.batch) matches.push(new Int32Array(matcher.grid.anchors.length / 4));
    return matchBatch(batch.targets, matcher, this.#graph.options.foregroundClassCount, matches);
  }

  /** Room for the bytes of these images and of any before, so that the plans of a shape are one; 0: there are none. */
  pixelWords(shape: Pick<BatchShape, 'bytes'>): number {
    const words = this.roomFor(shape);
    if (words > this.#pixels.length) this.#pixels = new Uint32Array(words);
    return words;
  }

  /** The same, before anything is made for them. */
  roomFor({ bytes }: Pick<BatchShape, 'bytes'>): number {
    if (!bytes) return 0;
    return Math.max(this.#pixels.length, 2 ** Math.ceil(Math.log2(pixelWordsOf(bytes))));
  }

  /** Before what is submitted next; so is all that follows. */
  writeFrame({ batch, paddedHeight, paddedWidth, images, bytes, targets }: Batch): void {
    if (!bytes) {
      this.#device.write(stateRef(frameId, batch * paddedHeight * paddedWidth * 3), images as BufferView);
      return;
    }
    const frame = { heightPx: paddedHeight, widthPx: paddedWidth };
    const words = placementWordsOf(batch, frame);
    if (words > this.#placements.length) this.#placements = new Uint32Array(words);
    const placed = bytes.map((image, index) => {
      const { heightPx, widthPx, flipped } = targets[index]!;
      return { image, resized: { heightPx, widthPx }, ...(flipped && { flip: true }) };
    });
    packImages(placed, frame, { pixels: this.#pixels, placements: this.#placements });
    this.#write(pixelsId, this.#pixels.subarray(0, pixelWordsOf(bytes)));
    this.#write(placementsId, this.#placements.subarray(0, words));
  }

  #write(id: string, words: Uint32Array): void {
    this.#device.write(stateRef(id, words.length), words as BufferView);
  }

  writeNumbers(numbers: StepNumbers): void {
    this.#device.write(settingsBinding.ref, writeSettings(numbers) as BufferView);
  }

  /** `images`: of the whole batch that `matched` and `weights` are of, those that are computed now. */
  writeTargets(
    batch: Batch,
    matched: Pick<BatchMatches, 'matches'>,
    weights: TargetWeights,
    rows: PackedLayout,
    capacity: number,
  ): void {
    const levels = rows.levels.map(({ height, width }) => `${height}x${width}`);
    const key = `${rows.batch} of ${levels} ${capacity}`;
    const packed = this.#packed.of(key, () => emptyTargets(rows, capacity));
    packTargets(batch.targets, matched, weights, this.#graph.options.foregroundClassCount, rows, packed);
    this.#device.write(stateRef('targets', rows.anchorRows), packed.targets as BufferView);
    const kinds = packed.kinds.subarray(0, kindsOf(batch.targets) * wordsPerKind);
    this.#device.write(stateRef('kinds', capacity * wordsPerKind), kinds as BufferView);
  }

  #matchingOf({ paddedHeight, paddedWidth }: Batch): Matching {
    return this.#matchings.of(`${paddedHeight}x${paddedWidth}`, () => {
      const sizes = pyramidSizes(paddedHeight, paddedWidth);
      const grid = buildAnchorGrid(paddedHeight, paddedWidth, sizes, this.#graph.options);
      return { matcher: new GridMatcher(grid), matches: [] };
    });
  }
}

/** WebGPU takes no shared memory; nobody here makes any. */
type BufferView = GPUAllowSharedBufferSource;

/** Room for a batch's kinds: powers of two, so that batches of many objects do not each need a plan. */
export function kindCapacity(batch: Pick<Batch, 'targets'>): number {
  return 2 ** Math.max(10, Math.ceil(Math.log2(kindsOf(batch.targets))));
}
