/** Non-maximum suppression, greedy and class-wise, as torchvision's `batched_nms` per-class loop. */
import { boxIou } from './iou.ts';

/** Indices `0..count-1`, highest score first; equal scores keep their order. */
export function orderByScore(scores: Float32Array): Int32Array {
  const order = Int32Array.from(scores, (_, index) => index);
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/**
 * Indices of the boxes to keep, highest score first: a box goes when a kept box of its own class overlaps it with IoU *above*
 * the threshold. Boxes are x1 y1 x2 y2 `[n * 4]`. Stops at `maxKept`: later boxes cannot change what is already kept.
 */
export function batchedNms(
  boxes: Float32Array,
  scores: Float32Array,
  classIndices: Int32Array,
  iouThreshold: number,
  maxKept = Number.POSITIVE_INFINITY,
): Int32Array {
  const kept: number[] = [];
  const keptByClass = new Map<number, number[]>();
  for (const candidate of orderByScore(scores)) {
    if (kept.length >= maxKept) break;
    const rivals = keptByClass.get(classIndices[candidate]!) ?? [];
    if (rivals.some((rival) => boxIou(boxes, rival, boxes, candidate) > iouThreshold)) continue;
    rivals.push(candidate);
    keptByClass.set(classIndices[candidate]!, rivals);
    kept.push(candidate);
  }
  return Int32Array.from(kept);
}
