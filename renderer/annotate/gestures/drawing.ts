/** Drawing a new box from corner to corner. Shift draws a square. */
import { type BoxPx, fromCorners } from '../../../shared/domain/box.ts';
import type { SizePx } from '../canvas/viewport.ts';
import {
  type Gesture,
  isFurther,
  noPan,
  type Outcome,
  type PointerPx,
  slopPx,
  usableBox,
} from './gesture.ts';

export function drawing(start: PointerPx, image: SizePx): Gesture {
  let isDragging = false;
  let boxPx: BoxPx | null = null;

  function follow(pointer: PointerPx) {
    if (!isDragging && isFurther(pointer.stage, start.stage, slopPx)) isDragging = true;
    if (!isDragging) return;
    let dx = pointer.image.x - start.image.x;
    let dy = pointer.image.y - start.image.y;
    if (pointer.isShift) {
      const side = Math.max(Math.abs(dx), Math.abs(dy));
      dx = side * (Math.sign(dx) || 1);
      dy = side * (Math.sign(dy) || 1);
    }
    const corner = { x: start.image.x + dx, y: start.image.y + dy };
    boxPx = usableBox(fromCorners(start.image.x, start.image.y, corner.x, corner.y), image);
  }

  return {
    name: 'drawing',
    cursor: 'crosshair',
    move: follow,
    preview: () => boxPx && { boxPx, boxId: null },
    takePan: () => noPan,
    up(pointer): Outcome {
      follow(pointer);
      if (!isDragging) return { kind: 'click', at: pointer.image };
      return boxPx ? { kind: 'draw', boxPx } : { kind: 'none' };
    },
    cancel() {
      boxPx = null;
      isDragging = false;
    },
  };
}
