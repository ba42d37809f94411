import { describe, expect, it } from 'vitest';
import { RandomStream } from '../domain/random.ts';
import { analyticBackground, firstStepUnder } from './firstStepLoss.ts';
import { focalGradient, focalLoss, priorBias } from './focal.ts';
import { addLogit, emptyHistogram } from './histogramOps.ts';

/** Anchors of a square image of 512 px, three classes. */
const anchors = 49_104;
const classCount = 3;

describe('analyticBackground', () => {
  it.each([
    [0.5, -1, 0, 102_109],
    [0.01, -1, 0, 1481],
    [0.5, 0.25, 2, 19_145],
    [0.01, 0.25, 2, 0.111],
  ])('at a prior of %d, alpha %d, gamma %d: %d', (prior, alpha, gamma, expected) => {
    const loss = analyticBackground({ anchors, classCount, prior, alpha, gamma });
    expect(Math.abs(loss / expected - 1)).toBeLessThan(0.001);
  });
});

describe('firstStepUnder', () => {
  const images = 2;
  const stream = new RandomStream('first step');
  const histogram = emptyHistogram(1);
  const noise = { background: [] as number[], foreground: [] as number[] };
  for (let index = 0; index < images * 5000; index++) {
    const side = index % 1000 === 0 ? 'foreground' : 'background';
    const scatter = 0.02 * stream.normal();
    noise[side].push(scatter);
    const logit = priorBias(0.01) + scatter;
    if (side === 'foreground') addLogit(histogram, 0, side, logit);
    else addLogit(histogram, 0, index % 3 === 0 ? 'backgroundOther' : 'backgroundTrue', -logit);
  }
  const measured = { histogram, prior: 0.01, images };

  it.each([
    [0.5, -1, 0],
    [0.5, 0.25, 2],
    [0.01, 0.25, 2],
    [0.1, 0.75, 5],
    [0.001, 0.25, 1],
  ])('under a prior of %d, alpha %d, gamma %d is what its own logits would give', (prior, alpha, gamma) => {
    const settings = { alpha, gamma };
    const mean = (side: 'foreground' | 'background', term: typeof focalLoss) =>
      noise[side].reduce((sum, scatter) => {
        return sum + Math.abs(term(priorBias(prior) + scatter, side === 'foreground', settings));
      }, 0) / images;
    const expected = {
      foreground: mean('foreground', focalLoss),
      background: mean('background', focalLoss),
      foregroundGradient: mean('foreground', focalGradient),
      backgroundGradient: mean('background', focalGradient),
    };
    const { perPositive, ...perImage } = firstStepUnder(measured, { prior, ...settings });
    for (const [name, value] of Object.entries(expected)) {
      const key = name as keyof typeof expected;
      expect(Math.abs(perImage[key] / value - 1)).toBeLessThan(0.001);
      expect(Math.abs(perPositive[key] / (value / 5) - 1)).toBeLessThan(0.001);
    }
    const analytic = analyticBackground({ anchors: 5000 - 5, classCount: 1, prior, ...settings });
    expect(Math.abs(perImage.background / analytic - 1)).toBeLessThan(0.01);
  });

  it('leaves a bias that came with weights as it is', () => {
    const own = { ...measured, prior: null };
    const settings = { alpha: 0.25, gamma: 2 };
    expect(firstStepUnder(own, { prior: 0.5, ...settings })).toEqual(
      firstStepUnder(measured, { prior: 0.01, ...settings }),
    );
  });

  it('divides by one where there are no objects', () => {
    const empty = { histogram: emptyHistogram(1), prior: 0.01, images: 1 };
    addLogit(empty.histogram, 0, 'backgroundTrue', 0, 7);
    const { perPositive, ...perImage } = firstStepUnder(empty, { prior: 0.01, alpha: -1, gamma: 0 });
    expect(perPositive).toEqual(perImage);
    expect(perImage.background).toBeCloseTo(7 * Math.LN2, 12);
  });
});
