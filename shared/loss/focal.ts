/**
 * Sigmoid focal loss (Lin et al. 2017, equation 5) on one logit, unreduced, with its gradient: what every kernel is held to.
 * Everything goes through log-sigmoid, so that logits of ±100 neither overflow nor lose the loss.
 */
import { matchIgnored } from '../detector/matcher.ts';

export interface FocalSettings {
  /** Weight of foreground; background has 1 - alpha. Below 0: no weighting, as torchvision's alpha = -1. */
  readonly alpha: number;
  /** Focusing exponent; 0 is cross-entropy. */
  readonly gamma: number;
}

/** `log(1 + exp(x))` without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** `1 / (1 + exp(-x))` without overflow. */
export function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** The loss of one logit; `isTarget`: the logit is of the anchor's own class. */
export function focalLoss(logit: number, isTarget: boolean, { alpha, gamma }: FocalSettings): number {
  const signed = isTarget ? logit : -logit;
  return classWeight(isTarget, alpha) * sigmoid(-signed) ** gamma * softplus(-signed);
}

/** Derivative of `focalLoss` by the logit. */
export function focalGradient(logit: number, isTarget: boolean, { alpha, gamma }: FocalSettings): number {
  const signed = isTarget ? logit : -logit;
  const wrong = sigmoid(-signed);
  const bySigned = -(wrong ** gamma) * (gamma * sigmoid(signed) * softplus(-signed) + wrong);
  return classWeight(isTarget, alpha) * (isTarget ? bySigned : -bySigned);
}

/** One image's anchors and what they were matched to. */
export interface Matched {
  /** `[A]`, of `matchAnchors`. */
  readonly matches: Int32Array;
  /** Class index of each ground truth that `matches` points into. */
  readonly classIndices: Int32Array;
}

/** Unreduced loss `[A * K]` of an image's logits, 0 on ignored anchors. Channel `a * K + k`, all K foreground. */
export function focalTerms(
  logits: Float32Array,
  matched: Matched,
  foregroundClassCount: number,
  settings: FocalSettings,
): Float32Array {
  return mapLogits(logits, matched, foregroundClassCount, (logit, isTarget) =>
    focalLoss(logit, isTarget, settings),
  );
}

/** Derivatives `[A * K]` of the sum of `focalTerms` by the logits, 0 on ignored anchors. */
export function focalGradients(
  logits: Float32Array,
  matched: Matched,
  foregroundClassCount: number,
  settings: FocalSettings,
): Float32Array {
  return mapLogits(logits, matched, foregroundClassCount, (logit, isTarget) =>
    focalGradient(logit, isTarget, settings),
  );
}

/** The bias of the last classification layer that makes every anchor start at foreground probability `prior` (pi). */
export function priorBias(prior: number): number {
  return -Math.log((1 - prior) / prior);
}

/** alpha of foreground, 1 - alpha of background; 1 where alpha is below 0. */
export function classWeight(isTarget: boolean, alpha: number): number {
  if (alpha < 0) return 1;
  return isTarget ? alpha : 1 - alpha;
}

function mapLogits(
  logits: Float32Array,
  { matches, classIndices }: Matched,
  classCount: number,
  term: (logit: number, isTarget: boolean) => number,
): Float32Array {
  const out = new Float32Array(logits.length);
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match === matchIgnored) continue;
    const target = match >= 0 ? classIndices[match]! : -1;
    for (let k = 0, at = anchor * classCount; k < classCount; k++, at++) {
      out[at] = term(logits[at]!, k === target);
    }
  }
  return out;
}
