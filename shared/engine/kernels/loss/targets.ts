/**
 * A batch's targets as the kernels of the losses read them, and the way between the packed order of the heads' tensors and that of the
 * anchors, image by image. An anchor's row is `pixel row * A + a`, over all rows of the tensor, those between levels included.
 *
 * What is to be known of an anchor is said once for all anchors alike: state `targets` holds for every row the number of its kind, and
 * state `kinds` a table of kinds: an image's background, an object's anchors, and both again where a strategy leaves them out.
 */

import { matchBackground } from '../../../detector/matcher.ts';
import type { BatchTarget } from '../../../loss/executor.ts';
import type { BatchMatches } from '../../../loss/targets.ts';
import { type LevelSlice, rowsOf, strideOf, type TensorView } from '../../plan/tensor.ts';

/** Rows of anchors that are ignored, and all rows between levels. */
export const ignoredRow = -1;

export interface PackedLayout {
  readonly batch: number;
  /** A */
  readonly perPosition: number;
  readonly anchorsPerImage: number;
  /** Rows of anchors, those between levels included. */
  readonly anchorRows: number;
  readonly levels: readonly LevelSlice[];
}

/** Of the heads' output: logits or deltas, whole. */
export function packedLayout(view: TensorView, perPosition: number): PackedLayout {
  const { tensor, levels } = view;
  const positions = levels.reduce((sum, { height, width }) => sum + height * width, 0);
  return {
    batch: tensor.batch,
    perPosition,
    anchorsPerImage: positions * perPosition,
    anchorRows: rowsOf(view) * perPosition,
    levels,
  };
}

/** Words of a kind: class (K: background), weight of its classification terms, weight of its box terms, nothing, box x1 y1 x2 y2. */
export const wordsPerKind = 8;

/** Kinds that a batch takes: its images' backgrounds and its objects, each counted or left out. */
export function kindsOf(targets: readonly Pick<BatchTarget, 'classIndices'>[]): number {
  return targets.reduce((sum, { classIndices }) => sum + 2 * (1 + classIndices.length), 0);
}

/** Arrays to be uploaded, and used again for the next batch of the same shape. */
export interface PackedTargets {
  /** `[anchorRows]` */
  readonly targets: Int32Array;
  /** `[capacity * 8]` */
  readonly kinds: Float32Array;
}

/** `capacity`: kinds there is room for. */
export function emptyTargets(layout: PackedLayout, capacity: number): PackedTargets {
  return {
    targets: new Int32Array(layout.anchorRows).fill(ignoredRow),
    kinds: new Float32Array(capacity * wordsPerKind),
  };
}

export interface TargetWeights {
  /** Of each image's terms (`shared/loss/normalizer.ts`). */
  readonly images: readonly number[];
  /** Per image `[anchorsPerImage]`: a strategy's own weights of the classification's terms, one and the same or 0: left out. */
  readonly selected?: readonly Float32Array[];
}

/** Fills the arrays; they must have room for `kindsOf(batch)`. */
export function packTargets(
  batch: readonly BatchTarget[],
  { matches }: Pick<BatchMatches, 'matches'>,
  weights: TargetWeights,
  classCount: number,
  layout: PackedLayout,
  into: PackedTargets,
): void {
  let kind = 0;
  batch.forEach((target, image) => {
    const selected = weights.selected?.[image];
    const weight = selected ? (selected.find((each) => each !== 0) ?? 0) : weights.images[image]!;
    fillKinds(target, weight, weights.images[image]!, classCount, into.kinds.subarray(kind * wordsPerKind));
    fillRows(matches[image]!, selected, kind, image, layout, into.targets);
    kind += kindsOf([target]);
  });
}

/** Background, objects; each counted, then left out. */
function fillKinds(
  { boxes, classIndices }: BatchTarget,
  classWeight: number,
  boxWeight: number,
  classCount: number,
  into: Float32Array,
): void {
  for (let object = -1, at = 0; object < classIndices.length; object++) {
    for (const weight of [classWeight, 0]) {
      into[at] = object < 0 ? classCount : classIndices[object]!;
      into[at + 1] = weight;
      into[at + 2] = object < 0 ? 0 : boxWeight;
      if (object >= 0) into.set(boxes.subarray(object * 4, object * 4 + 4), at + 4);
      at += wordsPerKind;
    }
  }
}

function fillRows(
  matches: Int32Array,
  selected: Float32Array | undefined,
  background: number,
  image: number,
  { levels, perPosition }: PackedLayout,
  into: Int32Array,
): void {
  let anchor = 0;
  for (const { firstRow, height, width } of levels) {
    const count = height * width * perPosition;
    const shift = firstRow * perPosition + image * count - anchor;
    for (const end = anchor + count; anchor < end; anchor++) {
      const match = matches[anchor]!;
      const leftOut = selected && selected[anchor] === 0 ? 1 : 0;
      // Background is -1 and the first object 0: the image's kinds in their order.
      into[anchor + shift] = match < matchBackground ? ignoredRow : background + 2 * (match + 1) + leftOut;
    }
  }
}

/** Image and anchor (in `buildAnchors`'s order) of a row of anchors; of one that is between levels, nothing is said. */
export function placeOf(
  { levels, perPosition }: PackedLayout,
  anchorRow: number,
): { image: number; anchor: number } {
  let before = 0;
  let found = { image: 0, anchor: 0 };
  for (const { firstRow, height, width } of levels) {
    const inLevel = anchorRow - firstRow * perPosition;
    if (inLevel < 0) break;
    const count = height * width * perPosition;
    found = { image: Math.floor(inLevel / count), anchor: before + (inLevel % count) };
    before += count;
  }
  return found;
}

/** What the heads say as `[image][anchor][width]`, out of the packed rows of a tensor of `A * width` channels. */
export function unpackRows(packed: Float32Array, width: number, layout: PackedLayout): Float32Array {
  const { batch, levels, perPosition, anchorsPerImage } = layout;
  const channels = perPosition * width;
  const stride = strideOf(channels);
  const rows = new Float32Array(batch * anchorsPerImage * width);
  let before = 0;
  for (const { firstRow, height, width: columns } of levels) {
    const pixels = height * columns;
    for (let image = 0; image < batch; image++) {
      let from = (firstRow + image * pixels) * stride;
      let to = (image * anchorsPerImage + before) * width;
      for (let pixel = 0; pixel < pixels; pixel++, from += stride, to += channels) {
        rows.set(packed.subarray(from, from + channels), to);
      }
    }
    before += pixels * perPosition;
  }
  return rows;
}
