/**
 * Where the logits of every class lie: a histogram of the signed logit x_t (the logit where it is the anchor's own class's, minus
 * the logit elsewhere) per class and side, 256 bins over [-16, 16]. Focal loss falls monotonically in x_t for every gamma, so one
 * histogram yields every gamma's loss and curve (reference: Lin et al. 2017, figure 4).
 */
export const binCount = 256;
export const lowestLogit = -16;
export const highestLogit = 16;
export const binWidth = (highestLogit - lowestLogit) / binCount;

/** Sides of a class's loss, as in `ClassBalance`. */
export const sides = ['foreground', 'backgroundTrue', 'backgroundOther'] as const;
export type Side = (typeof sides)[number];

/**
 * Additive: two histograms are merged by adding their arrays. Index `(classIndex * 3 + side) * 256 + bin`. A bin knows not only how many
 * logits it holds but where in it they lie, for before the first step all of them lie within a hundredth of a bin.
 */
export interface LogitHistogram {
  readonly foregroundClassCount: number;
  /** Logits; ignored anchors are not among them. Beyond ±16 they are counted in the outermost bins, as lying at its edge. */
  readonly counts: Float64Array;
  /** Sum over the bin's logits of their place in it, 0 at its lower edge and 1 at its upper. */
  readonly places: Float64Array;
  /** Sum of the squares of these places. */
  readonly squaredPlaces: Float64Array;
}
