/** Greedy matching of a category's detections to its ground truth, image by image: COCOeval's computeIoU and evaluateImg. */
import type { ImageCategory } from './cocoInput.ts';
import { descendingOrder } from './numpyMath.ts';

/** Inclusive at both ends: an area of 32 * 32 is small *and* medium. */
export type AreaRange = readonly [low: number, high: number];

/** A category's best detections of every image, with their IoU to the image's ground truth. */
export interface PreparedCategory {
  readonly images: readonly PreparedImage[];
  /** `[D]`: image after image, each image's best first. */
  readonly scores: Float64Array;
  /** `[D]`: width times height. */
  readonly areas: Float64Array;
  /** `[D]`: the place among the image's own, 0 for the best. */
  readonly ranks: Uint32Array;
  /** `[D]` indices into the above over all images, best first; equals keep their order. */
  readonly order: readonly number[];
}

interface PreparedImage {
  readonly truths: ImageCategory['truths'];
  /** Where its detections begin. */
  readonly start: number;
  readonly count: number;
  /** `[count * truths.length]` */
  readonly iou: Float64Array;
}

/** What became of a detection at an IoU threshold. */
export const wrong = 0;
export const right = 1;
/** It counts neither way. */
export const ignored = 2;

export interface CategoryMatches {
  /** `[T][D]`: `wrong`, `right` or `ignored`. */
  readonly outcomes: readonly Uint8Array[];
  /** Ground truth that should be found. */
  readonly truthCount: number;
}

/** `contents`: one per image, by ascending image id. At most `maxDetections` of each image are kept. */
export function prepareCategory(contents: readonly ImageCategory[], maxDetections: number): PreparedCategory {
  const total = contents.reduce((sum, { found }) => sum + Math.min(maxDetections, found.length), 0);
  const scores = new Float64Array(total);
  const areas = new Float64Array(total);
  const ranks = new Uint32Array(total);
  let start = 0;
  const images = contents.map(({ truths, found }): PreparedImage => {
    const order = descendingOrder(found.map(({ score }) => score));
    const count = Math.min(maxDetections, order.length);
    const iou = new Float64Array(count * truths.length);
    for (let rank = 0; rank < count; rank++) {
      const { bbox, score } = found[order[rank]!]!;
      scores[start + rank] = score;
      areas[start + rank] = bbox[2]! * bbox[3]!;
      ranks[start + rank] = rank;
      truths.forEach((truth, column) => {
        iou[rank * truths.length + column] = boxIouXywh(bbox, truth.bbox, isCrowd(truth));
      });
    }
    start += count;
    return { truths, start: start - count, count, iou };
  });
  return { images, scores, areas, ranks, order: descendingOrder(scores) };
}

/** Intersection over union in float64; over the detection's own area where the ground truth is a crowd. */
export function boxIouXywh(found: readonly number[], truth: readonly number[], crowd: boolean): number {
  const width = Math.min(found[2]! + found[0]!, truth[2]! + truth[0]!) - Math.max(found[0]!, truth[0]!);
  if (width <= 0) return 0;
  const height = Math.min(found[3]! + found[1]!, truth[3]! + truth[1]!) - Math.max(found[1]!, truth[1]!);
  if (height <= 0) return 0;
  const intersection = width * height;
  const foundArea = found[2]! * found[3]!;
  return intersection / (crowd ? foundArea : foundArea + truth[2]! * truth[3]! - intersection);
}

/** Matches at every IoU threshold, for one range of areas. */
export function matchCategory(
  { images, areas }: PreparedCategory,
  [low, high]: AreaRange,
  iouThresholds: readonly number[],
): CategoryMatches {
  const outside = (area: number) => area < low || area > high;
  const outcomes = iouThresholds.map(() => new Uint8Array(areas.length));
  let truthCount = 0;
  for (const { truths, start, count, iou } of images) {
    const ignoredTruth = truths.map((truth) => isCrowd(truth) || outside(truth.area));
    const candidates = { truths, ignoredTruth, order: realFirst(ignoredTruth), iou };
    truthCount += ignoredTruth.filter((isIgnored) => !isIgnored).length;
    iouThresholds.forEach((threshold, t) => {
      const taken = new Uint8Array(truths.length);
      for (let rank = 0; rank < count; rank++) {
        const match = bestMatch(candidates, rank, threshold, taken);
        if (match >= 0) taken[match] = 1;
        // The mark of a match is the ground truth's id, so id 0 marks none; the truth is taken all the same.
        const isMarked = match >= 0 && truths[match]!.id !== 0;
        const detection = start + rank;
        if (match >= 0 && ignoredTruth[match]) outcomes[t]![detection] = ignored;
        else if (isMarked) outcomes[t]![detection] = right;
        else outcomes[t]![detection] = outside(areas[detection]!) ? ignored : wrong;
      }
    });
  }
  return { outcomes, truthCount };
}

interface Candidates {
  readonly truths: ImageCategory['truths'];
  readonly ignoredTruth: readonly boolean[];
  /** Indices into `truths`, in the order they are tried. */
  readonly order: readonly number[];
  readonly iou: Float64Array;
}

/** The ground truth that the detection takes, -1 where there is none. */
function bestMatch(
  { truths, ignoredTruth, order, iou }: Candidates,
  rank: number,
  threshold: number,
  taken: Uint8Array,
): number {
  let best = Math.min(threshold, 1 - 1e-10);
  let match = -1;
  for (const truth of order) {
    if (taken[truth] && !isCrowd(truths[truth]!)) continue;
    if (match >= 0 && !ignoredTruth[match] && ignoredTruth[truth]) break;
    const overlap = iou[rank * order.length + truth]!;
    // Only less is refused: of two equals the later ground truth wins.
    if (overlap < best) continue;
    best = overlap;
    match = truth;
  }
  return match;
}

/** Real ground truth before what is ignored, each group in its order: a crowd is taken only where nothing real is left. */
function realFirst(ignoredTruth: readonly boolean[]): number[] {
  const order = ignoredTruth.map((_, index) => index);
  return [...order.filter((index) => !ignoredTruth[index]), ...order.filter((index) => ignoredTruth[index])];
}

function isCrowd({ iscrowd }: ImageCategory['truths'][number]): boolean {
  return Boolean(iscrowd);
}
