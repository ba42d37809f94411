/**
 * One gesture, one state: begun at pointer down, told every move, ended by pointer up or by Escape. A gesture changes nothing
 * itself; it says what the screen shows meanwhile and what shall happen at the end.
 */
import { type BoxPx, clipToImage } from '../../../shared/domain/box.ts';
import type { PointPx, SizePx } from '../canvas/viewport.ts';

/** Where the pointer is, in both frames, and what is held down. */
export interface PointerPx {
  readonly stage: PointPx;
  readonly image: PointPx;
  readonly isShift: boolean;
}

/** What a gesture shows while it lasts: the box in the making and the id of the one it stands for. */
export interface Preview {
  readonly boxPx: BoxPx;
  readonly boxId: string | null;
}

export type Outcome =
  | { readonly kind: 'none' }
  /** Pressed and let go without moving: select what lies there. */
  | { readonly kind: 'click'; readonly at: PointPx }
  | { readonly kind: 'draw'; readonly boxPx: BoxPx }
  | { readonly kind: 'change'; readonly boxId: string; readonly boxPx: BoxPx; readonly label: string };

export interface Gesture {
  readonly name: 'drawing' | 'moving' | 'resizing' | 'panning';
  readonly cursor: string;
  move(pointer: PointerPx): void;
  /** Null before there is anything to show. */
  preview(): Preview | null;
  /** How far the view shall move with the last `move`, in CSS pixels. */
  takePan(): PointPx;
  up(pointer: PointerPx): Outcome;
  cancel(): void;
}

/** Below this a press is a click, in CSS pixels. */
export const slopPx = 3;

export const noPan: PointPx = { x: 0, y: 0 };

export function isFurther(a: PointPx, b: PointPx, distancePx: number): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) > distancePx;
}

/** The box within the image; null where less than one pixel of it would be left in either direction. */
export function usableBox(box: BoxPx, image: SizePx): BoxPx | null {
  const clipped = clipToImage(box, image.width, image.height);
  return clipped[2] - clipped[0] >= 1 && clipped[3] - clipped[1] >= 1 ? clipped : null;
}

/** Moves a box, stopped by the image's rim with its size kept. A box larger than the image keeps its place there. */
export function moveWithin(box: BoxPx, dx: number, dy: number, image: SizePx): BoxPx {
  const held = (from: number, to: number, by: number, room: number) => {
    const low = Math.min(0, -from);
    const high = Math.max(0, room - to);
    return Math.min(high, Math.max(low, by));
  };
  const x = held(box[0], box[2], dx, image.width);
  const y = held(box[1], box[3], dy, image.height);
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}
