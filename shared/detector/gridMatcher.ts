/**
 * `matchAnchors` and `applyIgnoreBoxes` for anchors on a grid, with the same answers in a hundredth of the time: a box is compared with
 * no anchors but those that stand near it and are near its size.
 */
import type { AnchorGrid, GridLevel } from './anchorGrid.ts';
import { boxArea, boxAreas, boxIou } from './iou.ts';
import { defaultMatcherThresholds, matchBackground, matchIgnored } from './matcher.ts';

const foregroundIou = Math.fround(defaultMatcherThresholds.foregroundIou);
const backgroundIou = Math.fround(defaultMatcherThresholds.backgroundIou);

/** Keeps what it works with from image to image. */
export class GridMatcher {
  readonly grid: AnchorGrid;
  readonly #areas: Float32Array;
  readonly #bestIou: Float32Array;
  readonly #bestIndex: Int32Array;
  /** 1 where the anchor ties some ground truth's best IoU. */
  readonly #forced: Uint8Array;
  /** Anchors with a best IoU so far. */
  readonly #touched: number[] = [];
  /** Anchors that tie the current ground truth's best IoU, and that IoU. */
  readonly #ties: number[] = [];
  #best = 0;

  constructor(grid: AnchorGrid) {
    const count = grid.anchors.length / 4;
    this.grid = grid;
    this.#areas = boxAreas(grid.anchors);
    this.#bestIou = new Float32Array(count);
    this.#bestIndex = new Int32Array(count);
    this.#forced = new Uint8Array(count);
  }

  /** Writes every anchor's match to `matches`, `[A]`; boxes `[G * 4]` and regions `[R * 4]` in the frame of the anchors. */
  match(groundTruth: Float32Array, ignoreBoxes: Float32Array, matches: Int32Array): void {
    matches.fill(matchBackground);
    for (let index = 0; index < groundTruth.length / 4; index++) this.#matchOne(groundTruth, index);
    for (const anchor of this.#touched) {
      matches[anchor] = this.#matchOf(anchor, groundTruth);
      this.#bestIou[anchor] = 0;
      this.#forced[anchor] = 0;
    }
    this.#touched.length = 0;
    for (let region = 0; region < ignoreBoxes.length; region += 4) this.#ignore(ignoreBoxes, region, matches);
  }

  /**
   * Cells of another size than the box's never reach an IoU that decides anything, unless there is no better one: those are looked at
   * where the others did not come so far.
   */
  #matchOne(groundTruth: Float32Array, index: number): void {
    this.#best = 0;
    this.#ties.length = 0;
    this.#compareCells(groundTruth, index, backgroundIou, Number.POSITIVE_INFINITY);
    if (this.#best < backgroundIou) this.#compareCells(groundTruth, index, this.#best, backgroundIou);
    if (this.#best > 0) for (const tie of this.#ties) this.#forced[tie] = 1;
  }

  /** All anchors near the box of the cells whose IoU with it is at most from `low` up to `high`. */
  #compareCells(groundTruth: Float32Array, index: number, low: number, high: number): void {
    const p = index * 4;
    const [x1, y1, x2, y2] = [groundTruth[p]!, groundTruth[p + 1]!, groundTruth[p + 2]!, groundTruth[p + 3]!];
    for (const level of this.grid.levels) {
      const { cells, strideX, strideY } = level;
      for (let cell = 0; cell < cells.length; cell += 4) {
        const most = mostIou(
          x2 - x1,
          y2 - y1,
          cells[cell + 2]! - cells[cell]!,
          cells[cell + 3]! - cells[cell + 1]!,
        );
        if (!(most >= low && most < high)) continue;
        // One position more on each side than has to be: what is rounded in between moves nothing so far.
        const window = {
          left: Math.floor((x1 - cells[cell + 2]!) / strideX),
          right: Math.ceil((x2 - cells[cell]!) / strideX),
          top: Math.floor((y1 - cells[cell + 3]!) / strideY),
          bottom: Math.ceil((y2 - cells[cell + 1]!) / strideY),
        };
        this.#compareWindow(groundTruth, index, level, cell / 4, window);
      }
    }
  }

