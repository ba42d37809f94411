/** Pulling the view about. Let go without moving, it was a click. */
import type { PointPx } from '../canvas/viewport.ts';
import { type Gesture, isFurther, noPan, type Outcome, type PointerPx, slopPx } from './gesture.ts';

export function panning(start: PointerPx, isClickable: boolean): Gesture {
  let last: PointPx = start.stage;
  let isPanning = !isClickable;
  let pending: PointPx = noPan;

  return {
    name: 'panning',
    cursor: 'grabbing',
    move({ stage }) {
      if (!isPanning && !isFurther(stage, start.stage, slopPx)) return;
      isPanning = true;
      pending = { x: pending.x + stage.x - last.x, y: pending.y + stage.y - last.y };
      last = stage;
    },
    preview: () => null,
    takePan() {
      const pan = pending;
      pending = noPan;
      return pan;
    },
    up: (pointer): Outcome => (isPanning ? { kind: 'none' } : { kind: 'click', at: pointer.image }),
    cancel() {
      pending = noPan;
    },
  };
}
