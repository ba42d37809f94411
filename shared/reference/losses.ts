/** The two losses on tfjs. */
import {
  abs,
  add,
  concat,
  div,
  exp,
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
  type Tensor2D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { maxLogRatio } from '../detector/boxCoder.ts';
import type { TermForm } from '../loss/term.ts';

/**
 * The loss of every logit, `[rows, K]`, as `shared/loss/term.ts`. With z = logit where the target is 0 and -logit where it is 1, the
 * cross-entropy is softplus(z) and 1 - p_t is sigmoid(z) = exp(z - softplus(z)): finite at any logit, and without a branch.
 */
export function lossTerms(logits: Tensor2D, targets: Tensor2D, { alpha, gamma, beta }: TermForm): Tensor2D {
  const z: Tensor2D = mul(logits, sub(1, mul(2, targets)));
  const terms = beta === undefined ? focalTerms(z, gamma) : focalStarTerms(z, gamma, beta);
  if (alpha < 0) return terms;
  return mul(terms, add(1 - alpha, mul(2 * alpha - 1, targets)));
}

function focalTerms(z: Tensor2D, gamma: number): Tensor2D {
  const crossEntropy = softplus(z);
  return gamma === 0 ? crossEntropy : mul(crossEntropy, exp(mul(gamma, sub(z, crossEntropy))));
}

function focalStarTerms(z: Tensor2D, gamma: number, beta: number): Tensor2D {
  return div(softplus(sub(mul(gamma, z), beta)), gamma);
}

/** Classification targets `[rows, K]` of the rows' classes; background (K) and ignored anchors (-1) have none set. */
export function oneHotTargets(classes: Int32Array, classCount: number): Tensor2D {
  return oneHot(tensor1d(classes, 'int32'), classCount, 1, 0, 'float32') as Tensor2D;
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
