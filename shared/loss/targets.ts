/** A batch's targets for the loss: anchors matched on the CPU, in the arrays that the GPU reads. */
import { type AnchorGrid, buildAnchorGrid } from '../detector/anchorGrid.ts';
import type { FeatureSize } from '../detector/anchors.ts';
import { encodeMatched } from '../detector/boxCoder.ts';
import type { GridMatcher } from '../detector/gridMatcher.ts';
import { applyIgnoreBoxes, matchAnchors, matchBackground } from '../detector/matcher.ts';
import { type NetworkGraph, pyramidSizes } from '../detector/network.ts';
import { Recent } from '../domain/recent.ts';
import type { Batch, BatchTarget } from './executor.ts';
import { imageWeights } from './normalizer.ts';

/** What the anchors of a batch were matched to. */
export interface BatchMatches {
  readonly anchorsPerImage: number;
  /** Per image `[anchorsPerImage]`, of `matchAnchors`. */
  readonly matches: readonly Int32Array[];
  /** Positives per class; anchors that are background of everything. */
  readonly positivesOf: readonly number[];
  readonly positives: number;
  readonly backgroundTrueAnchors: number;
}

export interface CountedMatches extends BatchMatches {
  readonly positivesPerImage: readonly number[];
}

/** Rows are the anchors of the batch: image by image, each in `buildAnchors`'s order. */
export interface BatchTargets extends BatchMatches {
  /** `[rows]`: matched class, or K for background, or -1 for ignored. */
  readonly classes: Int32Array;
  /** `[rows]`: the weight of the image's terms (`shared/loss/normalizer.ts`), 0 for ignored anchors. */
  readonly classWeights: Float32Array;
  /** `[rows]`: the same for positives, 0 for every other anchor. */
  readonly boxWeights: Float32Array;
  /** `[rows * 4]`: deltas to the matched box (L1), or the matched box itself (GIoU); harmless where there is none. */
  readonly boxes: Float32Array;
}

/** Sizes of frames that are remembered: each is megabytes, and images of many shapes come in hundreds. */
const sizesKept = 16;

/** Anchors by frame size: every step needs them, and mostly those of the last few. */
export class AnchorCache {
  readonly #graph: NetworkGraph;
  readonly #grids = new Recent<AnchorGrid>(sizesKept);

  constructor(graph: NetworkGraph) {
    this.#graph = graph;
  }

  /** `[count * 4]` of a frame. */
  of(paddedHeight: number, paddedWidth: number): Float32Array {
    return this.gridOf(paddedHeight, paddedWidth).anchors;
  }

  gridOf(paddedHeight: number, paddedWidth: number): AnchorGrid {
    return this.#grids.of(`${paddedHeight}x${paddedWidth}`, () => {
      const sizes = pyramidSizes(paddedHeight, paddedWidth);
      return buildAnchorGrid(paddedHeight, paddedWidth, sizes, this.#graph.options);
    });
  }
}

/** Anchors on each level of a frame. */
export function levelCounts(graph: NetworkGraph, paddedHeight: number, paddedWidth: number): number[] {
  return pyramidSizes(paddedHeight, paddedWidth).map(
    ({ height, width }: FeatureSize) => height * width * graph.anchorsPerPosition,
  );
}

/** The batch's anchors matched, into arrays that are used again: one per image, `[anchorsPerImage]`. */
export function matchBatch(
  targets: readonly BatchTarget[],
  matcher: GridMatcher,
  classCount: number,
  into: readonly Int32Array[],
): CountedMatches {
  const matches = targets.map(({ boxes, ignoreBoxes }, image) => {
    matcher.match(boxes, ignoreBoxes, into[image]!);
    return into[image]!;
  });
  return countMatches(targets, matches, classCount);
}

function countMatches(
  targets: readonly BatchTarget[],
  matches: readonly Int32Array[],
  classCount: number,
): CountedMatches {
  const positivesOf = new Array<number>(classCount).fill(0);
  let backgroundTrueAnchors = 0;
  const positivesPerImage = targets.map(({ classIndices }, image) => {
    const own = matches[image]!;
    let positives = 0;
    for (let anchor = 0; anchor < own.length; anchor++) {
      const match = own[anchor]!;
      if (match === matchBackground) backgroundTrueAnchors++;
      if (match < 0) continue;
      positives++;
      positivesOf[classIndices[match]!]!++;
    }
    return positives;
  });
  const positives = positivesPerImage.reduce((total, each) => total + each, 0);
  const anchorsPerImage = matches[0]!.length;
  return { anchorsPerImage, matches, positivesPerImage, positivesOf, positives, backgroundTrueAnchors };
}

/** `weightsOf`: from the positives of every image to the weight of its terms. */
export function prepareTargets(
  batch: Batch,
  anchors: Float32Array,
  classCount: number,
  boxKind: 'l1' | 'giou',
  weightsOf: (positivesPerImage: readonly number[]) => readonly number[] = imageWeights,
): BatchTargets {
  const count = anchors.length / 4;
  const rows = count * batch.batch;
  const classes = new Int32Array(rows);
  const classWeights = new Float32Array(rows);
  const boxWeights = new Float32Array(rows);
  const boxes = new Float32Array(rows * 4);
  const matched = countMatches(
    batch.targets,
    batch.targets.map((target) =>
      applyIgnoreBoxes(matchAnchors(anchors, target.boxes), anchors, target.ignoreBoxes),
    ),
    classCount,
  );
  const weights = weightsOf(matched.positivesPerImage);
  batch.targets.forEach((target, imageIndex) => {
    const matches = matched.matches[imageIndex]!;
    const weight = weights[imageIndex]!;
    const start = imageIndex * count;
    for (let anchor = 0; anchor < count; anchor++) {
      const match = matches[anchor]!;
      const row = start + anchor;
      classes[row] = match >= 0 ? target.classIndices[match]! : match === matchBackground ? classCount : -1;
      if (classes[row]! >= 0) classWeights[row] = weight;
      if (match >= 0) boxWeights[row] = weight;
    }
    boxes.set(
      boxKind === 'l1'
        ? encodeMatched(target.boxes, anchors, matches)
        : matchedBoxes(target.boxes, anchors, matches),
      start * 4,
    );
  });
  return { ...matched, classes, classWeights, boxWeights, boxes };
}

/** The matched box of every anchor; where there is none, the anchor itself, for which no term is undefined. */
function matchedBoxes(groundTruth: Float32Array, anchors: Float32Array, matches: Int32Array): Float32Array {
  const boxes = anchors.slice();
  matches.forEach((match, anchor) => {
    if (match >= 0) boxes.set(groundTruth.subarray(match * 4, match * 4 + 4), anchor * 4);
  });
  return boxes;
}
