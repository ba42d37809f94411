/**
 * Boxes as offsets from anchors: torchvision's BoxCoder with weights (1, 1, 1, 1). dx, dy are centre shifts in anchor sides;
 * dw, dh are logarithms of side ratios, clamped on decoding so that an untrained network cannot overflow exp.
 */

/** Largest dw or dh that is decoded as it is: ln(1000 / 16). */
export const maxLogRatio = Math.log(1000 / 16);

/** Deltas `[n * 4]` (dx dy dw dh) that lead from the anchors to the boxes, pair by pair; both x1 y1 x2 y2 `[n * 4]`. */
export function encodeBoxes(boxes: Float32Array, anchors: Float32Array): Float32Array {
  const deltas = new Float32Array(boxes.length);
  for (let p = 0; p < boxes.length; p += 4) encodeOne(boxes, p, anchors, p, deltas, p);
  return deltas;
}

/**
 * Regression targets `[A * 4]` of every anchor: the deltas to its matched ground truth, zero where the anchor is not
 * foreground. `matches` as of `matchAnchors`.
 */
export function encodeMatched(
  groundTruth: Float32Array,
  anchors: Float32Array,
  matches: Int32Array,
): Float32Array {
  const deltas = new Float32Array(anchors.length);
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match >= 0) encodeOne(groundTruth, match * 4, anchors, anchor * 4, deltas, anchor * 4);
  }
  return deltas;
}

/** Boxes `[n * 4]`, x1 y1 x2 y2, that the deltas reach from the anchors. */
export function decodeBoxes(deltas: Float32Array, anchors: Float32Array): Float32Array {
  const boxes = new Float32Array(deltas.length);
  for (let p = 0; p < deltas.length; p += 4) decodeOne(deltas, p, anchors, p, boxes, p);
  return boxes;
}

/** Decodes the delta at flat offset `d` from the anchor at `a` into `out` at `o`. */
export function decodeOne(
  deltas: Float32Array,
  d: number,
  anchors: Float32Array,
  a: number,
  out: Float32Array,
  o: number,
): void {
  const anchorWidth = anchors[a + 2]! - anchors[a]!;
  const anchorHeight = anchors[a + 3]! - anchors[a + 1]!;
  const centreX = deltas[d]! * anchorWidth + anchors[a]! + anchorWidth / 2;
  const centreY = deltas[d + 1]! * anchorHeight + anchors[a + 1]! + anchorHeight / 2;
  const halfWidth = (Math.exp(Math.min(deltas[d + 2]!, maxLogRatio)) * anchorWidth) / 2;
  const halfHeight = (Math.exp(Math.min(deltas[d + 3]!, maxLogRatio)) * anchorHeight) / 2;
  out[o] = centreX - halfWidth;
  out[o + 1] = centreY - halfHeight;
  out[o + 2] = centreX + halfWidth;
  out[o + 3] = centreY + halfHeight;
}

function encodeOne(
  boxes: Float32Array,
  b: number,
  anchors: Float32Array,
  a: number,
  out: Float32Array,
  o: number,
): void {
  const anchorWidth = anchors[a + 2]! - anchors[a]!;
  const anchorHeight = anchors[a + 3]! - anchors[a + 1]!;
  const width = boxes[b + 2]! - boxes[b]!;
  const height = boxes[b + 3]! - boxes[b + 1]!;
  out[o] = (boxes[b]! + width / 2 - anchors[a]! - anchorWidth / 2) / anchorWidth;
  out[o + 1] = (boxes[b + 1]! + height / 2 - anchors[a + 1]! - anchorHeight / 2) / anchorHeight;
  out[o + 2] = Math.log(width / anchorWidth);
  out[o + 3] = Math.log(height / anchorHeight);
}
