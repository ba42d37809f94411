/** What makes a box fit its image, and what is said about one that did not. */
import { type BoxPx, clipToImage, heightPx, widthPx } from '../domain/box.ts';
import type { FormatBox, Note, SizePx } from './records.ts';

export interface FittedBoxes {
  readonly boxes: readonly FormatBox[];
  readonly notes: readonly Note[];
  /** A box had to be left out: the image is not fully labelled any more. */
  readonly incomplete: boolean;
}

/** Rounding in other tools' files puts borders a hair outside: such a box is clipped without a word. */
const silentOvershootPx = 0.51;
/** A side at most this long is named: most likely a slip of the hand. */
const thinPx = 1.01;

/** Clips boxes to their image. A box without area or without a part inside the image is left out and named. */
export function fitToImage(boxes: readonly FormatBox[], size: SizePx, file: string): FittedBoxes {
  const kept: FormatBox[] = [];
  const notes: Note[] = [];
  for (const box of boxes) {
    const where = `${box.className} at ${corners(box.boxPx)}`;
    if (!box.boxPx.every(Number.isFinite)) {
      notes.push({
        file,
        kind: 'bad-box',
        detail: `${where}: a coordinate is not a number; the box is left out.`,
      });
      continue;
    }
    if (widthPx(box.boxPx) <= 0 || heightPx(box.boxPx) <= 0) {
      notes.push({ file, kind: 'no-area', detail: `${where} has no area; the box is left out.` });
      continue;
    }
    const clipped = clipToImage(box.boxPx, size.widthPx, size.heightPx);
    if (widthPx(clipped) <= 0 || heightPx(clipped) <= 0) {
      const detail = `${where} lies outside its image of ${sizeText(size)}; the box is left out.`;
      notes.push({ file, kind: 'box-outside', detail });
      continue;
    }
    if (overshoot(box.boxPx, size) > silentOvershootPx) {
      const detail = `${where} reaches beyond its image of ${sizeText(size)}; clipped to ${corners(clipped)}.`;
      notes.push({ file, kind: 'box-clipped', detail });
    }
    if (Math.min(widthPx(clipped), heightPx(clipped)) <= thinPx) {
      const detail = `${where} is ${short(widthPx(clipped))} x ${short(heightPx(clipped))} pixels: thin as a slip of the hand; kept.`;
      notes.push({ file, kind: 'thin-box', detail });
    }
    kept.push({ ...box, boxPx: clipped });
  }
  return { boxes: kept, notes, incomplete: kept.length < boxes.length };
}

function overshoot(box: BoxPx, size: SizePx): number {
  return Math.max(-box[0], -box[1], box[2] - size.widthPx, box[3] - size.heightPx);
}

export function corners(box: BoxPx): string {
  return `(${short(box[0])}, ${short(box[1])})-(${short(box[2])}, ${short(box[3])})`;
}

export function sizeText(size: SizePx): string {
  return `${size.widthPx} x ${size.heightPx}`;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/**
 * A box drawn on the stored pixels, on the upright image. `orientation` is EXIF's (1..8), `stored` the size before it is applied.
 * Source: Exif 2.32, tag 0x0112.
 */
export function toUpright(box: BoxPx, stored: SizePx, orientation: number): BoxPx {
  const { widthPx: w, heightPx: h } = stored;
  const [x1, y1, x2, y2] = box;
  switch (orientation) {
    case 2:
      return [w - x2, y1, w - x1, y2];
    case 3:
      return [w - x2, h - y2, w - x1, h - y1];
    case 4:
      return [x1, h - y2, x2, h - y1];
    case 5:
      return [y1, x1, y2, x2];
    case 6:
      return [h - y2, x1, h - y1, x2];
    case 7:
      return [h - y2, w - x2, h - y1, w - x1];
    case 8:
      return [y1, w - x2, y2, w - x1];
    default:
      return box;
  }
}

/** Whether every box lies inside an image of the given size, give or take a pixel. */
export function allInside(boxes: readonly FormatBox[], size: SizePx): boolean {
  return boxes.every((box) => overshoot(box.boxPx, size) <= 1);
}
