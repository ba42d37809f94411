import { expect, it } from 'vitest';
import type { Fit } from '../../../shared/detector/coverage.ts';
import { summariseCoverage } from '../../../shared/detector/coverageSummary.ts';
import { coverageChart } from './coverageChart.ts';
import { costText, fitParts, percentText, planText, verdictOf } from './coverageWords.ts';

const plan = { minSizePx: 160, maxSizePx: 160, anchorScale: 1 };

function resultOf(counts: readonly (readonly [classIndex: number, fit: Fit, count: number])[]) {
  const boxes = counts.flatMap(([classIndex, fit, count]) =>
    Array.from({ length: count }, () => ({
      imageId: 'a',
      boxPx: [0, 0, 9, 9] as const,
      classIndex,
      widthPx: 9,
      heightPx: 9,
      bestIou: fit === 'fitted' ? 0.6 : 0.3,
      positives: [1, 0, 0, 0, 0],
      fit,
    })),
  );
  return { plan, summary: summariseCoverage(boxes, 2), pixels: 1, anchors: 1, worst: [] };
}

it('writes shares so that a few are not none and nearly all are not all', () => {
  expect([0, 0.0003, 0.004, 0.123, 0.9961, 1].map(percentText)).toEqual([
    '0 %',
    'under 0.1 %',
    '0.4 %',
    '12 %',
    '99.6 %',
    '100 %',
  ]);
});

it('judges by the class that is worst off, and names it', () => {
  const names = ['RBC', 'Platelets'];
  const bad = verdictOf(
    resultOf([
      [0, 'fitted', 980],
      [1, 'fitted', 4],
      [1, 'forced', 16],
    ]),
    names,
  );
  expect(bad).toEqual({
    tone: 'bad',
    text: '16 of your 1,000 boxes (2 %) have no anchor that fits, at 160 px.',
    worst: 'Of Platelets, 80 %.',
  });
  const good = verdictOf(resultOf([[0, 'fitted', 7]]), names);
  expect(good).toEqual({
    tone: 'good',
    text: 'Every one of your 7 boxes has an anchor that fits, at 160 px.',
    worst: null,
  });
});

it('says what a plan changes and what it costs', () => {
  expect(planText({ ...plan, minSizePx: 224, maxSizePx: 224 }, plan)).toBe('Image side 224 px');
  expect(planText({ minSizePx: 224, maxSizePx: 224, anchorScale: 0.5 }, plan)).toBe(
    'Image side 224 px, anchors half as large',
  );
  const advice = { plan, share: 0, worstShare: 0, verdict: 'better' as const };
  expect(costText({ ...advice, pixels: 1, anchors: 1 })).toBe('as now');
  expect(costText({ ...advice, pixels: 4, anchors: 3.96 })).toBe('about 4.0 × time and memory');
});

it('draws only the fits that there are', () => {
  const { summary } = resultOf([
    [0, 'fitted', 3],
    [1, 'forced', 1],
  ]);
  expect(fitParts(summary).map(({ fit, share }) => [fit, share])).toEqual([
    ['fitted', 0.75],
    ['forced', 0.25],
  ]);
  const [boxes, levels] = coverageChart(summary, '').panels;
  expect(boxes!.series.map(({ name }) => name)).toEqual(['Forced matches only', 'An anchor fits']);
  expect(boxes!.series[0]!.points.find(([, count]) => count > 0)).toEqual([0.325, 1]);
  expect(levels!.series[0]!.points[0]).toEqual([0, 4]);
});
