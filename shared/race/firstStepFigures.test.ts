import { expect, it } from 'vitest';
import { addLogit, emptyHistogram } from '../loss/histogramOps.ts';
import { encodeHistogram } from '../loss/histogramText.ts';
import type { FirstStep } from '../training/firstStep.ts';
import { firstStepRows } from './firstStepFigures.ts';

/** Two images of 49,104 anchors and 3 classes, all logits at the prior 0.01; ten positives in each. */
function atThePrior(prior: number | null): FirstStep {
  const histogram = emptyHistogram(3);
  const bias = -Math.log(99);
  addLogit(histogram, 1, 'foreground', bias, 20);
  addLogit(histogram, 0, 'backgroundTrue', -bias, 2 * 3 * 49_104 - 20);
  return {
    ...{
      images: 2,
      widthPx: 512,
      heightPx: 512,
      prior,
      classes: ['a', 'b', 'c'],
      anchors: 49_104,
      positives: 10,
    },
    histogram: encodeHistogram(histogram),
  };
}

it('has the paper’s argument in figures', () => {
  const rows = firstStepRows(atThePrior(0.01));
  expect(rows.map(({ measure, prior }) => [measure, prior])).toEqual([
    ['ce', 0.5],
    ['ce', 0.01],
    ['focal', 0.5],
    ['focal', 0.01],
  ]);
  // Reference: 512 px, 3 classes; without the twenty logits of objects.
  const expected = [102_109, 1481, 19_145, 0.11];
  rows.forEach((row, index) => {
    expect(row.background / expected[index]!).toBeCloseTo(1, 1);
    expect(Math.abs(row.deviation)).toBeLessThan(0.001);
  });
  expect(rows[0]!.foreground).toBeCloseTo(10 * Math.LN2, 2);
  expect(rows[1]!.foreground).toBeCloseTo(10 * Math.log(100), 2);
});

it('says nothing of a class head that came with weights', () => {
  expect(firstStepRows(atThePrior(null))).toEqual([]);
});