  /** The whole cost of matching is this loop: no allocation, no call. */
  #compareWindow(
    groundTruth: Float32Array,
    index: number,
    level: GridLevel,
    cell: number,
    window: Window,
  ): void {
    const { fround } = Math;
    const { anchors, perPosition } = this.grid;
    const areas = this.#areas;
    const bestIou = this.#bestIou;
    const [p, area] = [index * 4, boxArea(groundTruth, index)];
    const [x1, y1, x2, y2] = [groundTruth[p]!, groundTruth[p + 1]!, groundTruth[p + 2]!, groundTruth[p + 3]!];
    const fromX = Math.max(0, window.left);
    const count = Math.min(level.width - 1, window.right) - fromX + 1;
    for (let y = Math.max(0, window.top); y <= Math.min(level.height - 1, window.bottom); y++) {
      let anchor = level.first + (y * level.width + fromX) * perPosition + cell;
      for (const end = anchor + count * perPosition; anchor < end; anchor += perPosition) {
        const q = anchor * 4;
        const [left, top, right, bottom] = [anchors[q]!, anchors[q + 1]!, anchors[q + 2]!, anchors[q + 3]!];
        const width = fround((right < x2 ? right : x2) - (left > x1 ? left : x1));
        const height = fround((bottom < y2 ? bottom : y2) - (top > y1 ? top : y1));
        if (!(width > 0 && height > 0)) continue;
        const intersection = fround(width * height);
        const iou = fround(intersection / fround(fround(area + areas[anchor]!) - intersection));
        if (iou > bestIou[anchor]!) this.#raise(anchor, iou, index);
        if (iou >= this.#best) this.#tie(anchor, iou);
      }
    }
  }

  #raise(anchor: number, iou: number, index: number): void {
    if (this.#bestIou[anchor] === 0) this.#touched.push(anchor);
    this.#bestIou[anchor] = iou;
    this.#bestIndex[anchor] = index;
  }

  #tie(anchor: number, iou: number): void {
    if (iou > this.#best) this.#ties.length = 0;
    this.#best = iou;
    this.#ties.push(anchor);
  }

  #matchOf(anchor: number, groundTruth: Float32Array): number {
    const iou = this.#bestIou[anchor]!;
    if (iou >= foregroundIou) return this.#bestIndex[anchor]!;
    if (this.#forced[anchor] === 0) return iou < backgroundIou ? matchBackground : matchIgnored;
    return iou >= backgroundIou ? this.#bestIndex[anchor]! : this.#ownBest(anchor, groundTruth);
  }

  /** Of an anchor whose IoUs are so small that not all of them were looked at: the first ground truth of the largest. */
  #ownBest(anchor: number, groundTruth: Float32Array): number {
    let best = 0;
    let bestIndex = 0;
    for (let index = 0; index < groundTruth.length / 4; index++) {
      const iou = boxIou(groundTruth, index, this.grid.anchors, anchor);
      if (iou > best) {
        best = iou;
        bestIndex = index;
      }
    }
    return bestIndex;
  }

  /** Background whose centre lies in the region. */
  #ignore(regions: Float32Array, p: number, matches: Int32Array): void {
    const { anchors } = this.grid;
    const [x1, y1, x2, y2] = [regions[p]!, regions[p + 1]!, regions[p + 2]!, regions[p + 3]!];
    for (const level of this.grid.levels) {
      const { cells, strideX, strideY } = level;
      for (let cell = 0; cell < cells.length; cell += 4) {
        const centreX = (cells[cell]! + cells[cell + 2]!) / 2;
        const centreY = (cells[cell + 1]! + cells[cell + 3]!) / 2;
        const left = Math.floor((x1 - centreX) / strideX);
        const right = Math.ceil((x2 - centreX) / strideX);
        const top = Math.floor((y1 - centreY) / strideY);
        const bottom = Math.ceil((y2 - centreY) / strideY);
        forEachAnchor(this.grid, level, cell / 4, { left, top, right, bottom }, (anchor) => {
          if (matches[anchor] !== matchBackground) return;
          const x = (anchors[anchor * 4]! + anchors[anchor * 4 + 2]!) / 2;
          const y = (anchors[anchor * 4 + 1]! + anchors[anchor * 4 + 3]!) / 2;
          if (x >= x1 && x < x2 && y >= y1 && y < y2) matches[anchor] = matchIgnored;
        });
      }
    }
  }
}

/** An IoU that two boxes of these sides never exceed, wherever they lie; a little more than that, for sides are rounded. */
function mostIou(width: number, height: number, otherWidth: number, otherHeight: number): number {
  const shared = Math.min(width, otherWidth) * Math.min(height, otherHeight);
  return (1.001 * shared) / (width * height + otherWidth * otherHeight - shared);
}

/** Positions, both ends included; they may lie outside the grid. */
interface Window {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function forEachAnchor(
  { perPosition }: AnchorGrid,
  { first, width, height }: GridLevel,
  cell: number,
  { left, top, right, bottom }: Window,
  visit: (anchor: number) => void,
): void {
  const fromX = Math.max(0, left);
  const toX = Math.min(width - 1, right);
  for (let y = Math.max(0, top); y <= Math.min(height - 1, bottom); y++) {
    let anchor = first + (y * width + fromX) * perPosition + cell;
    for (let x = fromX; x <= toX; x++, anchor += perPosition) visit(anchor);
  }
}
