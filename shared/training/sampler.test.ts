import { describe, expect, it } from 'vitest';
import { isFlipped, Sampler } from './sampler.ts';

const draws = (sampler: Sampler, steps: number[]) =>
  steps.flatMap((step) => sampler.batchAt(step).map((draw) => draw.imageIndex));

describe('Sampler', () => {
  it('shows every image once an epoch, in another order each epoch', () => {
    const sampler = new Sampler({ count: 12, batch: 3, shuffle: true, seed: 7 });
    const first = draws(sampler, [1, 2, 3, 4]);
    const second = draws(sampler, [5, 6, 7, 8]);
    const all = Array.from({ length: 12 }, (_, index) => index);
    expect(first.toSorted((a, b) => a - b)).toEqual(all);
    expect(second.toSorted((a, b) => a - b)).toEqual(all);
    expect(second).not.toEqual(first);
  });

  it('draws the same at a step, whatever was asked before', () => {
    const options = { count: 5, batch: 2, shuffle: true, seed: 1 };
    const through = new Sampler(options);
    const steps = Array.from({ length: 20 }, (_, index) => index + 1);
    const expected = steps.map((step) => through.batchAt(step));
    const resumed = new Sampler(options);
    for (const step of steps.toReversed()) expect(resumed.batchAt(step)).toEqual(expected[step - 1]);
  });

  it('runs a batch on over the end of an epoch', () => {
    const sampler = new Sampler({ count: 3, batch: 2, shuffle: false, seed: 1 });
    expect(draws(sampler, [1, 2, 3])).toEqual([0, 1, 2, 0, 1, 2]);
    expect(sampler.batchAt(2)).toEqual([
      { imageIndex: 2, draw: 2 },
      { imageIndex: 0, draw: 3 },
    ]);
  });

  it('depends on the seed', () => {
    const order = (seed: number) => draws(new Sampler({ count: 40, batch: 40, shuffle: true, seed }), [1]);
    expect(order(1)).not.toEqual(order(2));
  });
});

describe('isFlipped', () => {
  it('is a fair coin of its own for every seed, draw and image', () => {
    const coins = Array.from({ length: 4000 }, (_, draw) => isFlipped(3, draw, `image${draw % 10}`));
    const heads = coins.filter(Boolean).length;
    expect(heads).toBeGreaterThan(1850);
    expect(heads).toBeLessThan(2150);
    const other = Array.from({ length: 4000 }, (_, draw) => isFlipped(4, draw, `image${draw % 10}`));
    expect(coins.filter((coin, draw) => coin === other[draw]).length).toBeLessThan(2200);
  });
});
