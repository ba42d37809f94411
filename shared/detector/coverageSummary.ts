/** The coverage of many boxes in the few numbers that a person reads. */
import { type BoxCoverage, type Fit, fits } from './coverage.ts';
import { levelNames } from './network.ts';

export type FitCounts = Readonly<Record<Fit, number>>;

export interface ClassCoverage {
  readonly classIndex: number;
  readonly boxes: number;
  readonly counts: FitCounts;
  /** Medians over the class's boxes; null where it has none. */
  readonly bestIou: number | null;
  /** Square root of the area, at the network's size. */
  readonly sidePx: number | null;
  /** Mean positives of a box. */
  readonly positives: number;
}

export interface CoverageSummary {
  readonly boxes: number;
  readonly counts: FitCounts;
  /** Boxes by best IoU, `iouBins` equal parts of 0..1, per fit; those too small for the size are not among them. */
  readonly histogram: Readonly<Record<Exclude<Fit, 'too-small'>, readonly number[]>>;
  /** Anchors that answer for a box, on each level P3 to P7. */
  readonly positives: readonly number[];
  readonly classes: readonly ClassCoverage[];
}

export const iouBins = 20;

export function summariseCoverage(boxes: readonly BoxCoverage[], classCount: number): CoverageSummary {
  const histogram = { fitted: noBins(), forced: noBins(), unanswered: noBins() };
  for (const { fit, bestIou } of boxes) {
    if (fit !== 'too-small') histogram[fit][Math.min(iouBins - 1, Math.floor(bestIou * iouBins))]!++;
  }
  return {
    boxes: boxes.length,
    counts: countFits(boxes),
    histogram,
    positives: levelNames.map((_, level) => sum(boxes.map(({ positives }) => positives[level]!))),
    classes: Array.from({ length: classCount }, (_, classIndex) =>
      ofClass(
        boxes.filter((box) => box.classIndex === classIndex),
        classIndex,
      ),
    ),
  };
}

/** Boxes that learning hangs by a thread on: everything but `fitted`. */
export function badlyCovered(counts: FitCounts): number {
  return counts.forced + counts.unanswered + counts['too-small'];
}

/** Those furthest from any anchor, worst first; boxes that fit are not among them. */
export function worstCovered(boxes: readonly BoxCoverage[], most: number): BoxCoverage[] {
  return boxes
    .filter(({ fit }) => fit !== 'fitted')
    .sort((a, b) => a.bestIou - b.bestIou)
    .slice(0, most);
}

function ofClass(boxes: readonly BoxCoverage[], classIndex: number): ClassCoverage {
  const positives = sum(boxes.flatMap((box) => box.positives));
  return {
    classIndex,
    boxes: boxes.length,
    counts: countFits(boxes),
    bestIou: median(boxes.map(({ bestIou }) => bestIou)),
    sidePx: median(boxes.map(({ widthPx, heightPx }) => Math.sqrt(widthPx * heightPx))),
    positives: boxes.length > 0 ? positives / boxes.length : 0,
  };
}

function countFits(boxes: readonly BoxCoverage[]): FitCounts {
  const entries = fits.map((fit) => [fit, boxes.filter((box) => box.fit === fit).length]);
  return Object.fromEntries(entries) as Record<Fit, number>;
}

function noBins(): number[] {
  return new Array<number>(iouBins).fill(0);
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
