/**
 * What a step's loss terms are divided by. `image`, as torchvision: each image's by its own positives, then the batch's mean.
 * `moving`, as detectron2: the batch's by a moving average of its positives. An image without objects has no positives, so by
 * `image` its thousands of background terms count a hundred times those of any other image, and one such image undoes
 * what the last ten have taught; by `moving` every anchor of every image weighs about the same.
 */
export const normalizerNames = ['moving', 'image'] as const;
export type NormalizerName = (typeof normalizerNames)[number];

/** Weight of every image's terms, `1 / (max(1, positives) * images)` (torchvision 0.14, `retinanet.py`). */
export function imageWeights(positivesPerImage: readonly number[]): number[] {
  return positivesPerImage.map((positives) => 1 / (Math.max(1, positives) * positivesPerImage.length));
}

/** detectron2's `_ema_update("loss_normalizer", max(positives, 1), 100)`: momentum 0.9, counted before the step that uses it. */
export class MovingPositives {
  /** Part of a run's state: saved and restored with the optimizer's. */
  average = 100;

  /** Takes the batch's positives in and returns the weight of every image's terms. */
  weights(positivesPerImage: readonly number[]): number[] {
    const positives = positivesPerImage.reduce((total, each) => total + each, 0);
    // Rounded to what a checkpoint keeps, so that a resumed run goes on with the very same number.
    this.average = Math.fround(0.9 * this.average + 0.1 * Math.max(1, positives));
    return positivesPerImage.map(() => 1 / this.average);
  }
}
