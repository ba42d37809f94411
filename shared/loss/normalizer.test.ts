import { describe, expect, it } from 'vitest';
import { imageWeights, MovingPositives } from './normalizer.ts';

describe('imageWeights', () => {
  it("divides by the image's own positives and takes the mean over the batch", () => {
    expect(imageWeights([4, 0])).toEqual([1 / 8, 1 / 2]);
  });
});

describe('MovingPositives', () => {
  it('starts at 100 and follows a tenth of the way', () => {
    const moving = new MovingPositives();
    expect(moving.weights([30, 20])).toEqual([1 / 95, 1 / 95]);
    expect(moving.weights([0, 0])[0]).toBeCloseTo(1 / 85.6, 8);
  });

  it('lets an empty image weigh no more than its neighbour', () => {
    const [empty, full] = new MovingPositives().weights([0, 60]);
    expect(empty).toBe(full);
  });
});
