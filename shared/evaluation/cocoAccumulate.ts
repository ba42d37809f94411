/** From matches to a category's precision curve and recall: COCOeval's accumulate for one category, area range and cap. */
import type { ImageMatches } from './cocoMatch.ts';
import { descendingOrder, searchSortedLeft } from './numpyMath.ts';

export interface Curve {
  /** Precision at each recall threshold, made monotone; 0 beyond the recall reached. */
  readonly precision: Float64Array;
  readonly recall: number;
}

/** numpy's `spacing(1)`: keeps 0 / 0 out of the precision. */
const spacing = 2 ** -52;

/**
 * One curve per IoU threshold over the images (ascending ids), each cut to its best `maxDetections`; null where there is
 * nothing to be found.
 */
export function accumulate(
  images: readonly ImageMatches[],
  iouThresholdCount: number,
  recallThresholds: readonly number[],
  maxDetections: number,
): Curve[] | null {
  const truthCount = images.reduce((sum, image) => sum + image.truthCount, 0);
  if (truthCount === 0) return null;
  const all = concatenate(images, iouThresholdCount, maxDetections);
  const order = descendingOrder(all.scores);
  return Array.from({ length: iouThresholdCount }, (_, t) =>
    curveOf(order, all.matched[t]!, all.ignored[t]!, truthCount, recallThresholds),
  );
}

interface Concatenated {
  readonly scores: number[];
  /** Per IoU threshold, along `scores`. */
  readonly matched: number[][];
  readonly ignored: number[][];
}

function concatenate(images: readonly ImageMatches[], thresholds: number, cap: number): Concatenated {
  const empty = () => Array.from({ length: thresholds }, (): number[] => []);
  const all: Concatenated = { scores: [], matched: empty(), ignored: empty() };
  for (const { scores, matched, ignored } of images) {
    const count = Math.min(cap, scores.length);
    for (let row = 0; row < count; row++) {
      all.scores.push(scores[row]!);
      for (let t = 0; t < thresholds; t++) {
        all.matched[t]!.push(matched[t * scores.length + row]!);
        all.ignored[t]!.push(ignored[t * scores.length + row]!);
      }
    }
  }
  return all;
}

function curveOf(
  order: readonly number[],
  matched: readonly number[],
  ignored: readonly number[],
  truthCount: number,
  recallThresholds: readonly number[],
): Curve {
  const recalls = new Float64Array(order.length);
  const precisions = new Float64Array(order.length);
  let right = 0;
  let wrong = 0;
  order.forEach((index, rank) => {
    if (!ignored[index]) {
      if (matched[index]) right++;
      else wrong++;
    }
    recalls[rank] = right / truthCount;
    precisions[rank] = right / (wrong + right + spacing);
  });
  for (let rank = order.length - 1; rank > 0; rank--) {
    precisions[rank - 1] = Math.max(precisions[rank - 1]!, precisions[rank]!);
  }
  const precision = Float64Array.from(recallThresholds, (threshold) => {
    const rank = searchSortedLeft(recalls, threshold);
    return rank < order.length ? precisions[rank]! : 0;
  });
  return { precision, recall: order.length > 0 ? recalls[order.length - 1]! : 0 };
}
