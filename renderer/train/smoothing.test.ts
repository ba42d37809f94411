import { describe, expect, it } from 'vitest';
import { lossColumns, smoothSeries } from './smoothing.ts';

const point = (step: number, classification: number, box = 0.5, stepCount = 1) => ({
  step,
  stepCount,
  classification,
  box,
  positives: 1,
  balance: [],
});
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
    const points = [point(2, 4, 1, 2), point(4, 2, 1, 2), point(6, 1, 1, 2)];
    const columns = lossColumns(points, [evaluation(3, 0.2), evaluation(6, 0.4), evaluation(1, null)], {
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
    expect(lossColumns([point(1, 0, 0)], [], { smooth: true, floor: 1e-4 })[1]).toEqual([1e-4]);
  });
});
