import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foregroundShare } from './balance.ts';
import { classificationLoss, computeBalance } from './computeBalance.ts';

describe('computeBalance', () => {
  it('shares a hand-sized batch as a reader can check', () => {
    // Two classes. Image 1: anchors matched to class 1, class 0, background, ignored: two positives. Image 2: background alone.
    const first = {
      matches: Int32Array.of(0, 1, -1, -2),
      classIndices: Int32Array.of(1, 0),
      terms: Float32Array.of(4, 8, 16, 32, 64, 128, 999, 999),
    };
    const second = {
      matches: Int32Array.of(-1),
      classIndices: new Int32Array(0),
      terms: Float32Array.of(1, 3),
    };
    // Image 1 weighs 1 / (2 positives * 2 images), image 2 weighs 1 / (1 * 2).
    expect(computeBalance([first, second], 2)).toEqual([
      {
        classIndex: 0,
        foreground: 4,
        background: 17.5,
        backgroundTrue: 16.5,
        backgroundOther: 1,
        positives: 1,
        backgroundTrueAnchors: 2,
        backgroundOtherAnchors: 1,
      },
      {
        classIndex: 1,
        foreground: 2,
        background: 41.5,
        backgroundTrue: 33.5,
        backgroundOther: 8,
        positives: 1,
        backgroundTrueAnchors: 2,
        backgroundOtherAnchors: 1,
      },
    ]);
  });

  it('adds up to the classification loss and counts every anchor of every class', () => {
    const anchor = fc.record({
      match: fc.integer({ min: -2, max: 3 }),
      terms: fc.array(fc.float({ min: 0, max: 10, noNaN: true }), { minLength: 3, maxLength: 3 }),
    });
    const image = fc.record({
      anchors: fc.array(anchor, { maxLength: 20 }),
      classIndices: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(image, { minLength: 1, maxLength: 4 }), (images) => {
        const balance = computeBalance(
          images.map(({ anchors, classIndices }) => ({
            matches: Int32Array.from(anchors, (entry) => entry.match),
            classIndices: Int32Array.from(classIndices),
            terms: Float32Array.from(anchors.flatMap((entry) => entry.terms)),
          })),
          3,
        );
        let loss = 0;
        let used = 0;
        for (const { anchors } of images) {
          const read = anchors.filter(({ match }) => match !== -2);
          const positives = read.filter(({ match }) => match >= 0).length;
          const sum = read.reduce((total, { terms }) => total + terms.reduce((a, b) => a + b, 0), 0);
          loss += sum / Math.max(1, positives) / images.length;
          used += read.length;
        }
        expect(classificationLoss(balance)).toBeCloseTo(loss, 9);
        for (const entry of balance) {
          expect(entry.positives + entry.backgroundTrueAnchors + entry.backgroundOtherAnchors).toBe(used);
          const share = foregroundShare(entry);
          expect(share === null || (share >= 0 && share <= 1)).toBe(true);
        }
      }),
    );
  });

  it('has no share where there is no loss', () => {
    const [only] = computeBalance([], 1);
    expect(foregroundShare(only!)).toBeNull();
  });
});
