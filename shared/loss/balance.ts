/**
 * How one class's classification loss is shared. Foreground of class c: the loss of c's logit on anchors matched to c.
 * Background: c's logit on every other non-ignored anchor, split into true background (anchors matched to nothing) and
 * other classes' objects. All sums carry the loss's own normalisation (per image / max(1, positives), then the batch's
 * mean), so the sum of `foreground + background` over the classes is the classification loss that is shown.
 */
export interface ClassBalance {
  /** Index of the class in the model's class list. */
  readonly classIndex: number;
  readonly foreground: number;
  /** `backgroundTrue + backgroundOther` */
  readonly background: number;
  readonly backgroundTrue: number;
  readonly backgroundOther: number;
  /** Sums of |dL/dlogit| over the same logits, with the same normalisation: who moves the class's weights. */
  readonly foregroundGradient: number;
  readonly backgroundTrueGradient: number;
  readonly backgroundOtherGradient: number;
  /** Anchors matched to this class, over the batch. */
  readonly positives: number;
  /** Anchors behind the two backgrounds, over the batch. */
  readonly backgroundTrueAnchors: number;
  readonly backgroundOtherAnchors: number;
}

/** Foreground's share of the class's loss, 0..1; null where there is no loss at all. */
export function foregroundShare(balance: Pick<ClassBalance, 'foreground' | 'background'>): number | null {
  const total = balance.foreground + balance.background;
  return total > 0 ? balance.foreground / total : null;
}
