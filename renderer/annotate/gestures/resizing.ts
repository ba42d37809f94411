/** Pulling one of the eight handles of a box; past the opposite side the box turns over. */
import type { BoxPx, BoxRecord } from '../../../shared/domain/box.ts';
import { cursorFor, type Handle, resizeBox } from '../canvas/handles.ts';
import type { SizePx } from '../canvas/viewport.ts';
import { type Gesture, noPan, type Outcome, type PointerPx, usableBox } from './gesture.ts';

export function resizing(start: PointerPx, box: BoxRecord, handle: Handle, image: SizePx): Gesture {
  let resized: BoxPx | null = null;

  function follow(pointer: PointerPx) {
    const dx = pointer.image.x - start.image.x;
    const dy = pointer.image.y - start.image.y;
    if (dx === 0 && dy === 0 && !resized) return;
    // Squeezed to nothing or pulled out of the image, the last usable size stays.
    resized = usableBox(resizeBox(box.boxPx, handle, dx, dy), image) ?? resized;
  }

  return {
    name: 'resizing',
    cursor: cursorFor(handle),
    move: follow,
    preview: () => resized && { boxPx: resized, boxId: box.id },
    takePan: () => noPan,
    up(pointer): Outcome {
      follow(pointer);
      if (!resized) return { kind: 'none' };
      return { kind: 'change', boxId: box.id, boxPx: resized, label: 'Resize box' };
    },
    cancel() {
      resized = null;
    },
  };
}
