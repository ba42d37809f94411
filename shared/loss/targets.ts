/** A batch's targets for the loss: anchors matched on the CPU, in the arrays that the GPU reads. */
import { buildAnchors, type FeatureSize } from '../detector/anchors.ts';
import { encodeMatched } from '../detector/boxCoder.ts';
import { applyIgnoreBoxes, countPositives, matchAnchors, matchBackground } from '../detector/matcher.ts';
import { type NetworkGraph, pyramidSizes } from '../detector/network.ts';
import type { Batch } from './executor.ts';
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

/** Anchors by frame size: a run sees few sizes, and every step needs them. */
export class AnchorCache {
  readonly #graph: NetworkGraph;
  readonly #anchors = new Map<string, Float32Array>();

  constructor(graph: NetworkGraph) {
    this.#graph = graph;
  }

  /** `[count * 4]` of a frame. */
  of(paddedHeight: number, paddedWidth: number): Float32Array {
    const key = `${paddedHeight}x${paddedWidth}`;
    let anchors = this.#anchors.get(key);
    if (!anchors) {
      const sizes = pyramidSizes(paddedHeight, paddedWidth);
      anchors = buildAnchors(paddedHeight, paddedWidth, sizes, this.#graph.options);
      this.#anchors.set(key, anchors);
    }
    return anchors;
  }
}

/** Anchors on each level of a frame. */
export function levelCounts(graph: NetworkGraph, paddedHeight: number, paddedWidth: number): number[] {
  return pyramidSizes(paddedHeight, paddedWidth).map(
    ({ height, width }: FeatureSize) => height * width * graph.anchorsPerPosition,
  );
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
  const positivesOf = new Array<number>(classCount).fill(0);
  let backgroundTrueAnchors = 0;
  const matchesPerImage = batch.targets.map((target) =>
    applyIgnoreBoxes(matchAnchors(anchors, target.boxes), anchors, target.ignoreBoxes),
  );
  const positivesPerImage = matchesPerImage.map(countPositives);
  const weights = weightsOf(positivesPerImage);
  batch.targets.forEach((target, imageIndex) => {
    const matches = matchesPerImage[imageIndex]!;
    const weight = weights[imageIndex]!;
    const start = imageIndex * count;
    for (let anchor = 0; anchor < count; anchor++) {
      const match = matches[anchor]!;
      const row = start + anchor;
      if (match >= 0) {
        const classIndex = target.classIndices[match]!;
        classes[row] = classIndex;
        positivesOf[classIndex] = (positivesOf[classIndex] ?? 0) + 1;
        classWeights[row] = weight;
        boxWeights[row] = weight;
      } else if (match === matchBackground) {
        classes[row] = classCount;
        classWeights[row] = weight;
        backgroundTrueAnchors++;
      } else {
        classes[row] = -1;
      }
    }
    boxes.set(
      boxKind === 'l1'
        ? encodeMatched(target.boxes, anchors, matches)
        : matchedBoxes(target.boxes, anchors, matches),
      start * 4,
    );
  });
  return {
    anchorsPerImage: count,
    matches: matchesPerImage,
    classes,
    classWeights,
    boxWeights,
    boxes,
    positivesOf,
    positives: positivesPerImage.reduce((total, each) => total + each, 0),
    backgroundTrueAnchors,
  };
}

/** The matched box of every anchor; where there is none, the anchor itself, for which no term is undefined. */
function matchedBoxes(groundTruth: Float32Array, anchors: Float32Array, matches: Int32Array): Float32Array {
  const boxes = anchors.slice();
  matches.forEach((match, anchor) => {
    if (match >= 0) boxes.set(groundTruth.subarray(match * 4, match * 4 + 4), anchor * 4);
  });
  return boxes;
}
