import { describe, expect, it } from 'vitest';
import { priorBias } from '../../../shared/loss/focal.ts';
import { addLogit, emptyHistogram } from '../../../shared/loss/histogramOps.ts';
import { defaultTrainConfig } from '../../../shared/training/config.ts';
import type { FirstStep } from '../../../shared/training/firstStep.ts';
import {
  changesOf,
  deviationText,
  rowOf,
  rowsOf,
  settingsOf,
  shareText,
  sizeText,
  strategyNote,
} from './firstStepWords.ts';

const images = 2;
const own = { prior: 0.01, alpha: 0.25, gamma: 2 };
/** Ten thousand anchors an image, forty of them on objects of the first of two classes, every logit at the prior. */
const firstStep: FirstStep = {
  images,
  widthPx: 160,
  heightPx: 128,
  prior: 0.01,
  classes: ['cell', 'platelet'],
  anchors: 10_000,
  positives: 40,
  histogram: '',
};
const histogram = emptyHistogram(2);
addLogit(histogram, 0, 'foreground', priorBias(0.01), images * 40);
addLogit(histogram, 0, 'backgroundTrue', -priorBias(0.01), images * 9960);
addLogit(histogram, 1, 'backgroundTrue', -priorBias(0.01), images * 9960);
addLogit(histogram, 1, 'backgroundOther', -priorBias(0.01), images * 40);

describe('rowsOf', () => {
  it('holds the measured background against the formula, with the prior and without', () => {
    const rows = rowsOf(own, own, firstStep, histogram);
    expect(rows.map(({ settings }) => settings.prior)).toEqual([0.5, 0.01]);
    for (const { figures, analytic } of rows) expect(figures.background / analytic!).toBeCloseTo(1, 6);
    const [without, withPrior] = rows;
    expect(without!.figures.background).toBeCloseTo((0.75 * 0.25 * Math.log(2) * 19_960) / 40 / 1, 4);
    expect(without!.lossShare).toBeGreaterThan(0.99);
    expect(withPrior!.lossShare).toBeLessThan(0.01);
  });

  it('adds what the sliders say where it is something else', () => {
    const rows = rowsOf(own, { ...own, gamma: 0 }, firstStep, histogram);
    expect(rows.map(({ settings }) => settings.gamma)).toEqual([2, 2, 0]);
    expect(rows[2]!.figures.background).toBeGreaterThan(rows[1]!.figures.background);
  });

  it('has no prior to take away from a trained head', () => {
    const trained = { ...firstStep, prior: null };
    expect(rowsOf(own, own, trained, histogram)).toHaveLength(1);
    expect(rowOf('x', own, trained, histogram).analytic).toBeNull();
  });
});

it('shows the form’s strategy as far as focal loss can', () => {
  expect(settingsOf(defaultTrainConfig)).toEqual(own);
  expect(settingsOf({ ...defaultTrainConfig, loss: 'ce' })).toEqual({ prior: 0.01, alpha: -1, gamma: 0 });
  expect(settingsOf({ ...defaultTrainConfig, loss: 'balanced-ce', alpha: 0.75 })).toMatchObject({
    alpha: 0.75,
    gamma: 0,
  });
  expect(changesOf(own, { loss: 'ce' })).toEqual({ prior: 0.01 });
  expect(changesOf(own, { loss: 'focal' })).toEqual(own);
  expect(strategyNote({ loss: 'focal' })).toBeNull();
  expect(strategyNote({ loss: 'ohem' })).toContain('chooses');
  expect(strategyNote({ loss: 'focal-star' })).toContain('β');
});

it('says what an image is to the network, and how far from the formula it is', () => {
  expect(sizeText(firstStep)).toBe(
    'An image of yours becomes 160 × 128 px with 10,000 anchors, each asked for 2 classes: 20,000 answers, of which 40 should be “yes”, one in 500.',
  );
  expect(sizeText({ ...firstStep, classes: ['cell'], positives: 0 })).toBe(
    'An image of yours becomes 160 × 128 px with 10,000 anchors: 10,000 answers, of which 0 should be “yes”.',
  );
  expect(deviationText(1.0031, 1)).toBe('0.31 % above');
  expect(deviationText(0.5, 1)).toBe('50.0 % below');
  expect(deviationText(1, 1)).toBe('the same');
  expect([0, 0.0001, 0.5, 0.9959, 0.99999, 1].map(shareText)).toEqual([
    '0.0 %',
    'under 0.1 %',
    '50.0 %',
    '99.6 %',
    'over 99.9 %',
    '100.0 %',
  ]);
});
