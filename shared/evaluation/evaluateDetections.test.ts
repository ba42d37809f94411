import { describe, expect, it } from 'vitest';
import type { BoxPx } from '../domain/box.ts';
import { evaluateDetections } from './evaluateDetections.ts';

const truth = (boxPx: BoxPx, classIndex = 0, ignore = false) => ({ boxPx, classIndex, ignore });
const found = (boxPx: BoxPx, score: number, classIndex = 0) => ({ boxPx, score, classIndex });

describe('evaluateDetections', () => {
  const cell: BoxPx = [10, 10, 50, 60];
  const far: BoxPx = [200, 200, 260, 260];

  it('scores each class by itself and leaves a class without boxes open', () => {
    const metrics = evaluateDetections(
      [[truth(cell, 0)], [truth(cell, 1), truth(far, 1)]],
      [[found(cell, 0.9, 0)], [found(far, 0.8, 1)]],
      ['RBC', 'WBC', 'Platelets'],
    );
    expect(metrics.perClass.RBC).toBeCloseTo(1, 12);
    expect(metrics.perClass.WBC).toBeCloseTo(51 / 101, 12);
    expect(metrics.perClass.Platelets).toBeNull();
    expect(metrics.AP).toBeCloseTo((1 + 51 / 101) / 2, 12);
    expect(metrics.APs).toBeNull();
  });

  it('punishes no detection on an ignore region and asks for none', () => {
    const region = truth([100, 100, 400, 400], 0, true);
    const metrics = evaluateDetections(
      [[truth(cell), region]],
      [[found(far, 0.95), found(cell, 0.5)]],
      ['RBC'],
    );
    expect(metrics.AP).toBeCloseTo(1, 12);
    const without = evaluateDetections([[truth(cell)]], [[found(far, 0.95), found(cell, 0.5)]], ['RBC']);
    expect(without.AP).toBeCloseTo(0.5, 12);
  });

  it('is null where no image holds a box', () => {
    expect(evaluateDetections([[], []], [[found(cell, 0.9)], []], ['RBC'])).toMatchObject({
      AP: null,
      AP50: null,
      AR100: null,
      perClass: { RBC: null },
    });
  });
});
