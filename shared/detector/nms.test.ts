import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { units } from '../../test/support/fixtures.ts';
import { boxIou } from './iou.ts';
import { batchedNms, orderByScore } from './nms.ts';

describe('batchedNms', () => {
  const { boxes, scores, labels, iou, keep } = units.batched_nms;
  const flat = Float32Array.from(boxes);
  const scored = Float32Array.from(scores);
  const classes = Int32Array.from(labels);

  it('keeps exactly the boxes torchvision keeps, in its order', () => {
    expect([...batchedNms(flat, scored, classes, iou)]).toEqual(keep);
  });

  it('stops early with the same first boxes', () => {
    expect([...batchedNms(flat, scored, classes, iou, 17)]).toEqual(keep.slice(0, 17));
  });

  it('suppresses above the threshold only, and only within a class', () => {
    // The first two overlap with IoU exactly .5.
    const three = Float32Array.of(0, 0, 10, 10, 0, 0, 10, 5, 0, 0, 10, 10);
    expect([...batchedNms(three, Float32Array.of(0.9, 0.8, 0.7), Int32Array.of(0, 0, 1), 0.5)]).toEqual([
      0, 1, 2,
    ]);
    expect([...batchedNms(three, Float32Array.of(0.9, 0.8, 0.7), Int32Array.of(0, 0, 0), 0.5)]).toEqual([
      0, 1,
    ]);
  });

  it('keeps no two overlapping boxes of a class and drops only overlapped ones', () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 1 }),
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 14 }), (rows) => {
        const some = Float32Array.from(rows.flatMap(([x, y, side]) => [x, y, x + side, y + side]));
        const score = Float32Array.from(rows, ([, , , value]) => value);
        const label = Int32Array.from(rows, (entry) => entry[4]);
        const kept = [...batchedNms(some, score, label, 0.5)];
        const rival = (a: number, b: number) => label[a] === label[b] && boxIou(some, a, some, b) > 0.5;
        for (let i = 0; i < rows.length; i++) {
          const stronger = kept.filter((k) => k !== i && score[k]! >= score[i]! && rival(k, i));
          expect(stronger.length > 0).toBe(!kept.includes(i));
        }
      }),
    );
  });
});

describe('orderByScore', () => {
  it('is stable', () => {
    expect([...orderByScore(Float32Array.of(0.5, 0.9, 0.5, 0.9))]).toEqual([1, 3, 0, 2]);
  });
});
