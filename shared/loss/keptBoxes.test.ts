import fc from 'fast-check';
import { expect, it } from 'vitest';
import { batchedNms, orderByScore } from '../detector/nms.ts';
import { KeptBoxes } from './keptBoxes.ts';

it('keeps what a comparison with every kept box keeps', () => {
  const side = fc.double({ min: 0.1, max: 120, noNaN: true });
  const corner = fc.double({ min: -200, max: 200, noNaN: true });
  const box = fc.tuple(corner, corner, side, side).map(([x, y, w, h]) => [x, y, x + w, y + h]);
  const crowd = fc.array(box, { minLength: 1, maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(crowd, fc.constantFrom(0.05, 0.25, 0.3, 0.5, 0.7, 0.95), (list, iouThreshold) => {
      const boxes = Float32Array.from(list.flat());
      const scores = Float32Array.from(list, (_, index) => (index * 7919) % list.length);
      const kept = new KeptBoxes(boxes, iouThreshold);
      const mine = orderByScore(scores).filter((index) => kept.keep(index));
      expect(mine).toEqual(batchedNms(boxes, scores, new Int32Array(list.length), iouThreshold));
    }),
    { numRuns: 60 },
  );
});

it('lets boxes that are none stay, and stops at none', () => {
  const boxes = Float32Array.of(0, 0, 0, 9, NaN, 0, 9, 9, -Infinity, 0, Infinity, 9, 3e38, 0, 3.1e38, 9);
  const kept = new KeptBoxes(boxes, 0.5);
  expect([0, 0, 1, 1, 2, 2, 3].map((index) => kept.keep(index))).toEqual(new Array(7).fill(true));
});
