/** Finds boxes by place, so that thousands of them cost no more than the few under the pointer or on the screen. */
import Flatbush from 'flatbush';
import { areaPx, type BoxPx, type BoxRecord } from '../../../shared/domain/box.ts';

export interface BoxIndex {
  readonly boxes: readonly BoxRecord[];
  /** Boxes that touch a part of the image, in drawing order. */
  within(part: BoxPx): readonly BoxRecord[];
  /** Boxes under a point, smallest first: the small one on top of a large one can always be had. */
  at(x: number, y: number, tolerancePx: number): readonly BoxRecord[];
}

export function indexBoxes(boxes: readonly BoxRecord[]): BoxIndex {
  if (boxes.length === 0) return { boxes, within: () => [], at: () => [] };
  const tree = new Flatbush(boxes.length, 16, Float32Array);
  for (const { boxPx } of boxes) tree.add(boxPx[0], boxPx[1], boxPx[2], boxPx[3]);
  tree.finish();
  const search = (x1: number, y1: number, x2: number, y2: number) =>
    tree
      .search(x1, y1, x2, y2)
      .sort((a, b) => a - b)
      .map((index) => boxes[index]!);
  return {
    boxes,
    within: (part) => search(...part),
    at: (x, y, tolerancePx) =>
      [...search(x - tolerancePx, y - tolerancePx, x + tolerancePx, y + tolerancePx)].sort(
        (a, b) => areaPx(a.boxPx) - areaPx(b.boxPx),
      ),
  };
}

/** What a click takes from a stack: the smallest, or, where the selected one lies in the stack, the next larger, then round. */
export function nextInStack(stack: readonly BoxRecord[], selectedId: string | null): BoxRecord | null {
  const selected = stack.findIndex(({ id }) => id === selectedId);
  return stack[(selected + 1) % stack.length] ?? null;
}
