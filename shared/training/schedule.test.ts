import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.ts';

const config = { learningRate: 0.1, steps: 90, warmupSteps: 10, schedule: 'constant' } as const;

describe('learningRateAt', () => {
  it('warms up linearly and reaches the full rate at the last warm-up step', () => {
    expect(learningRateAt(1, config)).toBeCloseTo(0.01, 12);
    expect(learningRateAt(5, config)).toBeCloseTo(0.05, 12);
    expect(learningRateAt(10, config)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(90, config)).toBe(0.1);
  });

  it('starts at the full rate without a warm-up', () => {
    expect(learningRateAt(1, { ...config, warmupSteps: 0, schedule: 'cosine' })).toBe(0.1);
  });

  it('falls along half a cosine to nearly nothing', () => {
    const cosine = { ...config, schedule: 'cosine' } as const;
    expect(learningRateAt(11, cosine)).toBe(0.1);
    expect(learningRateAt(51, cosine)).toBeCloseTo(0.05, 12);
    expect(learningRateAt(90, cosine)).toBeGreaterThan(0);
    expect(learningRateAt(90, cosine)).toBeLessThan(0.0001);
  });

  it('divides by ten at two thirds and at eight ninths', () => {
    const step = { ...config, schedule: 'step' } as const;
    expect(learningRateAt(60, step)).toBeCloseTo(0.1, 12);
    expect(learningRateAt(61, step)).toBeCloseTo(0.01, 12);
    expect(learningRateAt(81, step)).toBeCloseTo(0.001, 12);
  });

  it('stays finite where the warm-up is as long as the run', () => {
    for (const schedule of ['constant', 'cosine', 'step'] as const) {
      expect(learningRateAt(90, { ...config, schedule, warmupSteps: 90 })).toBeGreaterThan(0);
    }
  });
});
