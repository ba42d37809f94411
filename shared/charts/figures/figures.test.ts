import { describe, expect, it } from 'vitest';
import { carriersOf } from '../../loss/counterfactual.ts';
import { firstStepUnder } from '../../loss/firstStepLoss.ts';
import { addLogit, emptyHistogram, sliceOf } from '../../loss/histogramOps.ts';
import { renderSvg } from '../renderSvg.ts';
import { concentrationChart, concentrationWords } from './concentration.ts';
import { courseChart } from './course.ts';
import { firstStepChart, firstStepWords } from './firstStep.ts';
import { probabilityChart, probabilityWords } from './probability.ts';

/** Few objects at even odds; background mostly easy. */
function histogram() {
  const counted = emptyHistogram(1);
  for (let k = 0; k < 40; k++) addLogit(counted, 0, 'foreground', (k - 20) / 5);
  for (let k = 0; k < 4000; k++) addLogit(counted, 0, 'backgroundTrue', -1 + k / 500);
  return counted;
}
const foreground = sliceOf(histogram(), 'all', ['foreground']);
const background = sliceOf(histogram(), 'all', ['backgroundTrue', 'backgroundOther']);

describe('concentrationChart', () => {
  it('draws a rising curve for each gamma and side, from nothing to everything', () => {
    const chart = concentrationChart({ foreground, background });
    expect(chart.panels.map(({ title }) => title)).toEqual([
      'Foreground: 40 examples',
      'Background: 4,000 examples',
    ]);
    for (const { series } of chart.panels) {
      expect(series.map(({ name }) => name)).toEqual(['γ 0 (cross-entropy)', 'γ 0.5', 'γ 1', 'γ 2', 'γ 5']);
      for (const { points } of series) {
        expect(points[0]).toEqual([0, 0]);
        expect(points.at(-1)).toEqual([1, 1]);
        for (const [k, [x, y]] of points.entries()) {
          expect(x).toBeGreaterThanOrEqual(points[k - 1]?.[0] ?? 0);
          expect(y).toBeGreaterThanOrEqual(points[k - 1]?.[1] ?? 0);
        }
      }
    }
  });

  it('agrees with how many carry half of the loss', () => {
    const [gammaTwo] = concentrationChart({ foreground, background, gammas: [2] }).panels[1]!.series;
    const easy = gammaTwo!.points.findLast(([, carried]) => carried <= 0.5)![0];
    expect(1 - easy).toBeCloseTo(carriersOf(background, 2, 0.5) / 4000, 1.5);
  });

  it('has the picked gamma in its place, strong, without drawing another twice', () => {
    const picked = (pickedGamma: number) =>
      concentrationChart({ foreground, background, pickedGamma }).panels[0]!.series;
    expect(
      picked(1.4)
        .map(({ name }) => name)
        .indexOf('γ 1.4'),
    ).toBe(3);
    expect(new Set(picked(1.4).map(({ ink }) => ink)).size).toBe(6);
    expect(picked(2)).toHaveLength(5);
    expect(
      picked(2)
        .filter(({ strong }) => strong)
        .map(({ name }) => name),
    ).toEqual(['γ 2']);
  });

  it('waits for data', () => {
    const nothing = sliceOf(emptyHistogram(1), 'all', ['foreground']);
    expect(
      renderSvg(concentrationChart({ foreground: nothing, background: nothing }), {
        widthPx: 800,
        theme: 'dark',
      }),
    ).toContain('No data yet.');
  });
});

it('counts every answer by how sure the network is of it', () => {
  const { panels } = probabilityChart({ slices: { foreground, backgroundTrue: background }, bins: 10 });
  const sums = panels.map(({ series }) => series[0]!.points.reduce((sum, [, count]) => sum + count, 0));
  expect(sums[0]).toBeCloseTo(40, 6);
  expect(sums[1]).toBeCloseTo(4000, 6);
  expect(panels.map(({ series }) => series[0]!.ink)).toEqual(['foreground', 'backgroundTrue']);
});

it('lays courses over one another, with what was changed and the step that is looked at', () => {
  const chart = courseChart({
    question: 'Which learns fastest?',
    panels: [
      {
        title: 'Loss',
        label: 'loss',
        lines: [
          { name: 'focal', points: [[1, 2]] },
          { name: 'ce', points: [[1, 3]] },
        ],
      },
    ],
    lastStep: 500,
    marks: [{ x: 100, label: 'γ 2 → 0' }],
    cursorStep: 250,
  });
  const [panel] = chart.panels;
  expect(panel!.series.map(({ ink }) => ink)).toEqual(['series1', 'series2']);
  expect(panel!.x.domain).toEqual([0, 500]);
  expect([panel!.cursorX, panel!.marks?.length]).toEqual([250, 1]);
});

it('shows the first step with and without the prior', () => {
  const first = { histogram: histogram(), prior: 0.01, images: 1 };
  const cases = [0.5, 0.01].map((prior) => ({
    label: `π ${prior}`,
    figures: firstStepUnder(first, { prior, alpha: 0.25, gamma: 2 }),
  }));
  const [loss, gradient] = firstStepChart(cases).panels;
  const [objects, rest] = loss!.series;
  expect(rest!.points.map(([, y]) => y)).toEqual(cases.map(({ figures }) => figures.background));
  expect(objects!.points.map(([, y]) => y)).toEqual(cases.map(({ figures }) => figures.foreground));
  expect(gradient!.series[1]!.points[0]![1]).toBe(cases[0]!.figures.backgroundGradient);
  expect(loss!.x.ticks?.map(({ label }) => label)).toEqual(['π\u00a00.5', 'π\u00a00.01']);
});

it('explains each in three sentences', () => {
  for (const { explanation, formula } of [concentrationWords, probabilityWords, firstStepWords]) {
    expect(explanation).toHaveLength(3);
    for (const sentence of explanation) expect(sentence).toMatch(/^[A-Z][^.]*(?:\.\d[^.]*)*\.$/);
    expect(formula).not.toBe('');
  }
});
