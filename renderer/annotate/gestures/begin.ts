/** Which gesture a press begins: the one place that knows tools, handles, stacks and keys held down. Pure. */
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { BoxIndex } from '../canvas/boxIndex.ts';
import { handleAt } from '../canvas/handles.ts';
import type { SizePx } from '../canvas/viewport.ts';
import { drawing } from './drawing.ts';
import type { Gesture, PointerPx } from './gesture.ts';
import { moving } from './moving.ts';
import { panning } from './panning.ts';
import { resizing } from './resizing.ts';

export interface Press {
  readonly pointer: PointerPx;
  readonly button: number;
  readonly isSpaceHeld: boolean;
  /** Ctrl, or Cmd on a Mac: the other tool for this one gesture. */
  readonly isModHeld: boolean;
}

export interface Surface {
  readonly tool: 'select' | 'draw';
  readonly index: BoxIndex;
  readonly selected: BoxRecord | null;
  readonly image: SizePx;
  readonly zoom: number;
}

/** How near to a handle or an edge the pointer must be, in CSS pixels. */
export const handleReachPx = 9;
export const edgeReachPx = 2;

export function beginGesture(press: Press, surface: Surface): Gesture | null {
  const { pointer, button } = press;
  if (button === 1 || (button === 0 && press.isSpaceHeld)) return panning(pointer, false);
  if (button !== 0) return null;
  if (isDrawing(surface.tool, press.isModHeld)) return drawing(pointer, surface.image);
  const { selected, zoom, image } = surface;
  if (selected) {
    const handle = handleAt(selected.boxPx, pointer.image, zoom, handleReachPx / zoom);
    if (handle) return resizing(pointer, selected, handle, image);
  }
  const stack = surface.index.at(pointer.image.x, pointer.image.y, edgeReachPx / zoom);
  const taken = stack.find(({ id }) => id === selected?.id) ?? stack[0];
  return taken ? moving(pointer, taken, image) : panning(pointer, true);
}

export function isDrawing(tool: Surface['tool'], isModHeld: boolean): boolean {
  return (tool === 'draw') !== isModHeld;
}
