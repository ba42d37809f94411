/** The eight places where a selected box can be taken to resize it. Pure. */
import { type BoxPx, fromCorners } from '../../../shared/domain/box.ts';
import type { PointPx } from './viewport.ts';

/** Which edges a handle moves: -1 the first (left, top), 1 the second, 0 neither. */
export interface Handle {
  readonly name: 'nw' | 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w';
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

/** Corners first: where handles of a small box lie on each other, a corner is what is wanted. */
export const handles: readonly Handle[] = [
  { name: 'nw', x: -1, y: -1 },
  { name: 'ne', x: 1, y: -1 },
  { name: 'se', x: 1, y: 1 },
  { name: 'sw', x: -1, y: 1 },
  { name: 'n', x: 0, y: -1 },
  { name: 'e', x: 1, y: 0 },
  { name: 's', x: 0, y: 1 },
  { name: 'w', x: -1, y: 0 },
];

export function handlePoint(box: BoxPx, handle: Handle): PointPx {
  const along = (from: number, to: number, side: -1 | 0 | 1) =>
    side === -1 ? from : side === 1 ? to : (from + to) / 2;
  return { x: along(box[0], box[2], handle.x), y: along(box[1], box[3], handle.y) };
}

/** Middles are left out where a side is too short on the screen for three handles. */
export function offeredHandles(box: BoxPx, zoom: number): readonly Handle[] {
  const roomPx = 36;
  return handles.filter(({ x, y }) => {
    if (x === 0) return (box[2] - box[0]) * zoom >= roomPx;
    if (y === 0) return (box[3] - box[1]) * zoom >= roomPx;
    return true;
  });
}

/** The handle within `reachPx` image pixels of the point, the nearest one; null where there is none. */
export function handleAt(box: BoxPx, point: PointPx, zoom: number, reachPx: number): Handle | null {
  let nearest: Handle | null = null;
  let nearestPx = reachPx;
  for (const handle of offeredHandles(box, zoom)) {
    const at = handlePoint(box, handle);
    const distancePx = Math.max(Math.abs(at.x - point.x), Math.abs(at.y - point.y));
    if (distancePx < nearestPx) {
      nearest = handle;
      nearestPx = distancePx;
    }
  }
  return nearest;
}

/** The box with the handle's edges moved by (dx, dy). Pulled past the opposite edge, it turns over. */
export function resizeBox(box: BoxPx, handle: Handle, dx: number, dy: number): BoxPx {
  return fromCorners(
    box[0] + (handle.x === -1 ? dx : 0),
    box[1] + (handle.y === -1 ? dy : 0),
    box[2] + (handle.x === 1 ? dx : 0),
    box[3] + (handle.y === 1 ? dy : 0),
  );
}

export function cursorFor(handle: Handle): string {
  return `${handle.name}-resize`;
}
