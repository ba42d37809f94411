import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { maxLogRatio } from '../detector/boxCoder.ts';
import { boxLosses, giouLoss, giouOfPair, l1Loss } from './boxLoss.ts';

const { regression, box_coder: coder } = units;

describe('against torchvision', () => {
  it('GIoU of every pair', () => {
    regression.giou_each.forEach((expected, pair) => {
      const at = (boxes: number[]) => boxes.slice(pair * 4, pair * 4 + 4);
      expect(giouOfPair(at(regression.pred), at(regression.target)).loss).toBeCloseTo(expected, 5);
    });
  });

  it('GIoU through the box coder', () => {
    const { loss } = giouLoss({
      deltas: Float32Array.from(coder.deltas),
      anchors: Float32Array.from(coder.proposals),
      groundTruth: Float32Array.from(coder.reference),
      matches: Int32Array.from({ length: 12 }, (_, index) => index),
    });
    regression.giou_each.forEach((expected, pair) => {
      expect(loss[pair]).toBeCloseTo(expected, 5);
    });
  });

  it('L1 sum', () => {
    const { loss } = l1Loss({
      deltas: new Float32Array(48),
      anchors: Float32Array.from(coder.proposals),
      groundTruth: Float32Array.from(coder.reference),
      matches: Int32Array.from({ length: 12 }, (_, index) => index),
    });
    expect(Math.abs(loss.reduce((sum, value) => sum + value, 0) / regression.l1_sum - 1)).toBeLessThan(1e-6);
  });
});

describe('box losses', () => {
  const anchors = Float32Array.of(10, 10, 30, 50, 0, 0, 16, 16, 40, 40, 60, 60);
  const groundTruth = Float32Array.of(12, 8, 34, 44);
  const matches = Int32Array.of(0, -1, -2);

  it.each(['l1', 'giou'] as const)('%s is 0 with zero gradient where nothing is matched', (name) => {
    const deltas = new Float32Array(12).fill(0.3);
    const { loss, gradient } = boxLosses[name]({ deltas, anchors, groundTruth, matches });
    expect(loss[0]).toBeGreaterThan(0);
    expect([...loss.subarray(1)]).toEqual([0, 0]);
    expect([...gradient.subarray(4)]).toEqual(new Array(8).fill(0));
  });

  it('L1 has the sign of each difference as gradient', () => {
    // Target deltas: dx 3 / 20, dy -4 / 40, dw ln 1.1, dh ln 0.9.
    const deltas = Float32Array.of(
      0.2,
      -0.2,
      Math.log(1.1) + 0.5,
      Math.log(0.9) - 0.25,
      ...new Array(8).fill(0),
    );
    const { loss, gradient } = l1Loss({ deltas, anchors, groundTruth, matches });
    expect(loss[0]).toBeCloseTo(0.05 + 0.1 + 0.5 + 0.25, 5);
    expect([...gradient.subarray(0, 4)]).toEqual([1, -1, 1, -1]);
  });

  it('GIoU of equal boxes is 0, of far ones near 2', () => {
    expect(giouOfPair([0, 0, 4, 4], [0, 0, 4, 4]).loss).toBeCloseTo(0, 6);
    expect(giouOfPair([0, 0, 1, 1], [999, 999, 1000, 1000]).loss).toBeCloseTo(2, 4);
  });

  it('GIoU has the gradient of its own values, by corners', () => {
    const side = fc.integer({ min: 1, max: 40 });
    const box = fc.tuple(side, side, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h]);
    fc.assert(
      fc.property(box, box, (target, whole) => {
        // Off the integers: at a tie of two edges the derivative is one of two.
        const box = whole.map((value, index) => value + 0.23 + index * 0.11);
        const { gradient } = giouOfPair(box, target);
        gradient.forEach((expected, index) => {
          const moved = (step: number) => box.map((value, at) => (at === index ? value + step : value));
          const slope = (giouOfPair(moved(1e-5), target).loss - giouOfPair(moved(-1e-5), target).loss) / 2e-5;
          expect(expected).toBeCloseTo(slope, 5);
        });
      }),
    );
  });

  it('GIoU has the gradient of its own values, by deltas, and none beyond the clamp', () => {
    const deltas = Float32Array.of(0.1, -0.2, 0.3, -0.4, ...new Array(8).fill(0));
    const input = { deltas, anchors, groundTruth, matches };
    const { gradient } = giouLoss(input);
    for (let index = 0; index < 4; index++) {
      const lossAt = (step: number) => {
        const moved = deltas.slice();
        moved[index] = moved[index]! + step;
        return giouLoss({ ...input, deltas: moved }).loss[0]!;
      };
      expect(Math.abs(gradient[index]! - (lossAt(2 ** -8) - lossAt(-(2 ** -8))) * 2 ** 7)).toBeLessThan(2e-3);
    }
    deltas[2] = maxLogRatio + 1;
    expect(giouLoss(input).gradient[2]).toBe(0);
  });
});
