/** Where the words of marks go, so that none lies on another or on another's line. */
import type { ChartMark } from './chart.ts';
import { fitText, textWidthPx } from './words.ts';

export const markRowPx = 15;
export const markTextPx = 11;
const maxRows = 3;
const gapPx = 4;

export interface PlacedMark {
  readonly xPx: number;
  /** Empty where there was no room for words: the line stands alone. */
  readonly label: string;
  readonly labelLeftPx: number;
  /** From the top; the line begins beside its words. */
  readonly row: number;
}

interface Taken {
  readonly from: number;
  readonly to: number;
}

/** `place`: a mark's x in pixels, null outside of the plot. Marks by rising x. */
export function placeMarks(
  marks: readonly ChartMark[],
  place: (x: number) => number | null,
  widthPx: number,
): { readonly marks: readonly PlacedMark[]; readonly rows: number } {
  const taken: Taken[][] = Array.from({ length: maxRows }, () => []);
  const placed: PlacedMark[] = [];
  for (const mark of [...marks].sort((a, b) => a.x - b.x)) {
    const xPx = place(mark.x);
    if (xPx === null || xPx < -0.5 || xPx > widthPx + 0.5) continue;
    const label = fitText(mark.label, markTextPx, Math.max(xPx, widthPx - xPx) - gapPx);
    const wide = textWidthPx(label, markTextPx);
    const left = xPx + gapPx + wide <= widthPx ? xPx + gapPx : xPx - gapPx - wide;
    const row = label === '' || left < 0 ? -1 : freeRow(taken, xPx, { from: left, to: left + wide });
    if (row >= 0) taken[row]!.push({ from: Math.min(left, xPx), to: Math.max(left + wide, xPx) });
    placed.push({ xPx, label: row < 0 ? '' : label, labelLeftPx: left, row: Math.max(0, row) });
  }
  return { marks: placed, rows: taken.findLastIndex((row) => row.length > 0) + 1 };
}

/** Free for the words, with no words below in the line's way; -1: none is. */
function freeRow(taken: readonly (readonly Taken[])[], xPx: number, words: Taken): number {
  return taken.findIndex(
    (row, index) =>
      row.every(({ from, to }) => words.to + gapPx < from || words.from - gapPx > to) &&
      taken.slice(index + 1).every((below) => below.every(({ from, to }) => xPx < from - 1 || xPx > to + 1)),
  );
}
