/**
 * Greedy suppression over all anchors of an image: tens of thousands of boxes, of which thousands may be kept. A new one is compared
 * only with kept ones of about its size and place; the outcome is that of comparing it with all.
 */
import { boxIou } from '../detector/iou.ts';

/** Below it sizes that overlap differ too much to search by, but so few are kept that all of them can be compared. */
const lowestSearched = 0.25;

export class KeptBoxes {
  readonly #boxes: Float32Array;
  readonly #iouThreshold: number;
  /** Sizes are told apart by powers of two: those of two boxes of enough overlap are at most so many apart. */
  readonly #reach: number;
  /** Kept boxes by size and the cell of that size in which their centre lies. */
  readonly #cells = new Map<number, number[]>();

  /** `boxes` x1 y1 x2 y2 `[n * 4]`. */
  constructor(boxes: Float32Array, iouThreshold: number) {
    this.#boxes = boxes;
    this.#iouThreshold = iouThreshold;
    this.#reach = Math.ceil(-Math.log2(Math.max(iouThreshold, lowestSearched)));
  }

  /** Keeps a box and returns true, unless a kept one overlaps it with IoU above the threshold. */
  keep(index: number): boolean {
    const x1 = this.#boxes[index * 4]!;
    const y1 = this.#boxes[index * 4 + 1]!;
    const x2 = this.#boxes[index * 4 + 2]!;
    const y2 = this.#boxes[index * 4 + 3]!;
    // One without area, or not finite, overlaps nothing.
    if (!(x2 > x1 && y2 > y1 && Number.isFinite(x2 - x1 + y2 - y1))) return true;
    if (this.#iouThreshold < lowestSearched) return this.#keepIn(0, index, [0]);
    const size = Math.floor(Math.log2(Math.max(x2 - x1, y2 - y1))) + 1;
    const near: number[] = [];
    for (let other = size - this.#reach; other <= size + this.#reach; other++) {
      const cell = 2 ** other;
      const lastColumn = Math.floor(x2 / cell + 0.5);
      const lastRow = Math.floor(y2 / cell + 0.5);
      for (let row = Math.floor(y1 / cell - 0.5); row <= lastRow; row++) {
        for (let column = Math.floor(x1 / cell - 0.5); column <= lastColumn; column++) {
          near.push(cellKey(other, column, row));
        }
      }
    }
    const cell = 2 ** size;
    const own = cellKey(size, Math.floor((x1 + x2) / 2 / cell), Math.floor((y1 + y2) / 2 / cell));
    return this.#keepIn(own, index, near);
  }

  #keepIn(own: number, index: number, near: readonly number[]): boolean {
    for (const key of near) {
      for (const rival of this.#cells.get(key) ?? []) {
        if (boxIou(this.#boxes, rival, this.#boxes, index) > this.#iouThreshold) return false;
      }
    }
    const cell = this.#cells.get(own);
    if (cell) cell.push(index);
    else this.#cells.set(own, [index]);
    return true;
  }
}

/** Distinct for cells within half a million of the origin; beyond, cells that share a key only cost a comparison more. */
function cellKey(size: number, column: number, row: number): number {
  return (size * 2 ** 20 + row) * 2 ** 20 + column;
}
