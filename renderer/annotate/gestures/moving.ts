/** Moving a box inside the image. Shift keeps it to one direction. */
import type { BoxPx, BoxRecord } from '../../../shared/domain/box.ts';
import type { SizePx } from '../canvas/viewport.ts';
import {
  type Gesture,
  isFurther,
  moveWithin,
  noPan,
  type Outcome,
  type PointerPx,
  slopPx,
} from './gesture.ts';

export function moving(start: PointerPx, box: BoxRecord, image: SizePx): Gesture {
  let moved: BoxPx | null = null;

  function follow(pointer: PointerPx) {
    if (!moved && !isFurther(pointer.stage, start.stage, slopPx)) return;
    let dx = pointer.image.x - start.image.x;
    let dy = pointer.image.y - start.image.y;
    if (pointer.isShift) {
      if (Math.abs(dx) > Math.abs(dy)) dy = 0;
      else dx = 0;
    }
    moved = moveWithin(box.boxPx, dx, dy, image);
  }

  return {
    name: 'moving',
    cursor: 'move',
    move: follow,
    preview: () => moved && { boxPx: moved, boxId: box.id },
    takePan: () => noPan,
    up(pointer): Outcome {
      follow(pointer);
      if (!moved) return { kind: 'click', at: pointer.image };
      return { kind: 'change', boxId: box.id, boxPx: moved, label: 'Move box' };
    },
    cancel() {
      moved = null;
    },
  };
}
