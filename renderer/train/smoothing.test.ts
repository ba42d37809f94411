import { describe, expect, it } from 'vitest';
import { appendRow, emptyCourse } from '../store/runHistoryCourse.ts';
import { lossColumns, smoothSeries } from './smoothing.ts';

/** Rows: step, steps that it stands for, classification, box, positives. */
const courseOf = (stride: number, ...rows: [number, number, number, number, number][]) =>
  rows.reduce((course, row) => appendRow(course, Float64Array.from(row)), { ...emptyCourse([]), stride });
const evaluation = (step: number, AP50: number | null) => ({
  event: 'evaluation' as const,
  step,
  AP: AP50,
  AP50,
  perClass: {},
  images: 1,
});

describe('smoothSeries', () => {
  it('begins at the first value and keeps a constant', () => {
    expect(smoothSeries([3, 3, 3], 0.9).map((value) => Number(value.toFixed(9)))).toEqual([3, 3, 3]);
  });

  it('weighs the newest most', () => {
    // (0.5 * 0 * 0.5 + 0.5 * 3) / (0.25 + 0.5) = 2
    expect(smoothSeries([0, 3], 0.5)[1]).toBeCloseTo(2, 12);
    expect(smoothSeries([0, 3], 0)).toEqual([0, 3]);
  });
});

describe('lossColumns', () => {
  it('lines curves up with steps and puts each AP50 at the point that holds its step', () => {
    const course = courseOf(2, [2, 2, 4, 1, 1], [4, 2, 2, 1, 1], [6, 2, 1, 1, 1]);
    const columns = lossColumns(course, [evaluation(3, 0.2), evaluation(6, 0.4), evaluation(1, null)], {
      smooth: false,
      floor: 0,
    });
    expect(columns).toEqual([
      [2, 4, 6],
      [4, 2, 1],
      [1, 1, 1],
      [null, 0.2, 0.4],
    ]);
  });

  it('keeps values off zero for a logarithmic axis', () => {
    expect(lossColumns(courseOf(1, [1, 1, 0, 0, 1]), [], { smooth: true, floor: 1e-4 })[1]).toEqual([1e-4]);
  });
});
