import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countPositives } from '../detector/matcher.ts';
import { sides } from './histogram.ts';
import { sliceOf } from './histogramOps.ts';
import { classificationLoss, computeStatistics, hardestAnchors, type ImageLogits } from './statistics.ts';
import { lossSettingsOf } from './strategies.ts';
import { strategyNames } from './strategy.ts';
import { lossGradient, lossTerm, termForm } from './term.ts';

const focal = lossSettingsOf({ alpha: 0.25, gamma: 2 });

function imageOf(matches: number[], logits: number[], weights: number[], classIndices = [0]): ImageLogits {
  return {
    matches: Int32Array.from(matches),
    classIndices: Int32Array.from(classIndices),
    logits: Float32Array.from(logits),
    weights: Float32Array.from(weights),
  };
}

/** Anchors of three classes, each matched to one of four boxes, to nothing, or ignored. */
const anchor = fc.record({
  match: fc.integer({ min: -2, max: 3 }),
  logits: fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 3, maxLength: 3 }),
  weight: fc.constantFrom(0, 0.25, 1),
});
const batch = fc.array(
  fc
    .record({
      anchors: fc.array(anchor, { maxLength: 20 }),
      classIndices: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
    })
    .map(({ anchors, classIndices }) =>
      imageOf(
        anchors.map(({ match }) => match),
        anchors.flatMap(({ logits }) => logits),
        anchors.map(({ weight }) => weight),
        classIndices,
      ),
    ),
  { minLength: 1, maxLength: 4 },
);

describe('computeStatistics', () => {
  it('shares a hand-sized batch as a reader can check', () => {
    // Cross-entropy at logit 0 is ln 2, its gradient a half. Anchors matched to class 1, class 0, background, ignored; left out.
    const first = imageOf([0, 1, -1, -2, -1], new Array(10).fill(0), [1, 2, 4, 8, 0], [1, 0]);
    const second = imageOf([-1], [0, 0], [16], []);
    const { balance, histogram } = computeStatistics([first, second], 2, { ...focal, strategy: 'ce' });
    const counts = { positives: 1, backgroundTrueAnchors: 3, backgroundOtherAnchors: 1 };
    const losses = (foreground: number, backgroundTrue: number, backgroundOther: number) => ({
      foreground: foreground * Math.LN2,
      background: backgroundTrue * Math.LN2 + backgroundOther * Math.LN2,
      backgroundTrue: backgroundTrue * Math.LN2,
      backgroundOther: backgroundOther * Math.LN2,
      foregroundGradient: foreground / 2,
      backgroundTrueGradient: backgroundTrue / 2,
      backgroundOtherGradient: backgroundOther / 2,
    });
    expect(balance).toEqual([
      { classIndex: 0, ...losses(2, 20, 1), ...counts },
      { classIndex: 1, ...losses(1, 20, 2), ...counts },
    ]);
    const counted = sides.map((side) => sliceOf(histogram, [0], [side]).counts[128]);
    expect(counted).toEqual([1, 3, 1]);
  });

  it.each(strategyNames)(
    '%s: adds up to the loss that is trained with, to its gradient and to every logit',
    (strategy) => {
      const settings = { ...focal, strategy };
      fc.assert(
        fc.property(batch, (images) => {
          let loss = 0;
          let gradient = 0;
          let used = 0;
          for (const { matches, classIndices, logits, weights } of images) {
            matches.forEach((match, at) => {
              if (match === -2) return;
              used++;
              for (let k = 0; k < 3; k++) {
                const isTarget = match >= 0 && classIndices[match] === k;
                loss += weights[at]! * lossTerm(logits[at * 3 + k]!, isTarget, settings);
                gradient += weights[at]! * Math.abs(lossGradient(logits[at * 3 + k]!, isTarget, settings));
              }
            });
          }
          const { balance, histogram } = computeStatistics(images, 3, settings);
          const gradients = balance.map(
            (each) => each.foregroundGradient + each.backgroundTrueGradient + each.backgroundOtherGradient,
          );
          expect(classificationLoss(balance)).toBeCloseTo(loss, 9);
          expect(gradients.reduce((sum, each) => sum + each, 0)).toBeCloseTo(gradient, 9);
          const positives = images.reduce((sum, { matches }) => sum + countPositives(matches), 0);
          expect(balance.reduce((sum, each) => sum + each.positives, 0)).toBe(positives);
          for (const each of balance) {
            expect(each.positives + each.backgroundTrueAnchors + each.backgroundOtherAnchors).toBe(used);
          }
          expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(3 * used);
        }),
        { numRuns: 30 },
      );
    },
  );

  it('lets a logit that is not finite spoil the sum only where it counts', () => {
    const lossOf = (weight: number) =>
      classificationLoss(computeStatistics([imageOf([-1, -1], [NaN, 0], [weight, 1])], 1, focal).balance);
    expect(lossOf(0)).toBeGreaterThan(0);
    expect(lossOf(1)).toBeNaN();
  });
});

describe('hardestAnchors', () => {
  const places = { anchorsPerPlace: 3 };

  it('takes the heaviest, one of a place and class', () => {
    // Two places of three anchors, two classes. Anchor 1 is of class 0; anchor 5 is ignored, anchor 4 left out.
    const logits = [1, 0, -5, 1, 2, -1, -9, -9, 9, 9, 9, 9];
    const image = imageOf([-1, 0, -1, -1, -1, -2], logits, [1, 1, 1, 1, 0, 1]);
    const hardest = hardestAnchors([image], 2, { alpha: -1, gamma: 0 }, { ...places, count: 3 });
    expect(hardest.map(({ anchor, classIndex, side }) => [anchor, classIndex, side])).toEqual([
      [1, 0, 'foreground'],
      [1, 1, 'backgroundOther'],
      [3, 0, 'backgroundTrue'],
    ]);
    expect(hardest[0]!.loss).toBeCloseTo(Math.log1p(Math.exp(5)), 12);
    expect(hardest[0]!.probability).toBeCloseTo(1 / (1 + Math.exp(5)), 12);
  });

  it('is what sorting all places and classes gives, ties by image, anchor and class', () => {
    fc.assert(
      fc.property(batch, fc.integer({ min: 0, max: 5 }), (images, count) => {
        const best = new Map<string, [loss: number, image: number, anchor: number, classIndex: number]>();
        images.forEach(({ matches, classIndices, logits, weights }, image) => {
          matches.forEach((match, at) => {
            for (let k = 0; k < 3; k++) {
              if (match === -2 || weights[at] === 0) continue;
              const isTarget = match >= 0 && classIndices[match] === k;
              const loss = lossTerm(logits[at * 3 + k]!, isTarget, focal);
              const key = `${image} ${Math.floor(at / 3)} ${k}`;
              if (loss > (best.get(key)?.[0] ?? -1)) best.set(key, [loss, image, at, k]);
            }
          });
        });
        const sorted = [...best.values()].sort(
          (a, b) => b[0] - a[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3],
        );
        const hardest = hardestAnchors(images, 3, termForm(focal), { ...places, count });
        expect(hardest.map((each) => [each.loss, each.image, each.anchor, each.classIndex])).toEqual(
          sorted.slice(0, count),
        );
      }),
    );
  });
});
