/** A batch of heads' outputs in the engine's memory with targets to match, for the kernels of the losses. */
import { type AnchorGrid, buildAnchorGrid } from '../../../shared/detector/anchorGrid.ts';
import { matchBackground, matchIgnored } from '../../../shared/detector/matcher.ts';
import { RandomStream } from '../../../shared/domain/random.ts';
import { figuresLayout } from '../../../shared/engine/kernels/loss/figures.ts';
import {
  emptyTargets,
  kindsOf,
  type PackedLayout,
  packedLayout,
  packTargets,
} from '../../../shared/engine/kernels/loss/targets.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import { bindState } from '../../../shared/engine/plan/call.ts';
import { type StepNumbers, settingsBinding, writeSettings } from '../../../shared/engine/plan/settings.ts';
import { strideOf, type TensorSpec, type TensorView, wholeView } from '../../../shared/engine/plan/tensor.ts';
import type { BatchTarget } from '../../../shared/loss/executor.ts';
import type { ImageLogits } from '../../../shared/loss/statistics.ts';

export const usualNumbers: StepNumbers = {
  form: { alpha: 0.25, gamma: 2 },
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0.01,
  decay: 'all',
  clipNorm: 0,
  counted: true,
  part: 0,
  lossScale: 1,
};

export interface LossCase {
  readonly classCount: number;
  readonly grid: AnchorGrid;
  readonly logits: TensorView;
  readonly deltas: TensorView;
  readonly layout: PackedLayout;
  readonly kindCapacity: number;
  readonly targets: readonly BatchTarget[];
  /** Image-major, what the plain functions take. */
  readonly images: readonly ImageLogits[];
  readonly imageWeights: readonly number[];
  /** Per image `[anchors * 4]`. */
  readonly imageDeltas: readonly Float32Array[];
  readonly memory: Memory;
}

/** Logits as they come and as they never should: at the edges of the histogram, far beyond them, and on a bin's edge. */
const special = [100, -100, 16, -16, 0, -0.125, 15.999, 1e-6];

/** Two images over three levels of odd sizes. `leftOut`: a strategy leaves out every so many anchors; 0: none. */
export function lossCase(classCount: number, ratios: readonly number[], leftOut = 0): LossCase {
  const random = new RandomStream(`loss ${classCount} ${ratios.length}`);
  const sizes = [
    { height: 5, width: 7 },
    { height: 3, width: 4 },
    { height: 2, width: 1 },
  ];
  const grid = buildAnchorGrid(40, 56, sizes, {
    anchorSizes: sizes.map((_, level) => [16 << level, 20 << level]),
    aspectRatios: ratios,
    roundAnchors: false,
  });
  const spec = (id: string, channels: number): TensorSpec => ({
    id,
    batch: 2,
    levels: sizes,
    channels,
    storage: 'f32',
  });
  const logits = wholeView(spec('logits', grid.perPosition * classCount));
  const deltas = wholeView(spec('deltas', grid.perPosition * 4));
  const layout = packedLayout(logits, grid.perPosition);
  const count = layout.anchorsPerImage;
  const targets = [3, 2].map((objects) => randomTarget(random, objects, classCount));
  const imageWeights = [0.125, 0.3];
  const images = targets.map(({ classIndices }, image) => {
    const matches = Int32Array.from({ length: count }, () => {
      const lot = random.uniform();
      if (lot < 0.1) return Math.floor(lot * 10 * classIndices.length);
      return lot < 0.2 ? matchIgnored : matchBackground;
    });
    const logits = Float32Array.from({ length: count * classCount }, () => {
      const lot = random.uniform();
      return lot < 0.05 ? special[Math.floor(lot * 20 * special.length)]! : random.between(-8, 2);
    });
    const weights = Float32Array.from(matches, (match, anchor) =>
      match === matchIgnored || (leftOut > 0 && anchor % leftOut === 0) ? 0 : imageWeights[image]!,
    );
    return { classIndices, matches, logits, weights };
  });
  const imageDeltas = images.map(() =>
    Float32Array.from({ length: count * 4 }, () => random.between(-1.5, 1.5)),
  );
  imageDeltas[0]!.set([9, -9, 5, 4.9], 4);
  const memory = new Memory();
  pack(
    memory,
    logits,
    images.map((image) => image.logits),
    classCount,
    layout,
  );
  pack(memory, deltas, imageDeltas, 4, layout);
  const kindCapacity = kindsOf(targets) + 3;
  const packed = emptyTargets(layout, kindCapacity);
  const selected = leftOut > 0 ? images.map(({ weights }) => weights) : undefined;
  const matches = images.map((image) => image.matches);
  packTargets(
    targets,
    { matches },
    { images: imageWeights, ...(selected && { selected }) },
    classCount,
    layout,
    packed,
  );
  writeState(memory, 'targets', packed.targets);
  writeState(memory, 'kinds', packed.kinds);
  return {
    classCount,
    grid,
    logits,
    deltas,
    layout,
    kindCapacity,
    targets,
    images,
    imageWeights,
    imageDeltas,
    memory,
  };
}

function randomTarget(random: RandomStream, objects: number, classCount: number): BatchTarget {
  const boxes = Array.from({ length: objects }, () => {
    const [x, y] = [random.between(0, 30), random.between(0, 20)];
    return [x, y, x + random.between(4, 25), y + random.between(4, 25)];
  });
  return {
    imageId: 'a',
    heightPx: 40,
    widthPx: 56,
    originalHeightPx: 40,
    originalWidthPx: 56,
    boxes: Float32Array.from(boxes.flat()),
    classIndices: Int32Array.from(boxes, () => Math.floor(random.uniform() * classCount)),
    ignoreBoxes: new Float32Array(),
  };
}

/** The definition of the packed order, one value at a time. */
function pack(
  memory: Memory,
  view: TensorView,
  images: readonly Float32Array[],
  width: number,
  { levels, perPosition }: PackedLayout,
): void {
  const data = memory.tensor(view);
  const stride = strideOf(view.tensor.channels);
  images.forEach((values, image) => {
    let from = 0;
    for (const { firstRow, height, width: columns } of levels) {
      for (let position = 0; position < height * columns; position++) {
        const row = firstRow + image * height * columns + position;
        for (let channel = 0; channel < perPosition * width; channel++)
          data[row * stride + channel] = values[from++]!;
      }
    }
  });
}

export function writeState(memory: Memory, id: string, data: Int32Array | Uint32Array | Float32Array): void {
  const floats = new Float32Array(data.buffer, data.byteOffset, data.length);
  memory.words(bindState(id, data.length, 'read').ref).set(floats);
}

export function writeNumbers(memory: Memory, changes: Partial<StepNumbers> = {}): void {
  const into = memory.words(settingsBinding.ref);
  into.set(new Float32Array(writeSettings({ ...usualNumbers, ...changes }).buffer));
}

export function readState(memory: Memory, id: string, words: number): Uint32Array {
  const data = memory.words(bindState(id, words, 'read').ref);
  return new Uint32Array(data.buffer, data.byteOffset, words);
}

export function figuresOf(memory: Memory, classCount: number, software: boolean): Uint32Array {
  return readState(memory, 'figures', figuresLayout(classCount, { software }).words);
}
