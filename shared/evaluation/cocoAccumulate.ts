/** From matches to a category's precision curve and recall: COCOeval's accumulate for one category, area range and cap. */
import { type CategoryMatches, ignored, type PreparedCategory, right } from './cocoMatch.ts';
import { searchSortedLeft } from './numpyMath.ts';

export interface Curve {
  /** Precision at each recall threshold, made monotone; 0 beyond the recall reached. */
  readonly precision: Float64Array;
  readonly recall: number;
}

/** numpy's `spacing(1)`: keeps 0 / 0 out of the precision. */
const spacing = 2 ** -52;

/** One curve per IoU threshold over the best `maxDetections` of every image; null where there is nothing to be found. */
export function accumulate(
  { order, ranks }: PreparedCategory,
  { outcomes, truthCount }: CategoryMatches,
  recallThresholds: readonly number[],
  maxDetections: number,
): Curve[] | null {
  if (truthCount === 0) return null;
  // Those of all images that are within the cap stand in the order that they would be sorted into.
  const kept = order.filter((detection) => ranks[detection]! < maxDetections);
  return outcomes.map((atThreshold) => curveOf(kept, atThreshold, truthCount, recallThresholds));
}

/** `outcomes` are looked up by the indices in `order`. */
function curveOf(
  order: readonly number[],
  outcomes: Uint8Array,
  truthCount: number,
  recallThresholds: readonly number[],
): Curve {
  const count = order.length;
  const recalls = new Float64Array(count);
  const precisions = new Float64Array(count);
  let rightCount = 0;
  let wrongCount = 0;
  for (let rank = 0; rank < count; rank++) {
    const outcome = outcomes[order[rank]!]!;
    if (outcome === right) rightCount++;
    else if (outcome !== ignored) wrongCount++;
    recalls[rank] = rightCount / truthCount;
    precisions[rank] = rightCount / (wrongCount + rightCount + spacing);
  }
  for (let rank = count - 1; rank > 0; rank--) {
    if (precisions[rank - 1]! < precisions[rank]!) precisions[rank - 1] = precisions[rank]!;
  }
  const precision = Float64Array.from(recallThresholds, (threshold) => {
    const rank = searchSortedLeft(recalls, threshold);
    return rank < count ? precisions[rank]! : 0;
  });
  return { precision, recall: count > 0 ? recalls[count - 1]! : 0 };
}
