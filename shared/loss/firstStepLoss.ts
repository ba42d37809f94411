/** What the very first step costs under another prior, alpha and gamma, from one look at the untrained network. */
import { sliceGradient, sliceLoss } from './counterfactual.ts';
import { classWeight, type FocalSettings, priorBias } from './focal.ts';
import type { LogitHistogram } from './histogram.ts';
import { shiftLogits, sliceOf } from './histogramOps.ts';

export interface FirstStepFigures {
  readonly foreground: number;
  readonly background: number;
  /** Sums of |dL/dlogit|. */
  readonly foregroundGradient: number;
  readonly backgroundGradient: number;
}

/** Sums over an image, the mean of the images; `perPositive`: divided by the image's positives, at least 1. */
export interface FirstStepLoss extends FirstStepFigures {
  readonly perPositive: FirstStepFigures;
}

/**
 * Another prior is another bias of the last layer: every logit moves by the difference. Where the prior is null, the bias came with
 * the weights and is left as it is.
 */
export function firstStepUnder(
  firstStep: { histogram: LogitHistogram; prior: number | null; images: number },
  { prior, alpha, gamma }: FocalSettings & { prior: number },
): FirstStepLoss {
  const delta = firstStep.prior === null ? 0 : priorBias(prior) - priorBias(firstStep.prior);
  const histogram = shiftLogits(firstStep.histogram, delta);
  const foreground = sliceOf(histogram, 'all', ['foreground']);
  const background = sliceOf(histogram, 'all', ['backgroundTrue', 'backgroundOther']);
  const images = Math.max(1, firstStep.images);
  const positives = Math.max(1, foreground.counts.reduce((sum, count) => sum + count, 0) / images);
  const settings = { alpha, gamma };
  const figures = (divisor: number): FirstStepFigures => ({
    foreground: sliceLoss(foreground, true, settings) / divisor,
    background: sliceLoss(background, false, settings) / divisor,
    foregroundGradient: sliceGradient(foreground, true, settings) / divisor,
    backgroundGradient: sliceGradient(background, false, settings) / divisor,
  });
  return { ...figures(images), perPositive: figures(images * positives) };
}

/** The background loss of an image whose every logit stands at the prior: `anchors` that are background, by `classCount` classes. */
export function analyticBackground({
  anchors,
  classCount,
  prior,
  alpha,
  gamma,
}: FocalSettings & { anchors: number; classCount: number; prior: number }): number {
  return anchors * classCount * classWeight(false, alpha) * prior ** gamma * -Math.log1p(-prior);
}
