/**
 * Box regression losses per anchor, unreduced, with their gradient by the predicted deltas: L1 on the deltas (torchvision's
 * RetinaNet v1) and GIoU on the decoded boxes (v2). Anchors without a match have loss and gradient 0; the caller divides the
 * sum by max(1, positives) per image.
 */
import { decodeOne, encodeMatched, maxLogRatio } from '../detector/boxCoder.ts';

export interface BoxLossInput {
  /** Predicted `[A * 4]`, dx dy dw dh. */
  readonly deltas: Float32Array;
  /** `[A * 4]` */
  readonly anchors: Float32Array;
  /** `[G * 4]`, the frame of the anchors. */
  readonly groundTruth: Float32Array;
  /** `[A]`, of `matchAnchors`. */
  readonly matches: Int32Array;
}

export interface BoxLossTerms {
  /** `[A]` */
  readonly loss: Float32Array;
  /** `[A * 4]`, derivative of the anchor's loss by its deltas. */
  readonly gradient: Float32Array;
}

export type BoxLoss = (input: BoxLossInput) => BoxLossTerms;

export const boxLosses = { l1: l1Loss, giou: giouLoss } satisfies Record<string, BoxLoss>;

/** Sum of the four absolute differences to the matched ground truth's deltas. */
export function l1Loss({ deltas, anchors, groundTruth, matches }: BoxLossInput): BoxLossTerms {
  const targets = encodeMatched(groundTruth, anchors, matches);
  const loss = new Float32Array(matches.length);
  const gradient = new Float32Array(deltas.length);
  for (let anchor = 0; anchor < matches.length; anchor++) {
    if (matches[anchor]! < 0) continue;
    let sum = 0;
    for (let p = anchor * 4; p < anchor * 4 + 4; p++) {
      const difference = deltas[p]! - targets[p]!;
      sum += Math.abs(difference);
      gradient[p] = Math.sign(difference);
    }
    loss[anchor] = sum;
  }
  return { loss, gradient };
}

/** 1 - GIoU of the decoded box and the matched ground truth, 0 to 2. */
export function giouLoss({ deltas, anchors, groundTruth, matches }: BoxLossInput): BoxLossTerms {
  const loss = new Float32Array(matches.length);
  const gradient = new Float32Array(deltas.length);
  const box = new Float32Array(4);
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match < 0) continue;
    const p = anchor * 4;
    decodeOne(deltas, p, anchors, p, box, 0);
    const pair = giouOfPair(box, groundTruth.subarray(match * 4, match * 4 + 4));
    loss[anchor] = pair.loss;
    const [byX1, byY1, byX2, byY2] = pair.gradient;
    gradient[p] = (byX1 + byX2) * (anchors[p + 2]! - anchors[p]!);
    gradient[p + 1] = (byY1 + byY2) * (anchors[p + 3]! - anchors[p + 1]!);
    // A clamped dw or dh no longer moves the box.
    if (deltas[p + 2]! <= maxLogRatio) gradient[p + 2] = ((byX2 - byX1) * (box[2]! - box[0]!)) / 2;
    if (deltas[p + 3]! <= maxLogRatio) gradient[p + 3] = ((byY2 - byY1) * (box[3]! - box[1]!)) / 2;
  }
  return { loss, gradient };
}

type Corners = [x1: number, y1: number, x2: number, y2: number];

/** torchvision's eps in both denominators. */
const epsilon = 1e-7;

/** 1 - GIoU of two boxes x1 y1 x2 y2 and its derivative by the first one's corners. */
export function giouOfPair(
  box: ArrayLike<number>,
  target: ArrayLike<number>,
): { loss: number; gradient: Corners } {
  const width = box[2]! - box[0]!;
  const height = box[3]! - box[1]!;
  const innerWidth = Math.min(box[2]!, target[2]!) - Math.max(box[0]!, target[0]!);
  const innerHeight = Math.min(box[3]!, target[3]!) - Math.max(box[1]!, target[1]!);
  const overlap = innerWidth > 0 && innerHeight > 0;
  const intersection = overlap ? innerWidth * innerHeight : 0;
  const targetArea = (target[2]! - target[0]!) * (target[3]! - target[1]!);
  const union = width * height + targetArea - intersection;
  const hullWidth = Math.max(box[2]!, target[2]!) - Math.min(box[0]!, target[0]!);
  const hullHeight = Math.max(box[3]!, target[3]!) - Math.min(box[1]!, target[1]!);
  const hull = hullWidth * hullHeight;
  const loss = 1 - intersection / (union + epsilon) + (hull - union) / (hull + epsilon);

  /** By one corner coordinate: `sign` -1 at x1 and y1; `inside` its share in the intersection's edge, the rest in the hull's. */
  const byCorner = (sign: number, inside: number, side: number, innerSide: number, hullSide: number) => {
    const dIntersection = overlap ? sign * inside * innerSide : 0;
    const dUnion = sign * side - dIntersection;
    const dHull = sign * (1 - inside) * hullSide;
    const dIou = (dIntersection * (union + epsilon) - intersection * dUnion) / (union + epsilon) ** 2;
    const dGap = ((dHull - dUnion) * (hull + epsilon) - (hull - union) * dHull) / (hull + epsilon) ** 2;
    return dGap - dIou;
  };
  const gradient: Corners = [
    byCorner(-1, shareOf(box[0]! - target[0]!), height, innerHeight, hullHeight),
    byCorner(-1, shareOf(box[1]! - target[1]!), width, innerWidth, hullWidth),
    byCorner(1, shareOf(target[2]! - box[2]!), height, innerHeight, hullHeight),
    byCorner(1, shareOf(target[3]! - box[3]!), width, innerWidth, hullWidth),
  ];
  return { loss, gradient };
}

/** 1 where the coordinate lies inside the target's, 0 outside, and half at a tie, as torch shares the gradient of max. */
function shareOf(distanceInside: number): number {
  return distanceInside > 0 ? 1 : distanceInside < 0 ? 0 : 0.5;
}
