import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../../test/support/fixtures.ts';
import { focalGradient, focalLoss } from './focal.ts';
import { lossSettingsOf } from './strategies.ts';
import { type LossSettings, strategyNames } from './strategy.ts';
import { lossGradient, lossTerm } from './term.ts';

const { focal_star: focalStar } =
  readFixture<typeof import('../../test/fixtures/strategies.json')>('strategies');

function settingsOf(strategy: LossSettings['strategy'], numbers: Partial<LossSettings> = {}): LossSettings {
  return { ...lossSettingsOf({ strategy, alpha: 0.25, gamma: 2 }), ...numbers };
}

describe('the terms of every strategy', () => {
  const logit = fc.double({ min: -30, max: 30, noNaN: true });
  const numbers = fc.record({
    alpha: fc.constantFrom(-1, 0.1, 0.75),
    gamma: fc.double({ min: 0.25, max: 5, noNaN: true }),
    beta: fc.double({ min: -3, max: 3, noNaN: true }),
  });

  it.each(strategyNames)('%s has the gradient of its own values', (strategy) => {
    fc.assert(
      fc.property(logit, fc.boolean(), numbers, (x, isTarget, own) => {
        const settings = settingsOf(strategy, own);
        const h = 1e-5;
        const slope = (lossTerm(x + h, isTarget, settings) - lossTerm(x - h, isTarget, settings)) / (2 * h);
        expect(Math.abs(lossGradient(x, isTarget, settings) - slope)).toBeLessThan(1e-6);
      }),
    );
  });

  it.each(strategyNames)(
    '%s is finite at ±100 and costs nothing, or next to it, where it is right',
    (strategy) => {
      for (const isTarget of [true, false]) {
        for (const logit of [100, -100]) {
          const settings = settingsOf(strategy);
          const loss = lossTerm(logit, isTarget, settings);
          const gradient = lossGradient(logit, isTarget, settings);
          const right = logit > 0 === isTarget;
          expect(loss).toBeGreaterThanOrEqual(0);
          expect(right ? loss < 1e-30 : loss > 24 && loss < 101).toBe(true);
          expect(Number.isFinite(gradient)).toBe(true);
          expect(isTarget ? gradient <= 0 : gradient >= 0).toBe(true);
        }
      }
    },
  );

  it.each(['ce', 'ohem', 'ohem-1-3', 'ssd', 'sampled', 'sampled-rpn', 'top-scored'] as const)(
    '%s is plain cross-entropy whatever alpha and gamma say',
    (strategy) => {
      expect(lossTerm(0, true, settingsOf(strategy))).toBeCloseTo(Math.LN2, 15);
      expect(lossTerm(1.5, false, settingsOf(strategy))).toBeCloseTo(Math.log1p(Math.exp(1.5)), 14);
      expect(lossGradient(0, false, settingsOf(strategy))).toBe(0.5);
    },
  );

  it('balanced cross-entropy weighs with alpha and leaves gamma out', () => {
    const settings = settingsOf('balanced-ce', { alpha: 0.75 });
    expect(lossTerm(0, true, settings)).toBeCloseTo(0.75 * Math.LN2, 15);
    expect(lossTerm(0, false, settings)).toBeCloseTo(0.25 * Math.LN2, 15);
  });

  it('focal loss is focal loss', () => {
    const own = { alpha: 0.4, gamma: 1.5 };
    expect(lossTerm(-0.7, true, settingsOf('focal', own))).toBe(focalLoss(-0.7, true, own));
    expect(lossGradient(-0.7, false, settingsOf('focal', own))).toBe(focalGradient(-0.7, false, own));
  });
});

describe('focal* against torch', () => {
  it.each(focalStar.cases)(
    'gamma $gamma, beta $beta, target $target',
    ({ gamma, beta, target, loss, grad }) => {
      focalStar.logits.forEach((logit, index) => {
        const settings = settingsOf('focal-star', { alpha: -1, gamma, beta });
        const close = (actual: number, expected: number) =>
          expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
        close(lossTerm(logit, target === 1, settings), loss[index]!);
        close(lossGradient(logit, target === 1, settings), grad[index]!);
      });
    },
  );

  it('weighs with alpha as focal loss does', () => {
    const plain = lossTerm(0.5, false, settingsOf('focal-star', { alpha: -1 }));
    expect(lossTerm(0.5, false, settingsOf('focal-star', { alpha: 0.25 }))).toBeCloseTo(0.75 * plain, 15);
  });
});
