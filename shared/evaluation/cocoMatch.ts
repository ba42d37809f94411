/** Greedy matching of one image's detections of one category to its ground truth: COCOeval's computeIoU and evaluateImg. */
import type { BoxXywh, ImageCategory } from './cocoInput.ts';
import { descendingOrder } from './numpyMath.ts';

/** Inclusive at both ends: an area of 32 * 32 is small *and* medium. */
export type AreaRange = readonly [low: number, high: number];

/** An image's detections, best first and cut, with their IoU to every ground truth. */
export interface PreparedImage {
  readonly content: ImageCategory;
  /** Indices into `content.found`. */
  readonly order: readonly number[];
  /** `[order.length * truths.length]` */
  readonly iou: Float64Array;
}

/** What a category's accumulation needs of one image. */
export interface ImageMatches {
  /** `[D]`, descending. */
  readonly scores: Float64Array;
  /** `[T * D]`: 1 where the detection found something. */
  readonly matched: Uint8Array;
  /** `[T * D]`: 1 where the detection counts neither way. */
  readonly ignored: Uint8Array;
  /** Ground truth that should be found. */
  readonly truthCount: number;
}

export function prepareImage(content: ImageCategory, maxDetections: number): PreparedImage {
  const { truths, found } = content;
  const order = descendingOrder(found.map(({ score }) => score)).slice(0, maxDetections);
  const iou = new Float64Array(order.length * truths.length);
  order.forEach((index, row) => {
    truths.forEach((truth, column) => {
      iou[row * truths.length + column] = boxIouXywh(found[index]!.box, truth.box, truth.crowd);
    });
  });
  return { content, order, iou };
}

/** Intersection over union in float64; over the detection's own area where the ground truth is a crowd. */
export function boxIouXywh(found: BoxXywh, truth: BoxXywh, crowd: boolean): number {
  const width = Math.min(found[2] + found[0], truth[2] + truth[0]) - Math.max(found[0], truth[0]);
  if (width <= 0) return 0;
  const height = Math.min(found[3] + found[1], truth[3] + truth[1]) - Math.max(found[1], truth[1]);
  if (height <= 0) return 0;
  const intersection = width * height;
  const foundArea = found[2] * found[3];
  return intersection / (crowd ? foundArea : foundArea + truth[2] * truth[3] - intersection);
}

/** Matches at every IoU threshold, for one range of areas. */
export function matchImage(
  { content, order, iou }: PreparedImage,
  [low, high]: AreaRange,
  iouThresholds: readonly number[],
): ImageMatches {
  const { truths, found } = content;
  const outside = (area: number) => area < low || area > high;
  const ignoredTruth = truths.map(({ crowd, area }) => crowd || outside(area));
  // Real ground truth first, each group in its order: a detection takes a crowd only where nothing real is left.
  const real = truths.map((_, index) => index);
  const truthOrder = [...real.filter((i) => !ignoredTruth[i]), ...real.filter((i) => ignoredTruth[i])];
  const count = order.length;
  const matched = new Uint8Array(iouThresholds.length * count);
  const ignored = new Uint8Array(matched.length);

  iouThresholds.forEach((threshold, t) => {
    const taken = new Uint8Array(truths.length);
    for (let row = 0; row < count; row++) {
      let best = Math.min(threshold, 1 - 1e-10);
      let match = -1;
      for (const truth of truthOrder) {
        if (taken[truth] && !truths[truth]!.crowd) continue;
        if (match >= 0 && !ignoredTruth[match] && ignoredTruth[truth]) break;
        const overlap = iou[row * truths.length + truth]!;
        // Only less is refused: of two equals the later ground truth wins.
        if (overlap < best) continue;
        best = overlap;
        match = truth;
      }
      const at = t * count + row;
      if (match >= 0) {
        taken[match] = 1;
        // pycocotools stores the ground truth's id as the mark of a match, so id 0 counts as none; the truth is taken all the same.
        matched[at] = truths[match]!.id === 0 ? 0 : 1;
        ignored[at] = ignoredTruth[match] ? 1 : 0;
      }
      const [, , width, height] = found[order[row]!]!.box;
      if (!matched[at] && outside(width * height)) ignored[at] = 1;
    }
  });
  const scores = Float64Array.from(order, (index) => found[index]!.score);
  return { scores, matched, ignored, truthCount: ignoredTruth.filter((flag) => !flag).length };
}
