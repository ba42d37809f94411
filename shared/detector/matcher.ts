/**
 * Which ground truth each anchor answers for: torchvision's Matcher with low-quality matches, so that every ground truth that
 * touches an anchor at all has at least one. IoU is rounded to float32 at each operation: ties decide, so they must be torch's.
 */
import { boxArea, boxAreas } from './iou.ts';

/** The anchor is background for every class. */
export const matchBackground = -1;
/** The anchor takes no part in the classification loss. */
export const matchIgnored = -2;

export interface MatcherThresholds {
  /** IoU from which an anchor is foreground. */
  readonly foregroundIou: number;
  /** IoU below which an anchor is background; between the two it is ignored. */
  readonly backgroundIou: number;
}

export const defaultMatcherThresholds: MatcherThresholds = { foregroundIou: 0.5, backgroundIou: 0.4 };

/**
 * Matches anchors `[A * 4]` to ground truth `[G * 4]` (x1 y1 x2 y2, one frame): per anchor the index of its ground truth, or
 * `matchBackground`, or `matchIgnored`. An anchor that ties some ground truth's best IoU becomes foreground of its *own* best
 * ground truth whatever the thresholds say.
 *
 * One departure from torchvision: a ground truth that overlaps no anchor is passed over. There its best IoU is 0, every anchor
 * it does not touch ties that, and all of them turn foreground.
 */
export function matchAnchors(
  anchors: Float32Array,
  groundTruth: Float32Array,
  thresholds: MatcherThresholds = defaultMatcherThresholds,
): Int32Array {
  const count = anchors.length / 4;
  const scratch: Scratch = {
    areas: boxAreas(anchors),
    bestIou: new Float32Array(count),
    bestIndex: new Int32Array(count),
    forced: new Uint8Array(count),
    ties: new Int32Array(count),
  };
  for (let index = 0; index < groundTruth.length / 4; index++) {
    matchOne(anchors, groundTruth, index, scratch);
  }
  const matches = scratch.bestIndex;
  const foregroundIou = Math.fround(thresholds.foregroundIou);
  const backgroundIou = Math.fround(thresholds.backgroundIou);
  for (let anchor = 0; anchor < count; anchor++) {
    const iou = scratch.bestIou[anchor]!;
    if (iou >= foregroundIou || scratch.forced[anchor] === 1) continue;
    matches[anchor] = iou < backgroundIou ? matchBackground : matchIgnored;
  }
  return matches;
}

interface Scratch {
  readonly areas: Float32Array;
  /** Per anchor, the best IoU so far and the first ground truth that reached it. */
  readonly bestIou: Float32Array;
  readonly bestIndex: Int32Array;
  /** 1 where the anchor ties some ground truth's best IoU. */
  readonly forced: Uint8Array;
  /** Anchors that tie the current ground truth's best IoU. */
  readonly ties: Int32Array;
}

/** One ground truth against every anchor. The whole cost of matching is this loop: no allocation, no call. */
function matchOne(anchors: Float32Array, groundTruth: Float32Array, index: number, scratch: Scratch): void {
  const { fround } = Math;
  const { areas, bestIou, bestIndex, forced, ties } = scratch;
  const x1 = groundTruth[index * 4]!;
  const y1 = groundTruth[index * 4 + 1]!;
  const x2 = groundTruth[index * 4 + 2]!;
  const y2 = groundTruth[index * 4 + 3]!;
  const area = boxArea(groundTruth, index);
  let best = 0;
  let tieCount = 0;
  for (let anchor = 0, p = 0; anchor < areas.length; anchor++, p += 4) {
    const left = anchors[p]!;
    const right = anchors[p + 2]!;
    const width = fround((right < x2 ? right : x2) - (left > x1 ? left : x1));
    if (!(width > 0)) continue;
    const top = anchors[p + 1]!;
    const bottom = anchors[p + 3]!;
    const height = fround((bottom < y2 ? bottom : y2) - (top > y1 ? top : y1));
    if (!(height > 0)) continue;
    const intersection = fround(width * height);
    const iou = fround(intersection / fround(fround(area + areas[anchor]!) - intersection));
    if (iou > bestIou[anchor]!) {
      bestIou[anchor] = iou;
      bestIndex[anchor] = index;
    }
    if (iou > best) {
      best = iou;
      tieCount = 0;
    }
    if (iou === best) ties[tieCount++] = anchor;
  }
  if (best === 0) return;
  for (let tie = 0; tie < tieCount; tie++) forced[ties[tie]!] = 1;
}

/**
 * Turns background anchors whose centre lies in an ignore region `[R * 4]` to `matchIgnored`, in place; matched anchors keep
 * their match. The centre rule covers every anchor that lies more than half inside a region: more than half of its area means
 * more than half of both sides, and so the centre.
 */
export function applyIgnoreBoxes(
  matches: Int32Array,
  anchors: Float32Array,
  ignoreBoxes: Float32Array,
): Int32Array {
  if (ignoreBoxes.length === 0) return matches;
  for (let anchor = 0, p = 0; anchor < matches.length; anchor++, p += 4) {
    if (matches[anchor] !== matchBackground) continue;
    const x = (anchors[p]! + anchors[p + 2]!) / 2;
    const y = (anchors[p + 1]! + anchors[p + 3]!) / 2;
    for (let q = 0; q < ignoreBoxes.length; q += 4) {
      const inside =
        x >= ignoreBoxes[q]! &&
        x < ignoreBoxes[q + 2]! &&
        y >= ignoreBoxes[q + 1]! &&
        y < ignoreBoxes[q + 3]!;
      if (!inside) continue;
      matches[anchor] = matchIgnored;
      break;
    }
  }
  return matches;
}

/** Anchors that are foreground of some ground truth. */
export function countPositives(matches: Int32Array): number {
  let positives = 0;
  for (const match of matches) if (match >= 0) positives++;
  return positives;
}
