/**
 * A box on an image. Coordinates are pixel *edges* of the upright (EXIF-applied) image: float, 0-based, x2 and y2
 * exclusive, so a box over the first pixel alone is [0, 0, 1, 1].
 */
export type BoxPx = readonly [x1: number, y1: number, x2: number, y2: number];

/** Who drew a box first. An accepted proposal stays `model` for ever: an audit needs to know. */
export type BoxOrigin = 'person' | 'model';

/** `label`: ground truth. `proposal`: a detection nobody has accepted; it is never exported and never trained on. */
export type BoxStatus = 'label' | 'proposal';

export interface BoxRecord {
  readonly id: string;
  readonly imageId: string;
  readonly classId: number;
  readonly boxPx: BoxPx;
  readonly status: BoxStatus;
  readonly origin: BoxOrigin;
  /** Confidence in 0..1 where a model drew the box, else null. */
  readonly score: number | null;
  /** The run whose weights drew it, else null. */
  readonly runId: string | null;
  /** An ignore region: neither positive nor background for the loss. */
  readonly ignore: boolean;
  readonly difficult: boolean;
  readonly occluded: boolean;
  readonly truncated: boolean;
}

export function widthPx(box: BoxPx): number {
  return box[2] - box[0];
}

export function heightPx(box: BoxPx): number {
  return box[3] - box[1];
}

export function areaPx(box: BoxPx): number {
  return Math.max(0, widthPx(box)) * Math.max(0, heightPx(box));
}

/** Corners in any order to x1 <= x2, y1 <= y2. */
export function fromCorners(ax: number, ay: number, bx: number, by: number): BoxPx {
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
}

/** The part of the box inside an image of the given size; may be empty (x1 === x2). */
export function clipToImage(box: BoxPx, imageWidth: number, imageHeight: number): BoxPx {
  const clamp = (value: number, high: number) => Math.min(Math.max(value, 0), high);
  return [
    clamp(box[0], imageWidth),
    clamp(box[1], imageHeight),
    clamp(box[2], imageWidth),
    clamp(box[3], imageHeight),
  ];
}

/** The labels among an image's boxes, in their order: what is exported and trained on. */
export function labelsOf(boxes: readonly BoxRecord[]): BoxRecord[] {
  return boxes.filter((box) => box.status === 'label');
}

/** The proposals among an image's boxes, in their order. */
export function proposalsOf(boxes: readonly BoxRecord[]): BoxRecord[] {
  return boxes.filter((box) => box.status === 'proposal');
}
