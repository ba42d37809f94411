import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { focalGradient, focalGradients, focalLoss, focalTerms, priorBias, sigmoid } from './focal.ts';

const { logits, targets, cases, extreme } = units.focal;

/** torch computes in float32: the figures carry its rounding of 1 - p, two units in the last place of 1. */
function expectClose(actual: number, expected: number, relative = 2e-6): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.abs(expected) + 2 ** -23);
}

describe('focal loss against torchvision', () => {
  it('has 20 pairs to be held to', () => expect(cases).toHaveLength(20));

  it.each(cases)('alpha $alpha, gamma $gamma', ({ alpha, gamma, loss, grad }) => {
    logits.forEach((logit, index) => {
      const isTarget = targets[index] === 1;
      expectClose(focalLoss(logit, isTarget, { alpha, gamma }), loss[index]!);
      expectClose(focalGradient(logit, isTarget, { alpha, gamma }), grad[index]!, 5e-6);
    });
  });

  it.each(extreme.cases)('logits up to ±100, target $target', ({ target, loss, grad }) => {
    extreme.logits.forEach((logit, index) => {
      const settings = { alpha: 0.25, gamma: 2 };
      expectClose(focalLoss(logit, target === 1, settings), loss[index]!);
      expectClose(focalGradient(logit, target === 1, settings), grad[index]!);
    });
  });
});

describe('focal loss', () => {
  const settings = fc.record({
    alpha: fc.constantFrom(-1, 0.1, 0.25, 0.9),
    gamma: fc.double({ min: 0, max: 6, noNaN: true }),
  });
  const logit = fc.double({ min: -30, max: 30, noNaN: true });

  it('has the gradient of its own values', () => {
    fc.assert(
      fc.property(logit, fc.boolean(), settings, (x, isTarget, options) => {
        const h = 1e-5;
        const slope = (focalLoss(x + h, isTarget, options) - focalLoss(x - h, isTarget, options)) / (2 * h);
        expect(Math.abs(focalGradient(x, isTarget, options) - slope)).toBeLessThan(1e-6);
      }),
    );
  });

  it('is finite, not negative and falls as the logit moves the right way', () => {
    const any = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(any, any, fc.boolean(), settings, (a, b, isTarget, options) => {
        const worse = focalLoss(isTarget ? Math.min(a, b) : Math.max(a, b), isTarget, options);
        const better = focalLoss(isTarget ? Math.max(a, b) : Math.min(a, b), isTarget, options);
        expect(better).toBeGreaterThanOrEqual(0);
        expect(worse).toBeGreaterThanOrEqual(better);
        expect(Number.isFinite(worse)).toBe(true);
        expect(Number.isFinite(focalGradient(a, isTarget, options))).toBe(true);
      }),
    );
  });

  it('starts every anchor at pi', () => {
    expect(sigmoid(priorBias(0.01))).toBeCloseTo(0.01, 12);
    expect(priorBias(0.01)).toBeCloseTo(-Math.log(99), 12);
    expect(priorBias(0.5)).toBeCloseTo(0, 15);
  });
});

describe('focalTerms', () => {
  const matched = { matches: Int32Array.of(1, -1, -2), classIndices: Int32Array.of(0, 1) };
  const image = Float32Array.of(0.5, -1, 2, 0.25, 3, 3);
  const settings = { alpha: 0.25, gamma: 2 };

  it('takes the matched class as target, the rest as background, and leaves ignored anchors out', () => {
    const background = (x: number) => Math.fround(focalLoss(x, false, settings));
    expect([...focalTerms(image, matched, 2, settings)]).toEqual([
      background(0.5),
      Math.fround(focalLoss(-1, true, settings)),
      background(2),
      background(0.25),
      0,
      0,
    ]);
  });

  it('has gradients at the same places', () => {
    const gradients = focalGradients(image, matched, 2, settings);
    expect(gradients[1]).toBe(Math.fround(focalGradient(-1, true, settings)));
    expect(gradients[2]).toBe(Math.fround(focalGradient(2, false, settings)));
    expect([...gradients.subarray(4)]).toEqual([0, 0]);
  });
});
