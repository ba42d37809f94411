/** The two losses on tfjs. Terms stay unreduced until the statistics have read them. */
import {
  abs,
  add,
  concat,
  div,
  exp,
  matMul,
  maximum,
  minimum,
  mul,
  oneHot,
  relu,
  reshape,
  scalar,
  slice,
  softplus,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { maxLogRatio } from '../detector/boxCoder.ts';

/**
 * Sigmoid focal loss of every logit, `[rows, K]`. With z = logit where the target is 0 and -logit where it is 1, the
 * cross-entropy is softplus(z) and 1 - p_t is sigmoid(z) = exp(z - softplus(z)): finite at any logit, and without a branch.
 * `alpha` -1 weighs both sides alike.
 */
export function focalTerms(logits: Tensor2D, targets: Tensor2D, alpha: number, gamma: number): Tensor2D {
  const z: Tensor2D = mul(logits, sub(1, mul(2, targets)));
  const crossEntropy = softplus(z);
  const modulated: Tensor2D =
    gamma === 0 ? crossEntropy : mul(crossEntropy, exp(mul(gamma, sub(z, crossEntropy))));
  if (alpha < 0) return modulated;
  return mul(modulated, add(1 - alpha, mul(2 * alpha - 1, targets)));
}

/** One row per class and one for background, `[rows, K + 1]`; ignored anchors (-1) have no row set. */
export function classRows(classes: Tensor1D, classCount: number): Tensor2D {
  return oneHot(classes, classCount + 1, 1, 0, 'float32') as Tensor2D;
}

/** The first K columns: the classification targets. */
export function targetColumns(rows: Tensor2D, classCount: number): Tensor2D {
  return slice(rows, [0, 0], [-1, classCount]);
}

/**
 * Which anchors gave which logit how much loss, `[K + 1, K]`: row i is the anchors matched to class i (row K: background),
 * column j the loss of logit j. The diagonal is foreground; the rest of a column is background.
 */
export function lossMatrix(rows: Tensor2D, weightedTerms: Tensor2D): Tensor2D {
  return matMul(rows, weightedTerms, true, false);
}

/** Sum over the rows of weight times L1 of the four deltas. */
export function l1BoxLoss(deltas: Tensor2D, targets: Tensor2D, weights: Tensor2D): Tensor {
  return sum(mul(abs(sub(deltas, targets)), weights));
}

const giouEpsilon = 1e-7;

/** Sum over the rows of weight times (1 - GIoU) between the decoded box and the target box. */
export function giouBoxLoss(
  deltas: Tensor2D,
  anchors: Tensor2D,
  targets: Tensor2D,
  weights: Tensor2D,
): Tensor {
  const low = (t: Tensor2D): Tensor2D => slice(t, [0, 0], [-1, 2]);
  const high = (t: Tensor2D): Tensor2D => slice(t, [0, 2], [-1, 2]);
  const size = sub(high(anchors), low(anchors));
  const centre = add(add(mul(low(deltas), size), low(anchors)), mul(size, 0.5));
  const half = mul(mul(exp(minimum(high(deltas), scalar(maxLogRatio))), size), 0.5);
  const predictedLow = sub(centre, half);
  const predictedHigh = add(centre, half);
  const overlap = relu(sub(minimum(predictedHigh, high(targets)), maximum(predictedLow, low(targets))));
  const hull = sub(maximum(predictedHigh, high(targets)), minimum(predictedLow, low(targets)));
  const intersection = area(overlap);
  const united = sub(
    add(area(sub(predictedHigh, predictedLow)), area(sub(high(targets), low(targets)))),
    intersection,
  );
  const hullArea = area(hull);
  const iou = div(intersection, add(united, giouEpsilon));
  const giou = sub(iou, div(sub(hullArea, united), add(hullArea, giouEpsilon)));
  return sum(mul(sub(1, giou), weights));
}

/** Width times height, `[rows, 1]`. */
function area(size: Tensor): Tensor {
  return mul(slice(size, [0, 0], [-1, 1]), slice(size, [0, 1], [-1, 1]));
}

/** Per-image `[height, width, A * c]` outputs of all levels as rows in `buildAnchors`'s order. */
export function rowsOfLevels(levels: readonly Tensor[], columns: number): Tensor2D {
  const batch = levels[0]!.shape[0]!;
  const perImage = levels.map((level) => reshape(level, [batch, level.size / batch / columns, columns]));
  return reshape(concat(perImage, 1), [-1, columns]);
}
