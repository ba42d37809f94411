import { expect, it } from 'vitest';
import type { BoxCoverage } from './coverage.ts';
import { badlyCovered, iouBins, summariseCoverage, worstCovered } from './coverageSummary.ts';

function box(changes: Partial<BoxCoverage>): BoxCoverage {
  return {
    imageId: 'a',
    boxPx: [0, 0, 10, 10],
    classIndex: 0,
    widthPx: 10,
    heightPx: 10,
    bestIou: 0.7,
    positives: [3, 1, 0, 0, 0],
    fit: 'fitted',
    ...changes,
  };
}

const boxes = [
  box({}),
  box({ bestIou: 1, widthPx: 40, heightPx: 10 }),
  box({ bestIou: 0.3, positives: [0, 1, 0, 0, 0], fit: 'forced', classIndex: 1, widthPx: 4, heightPx: 4 }),
  box({ bestIou: 0, positives: [0, 0, 0, 0, 0], fit: 'unanswered', classIndex: 1 }),
  box({ bestIou: 0, positives: [0, 0, 0, 0, 0], fit: 'too-small', widthPx: 0.5 }),
];

it('counts fits, overlaps and positives by level, over all classes and class by class', () => {
  const summary = summariseCoverage(boxes, 3);
  expect(summary.boxes).toBe(5);
  expect(summary.counts).toEqual({ fitted: 2, forced: 1, unanswered: 1, 'too-small': 1 });
  expect(badlyCovered(summary.counts)).toBe(3);
  expect(summary.positives).toEqual([6, 3, 0, 0, 0]);
  const filled = (bins: readonly number[]) => bins.flatMap((count, bin) => (count > 0 ? [[bin, count]] : []));
  expect(filled(summary.histogram.fitted)).toEqual([
    [14, 1],
    [iouBins - 1, 1],
  ]);
  expect(filled(summary.histogram.forced)).toEqual([[6, 1]]);
  expect(filled(summary.histogram.unanswered)).toEqual([[0, 1]]);
  expect(summary.classes[1]).toEqual({
    classIndex: 1,
    boxes: 2,
    counts: { fitted: 0, forced: 1, unanswered: 1, 'too-small': 0 },
    bestIou: 0.15,
    sidePx: 7,
    positives: 0.5,
  });
  expect(summary.classes[2]).toMatchObject({ boxes: 0, bestIou: null, sidePx: null, positives: 0 });
});

it('lists the worst first and none that fits', () => {
  const worst = worstCovered(boxes, 2);
  expect(worst.map(({ bestIou }) => bestIou)).toEqual([0, 0]);
  expect(worstCovered(boxes, 9).map(({ fit }) => fit)).toEqual(['unanswered', 'too-small', 'forced']);
});
