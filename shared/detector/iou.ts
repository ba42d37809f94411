/** Overlap of boxes x1 y1 x2 y2 in float32, each operation rounded as torchvision's `box_iou` rounds it. */

const { fround } = Math;

/** Intersection over union of box `i` of `a` and box `j` of `b` (flat `[count * 4]`); 0 where they do not overlap. */
export function boxIou(a: Float32Array, i: number, b: Float32Array, j: number): number {
  const p = i * 4;
  const q = j * 4;
  const width = fround(Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!));
  if (width <= 0) return 0;
  const height = fround(Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!));
  if (height <= 0) return 0;
  const intersection = fround(width * height);
  return fround(intersection / fround(fround(boxArea(a, i) + boxArea(b, j)) - intersection));
}

/** Area of box `i` of a flat `[count * 4]` array, in float32. */
export function boxArea(boxes: Float32Array, i: number): number {
  const p = i * 4;
  return fround(fround(boxes[p + 2]! - boxes[p]!) * fround(boxes[p + 3]! - boxes[p + 1]!));
}

/** Areas of all boxes of a flat `[count * 4]` array. */
export function boxAreas(boxes: Float32Array): Float32Array {
  const areas = new Float32Array(boxes.length / 4);
  for (let i = 0; i < areas.length; i++) areas[i] = boxArea(boxes, i);
  return areas;
}
