import { describe, expect, it } from 'vitest';
import { lossWindowMs, mayTryAgain } from './deviceLoss.ts';

describe('mayTryAgain', () => {
  it('tries twice in five minutes and never a third time', () => {
    expect(mayTryAgain([1000], 1000)).toBe(true);
    expect(mayTryAgain([1000, 2000], 2000)).toBe(true);
    expect(mayTryAgain([1000, 2000, 3000], 3000)).toBe(false);
  });

  it('forgets losses of long ago', () => {
    const now = lossWindowMs + 2000;
    expect(mayTryAgain([1000, 1500, now], now)).toBe(true);
    expect(mayTryAgain([1000, 2500, 3000, now], now)).toBe(false);
  });
});
