import { describe, expect, it } from 'vitest';
import { matchBackground } from '../detector/matcher.ts';
import { RandomStream } from '../domain/random.ts';
import {
  balanceUnder,
  broughtToMeasured,
  carriersOf,
  concentrationCurve,
  probabilityHistogram,
  sliceGradient,
  sliceLoss,
} from './counterfactual.ts';
import { focalGradient, focalLoss, sigmoid, softplus } from './focal.ts';
import { addLogit, emptyHistogram, type Slice, sliceOf } from './histogramOps.ts';
import { computeStatistics } from './statistics.ts';
import { lossSettingsOf } from './strategies.ts';

type Draw = (stream: RandomStream) => number;

/** Well-learned background with a tail that is not. */
const broad: Draw = (stream) => {
  const kind = stream.uniform();
  if (kind < 0.9) return 6 + 1.5 * stream.normal();
  return kind < 0.99 ? 2 + 2 * stream.normal() : 1.5 * stream.normal() - 1;
};
/** Before the first step at a prior of 0.01: within a third of a bin. */
const evenStart: Draw = (stream) => stream.between(4.575, 4.615);
/** As the last layer's first weights scatter them. */
const narrowStart: Draw = (stream) => 4.595 + 0.005 * stream.normal();
const wideStart: Draw = (stream) => 4.595 + 0.02 * stream.normal();
const twoHeaps: Draw = (stream) => (stream.uniform() < 0.5 ? 0.01 : 0.115);

function samplesOf(name: string, draw: Draw, count: number): { xts: Float64Array; slice: Slice } {
  const stream = new RandomStream(name);
  const histogram = emptyHistogram(1);
  const xts = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    xts[index] = Math.fround(draw(stream));
    addLogit(histogram, 0, 'backgroundTrue', xts[index]!);
  }
  return { xts, slice: sliceOf(histogram, 'all', ['backgroundTrue']) };
}

describe('figure 4 against exact sorting', () => {
  it.each([
    ['a broad mixture', 2_000_000, broad, 0.0001],
    ['the normal scatter of a start', 500_000, narrowStart, 0.002],
    ['all within a third of a bin', 200_000, evenStart, 0.001],
    ['normal about one bin', 200_000, wideStart, 0.005],
    ['two heaps in one bin', 200_000, twoHeaps, 0.016],
  ] as const)(
    '%s, %d logits',
    (name, count, draw, tolerance) => {
      const { xts, slice } = samplesOf(name, draw, count);
      xts.sort().reverse();
      const wrong = xts.map((xt) => sigmoid(-xt));
      const entropy = xts.map((xt) => softplus(-xt));
      for (const gamma of [0, 1, 2, 5]) {
        const losses = entropy.map((loss, index) => loss * wrong[index]! ** gamma);
        expect(largestGap(concentrationCurve(slice, gamma), losses)).toBeLessThan(tolerance);
      }
    },
    30_000,
  );
});

/** Between a curve and that of the losses, easiest first. */
function largestGap(curve: readonly [number, number][], losses: Float64Array): number {
  const total = losses.reduce((sum, loss) => sum + loss, 0);
  let carried = 0;
  let gap = 0;
  let next = 1;
  for (let index = 0; index < losses.length; index++) {
    carried += losses[index]!;
    const fraction = (index + 1) / losses.length;
    while (curve[next]![0] < fraction && next < curve.length - 1) next++;
    const [x0, y0] = curve[next - 1]!;
    const [x1, y1] = curve[next]!;
    const y = x1 > x0 ? y0 + ((y1 - y0) * (fraction - x0)) / (x1 - x0) : y1;
    gap = Math.max(gap, Math.abs(y - carried / total));
  }
  return gap;
}

describe('totals under other settings', () => {
  it.each([
    ['a broad mixture', broad],
    ['the start at a prior of 0.01', wideStart],
    ['objects at that start', (stream) => 0.02 * stream.normal() - 4.595],
    ['the start without a prior', (stream) => 0.02 * stream.normal()],
    ['two heaps in one bin', twoHeaps],
  ] satisfies [string, Draw][])('within 0.1 percent of the sum over every logit: %s', (name, draw) => {
    const { xts, slice } = samplesOf(name, draw, 20_000);
    for (const gamma of [0, 0.5, 1, 2, 3, 5]) {
      for (const alpha of [-1, 0.25, 0.9]) {
        for (const isForeground of [true, false]) {
          const settings = { alpha, gamma };
          let loss = 0;
          let gradient = 0;
          for (const xt of xts) {
            const logit = isForeground ? xt : -xt;
            loss += focalLoss(logit, isForeground, settings);
            gradient += Math.abs(focalGradient(logit, isForeground, settings));
          }
          expect(Math.abs(sliceLoss(slice, isForeground, settings) / loss - 1)).toBeLessThan(0.001);
          expect(Math.abs(sliceGradient(slice, isForeground, settings) / gradient - 1)).toBeLessThan(0.001);
        }
      }
    }
  });

  it('gives the balance of a step back, and that of the same logits under another gamma', () => {
    const stream = new RandomStream('balance');
    const matches = Int32Array.from({ length: 3000 }, () => Math.max(-2, stream.integer(40) - 38));
    const image = {
      matches,
      classIndices: Int32Array.of(2, 0),
      logits: Float32Array.from({ length: 9000 }, () => 2 * stream.normal() - 3),
      weights: new Float32Array(3000).fill(1 / 64),
    };
    const actual = computeStatistics([image, image], 3, lossSettingsOf({ alpha: 0.25, gamma: 2 }));
    const other = computeStatistics([image, image], 3, lossSettingsOf({ alpha: 0.6, gamma: 0.5 }));
    for (const [{ balance }, alpha, gamma] of [
      [actual, 0.25, 2],
      [other, 0.6, 0.5],
    ] as const) {
      const redrawn = balanceUnder(actual.histogram, { alpha, gamma }, { scale: 1 / 32, steps: 2 });
      redrawn.forEach((each, classIndex) => {
        for (const [name, value] of Object.entries(balance[classIndex]!)) {
          const wanted = name.endsWith('nchors') || name === 'positives' ? value / 2 : value;
          expect(Math.abs(each[name as keyof typeof each] - wanted)).toBeLessThanOrEqual(0.001 * wanted);
        }
      });
    }
  });
});

describe('a batch whose images weigh differently', () => {
  // Two positives against twenty: divided by its own positives, an anchor of the first image weighs ten times as much.
  const images = [2, 20].map((positives, index) => {
    const stream = new RandomStream(`unequal ${index}`);
    return {
      classIndices: Int32Array.of(0),
      matches: Int32Array.from({ length: 2000 }, (_, anchor) => (anchor < positives ? 0 : matchBackground)),
      logits: Float32Array.from({ length: 2000 }, () => stream.normal() - 3),
      weights: new Float32Array(2000).fill(1 / positives / 2),
    };
  });
  const scale = (1 / 2 + 1 / 20) / 4;
  const own = { alpha: 0.25, gamma: 2 };
  const { histogram, balance } = computeStatistics(images, 1, lossSettingsOf(own));

  it('is brought to what was measured: its own loss exactly, another nearly', () => {
    const told = balanceUnder(histogram, own, { scale, steps: 1 });
    expect(told[0]!.foreground / balance[0]!.foreground).toBeGreaterThan(2.5);
    const same = broughtToMeasured(told, told, balance)[0]!;
    expect(same.foreground).toBeCloseTo(balance[0]!.foreground, 12);
    expect(same.backgroundTrueGradient).toBeCloseTo(balance[0]!.backgroundTrueGradient, 12);
    const other = { alpha: -1, gamma: 0 };
    const [real] = computeStatistics(images, 1, lossSettingsOf({ ...other, strategy: 'ce' })).balance;
    const [brought] = broughtToMeasured(balanceUnder(histogram, other, { scale, steps: 1 }), told, balance);
    for (const field of ['foreground', 'background', 'foregroundGradient'] as const) {
      expect(Math.abs(brought![field] / real![field] - 1)).toBeLessThan(0.1);
    }
  });
});

describe('what carries the loss', () => {
  const histogram = emptyHistogram(1);
  // Ninety easy ones, and ten that cost 45 times as much together.
  addLogit(histogram, 0, 'backgroundTrue', 4, 90);
  addLogit(histogram, 0, 'backgroundTrue', -4, 10);
  const slice = sliceOf(histogram, 'all', ['backgroundTrue']);
  const nothing = sliceOf(emptyHistogram(1), 'all', ['backgroundTrue']);

  it('runs from nothing to all, and bends where the hard ones begin', () => {
    const curve = concentrationCurve(slice, 0);
    expect(curve[0]).toEqual([0, 0]);
    expect(curve.at(-1)).toEqual([1, 1]);
    const easy = (90 * softplus(-4)) / (90 * softplus(-4) + 10 * softplus(4));
    const bend = curve.find(([fraction]) => Math.abs(fraction - 0.9) < 1e-9)!;
    expect(bend[1]).toBeCloseTo(easy, 12);
    expect(concentrationCurve(nothing, 2)).toEqual([]);
  });

  it('thins a curve without leaving it', () => {
    const { slice } = samplesOf('thin', broad, 10_000);
    const fine = concentrationCurve(slice, 2);
    const coarse = concentrationCurve(slice, 2, 60);
    expect(coarse.length).toBeLessThan(80);
    expect([coarse[0], coarse.at(-1)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    for (const point of coarse) expect(fine).toContainEqual(point);
  });

  it('counts how many of the hardest carry a share', () => {
    expect(carriersOf(slice, 2, 0.5)).toBeCloseTo(5, 2);
    expect(carriersOf(slice, 0, 0)).toBe(0);
    expect(carriersOf(slice, 0, 1)).toBeCloseTo(100, 6);
    expect(carriersOf(nothing, 2, 0.9)).toBe(0);
  });

  it('counts the logits by the probability of the right answer', () => {
    const { xts, slice } = samplesOf('probability', broad, 100_000);
    const bins = probabilityHistogram(slice, 20);
    expect(bins.map(({ from }) => from)).toEqual(bins.map((_, index) => index / 20));
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBeCloseTo(xts.length, 6);
    for (const { from, to, count } of bins) {
      const exact = xts.filter((xt) => sigmoid(xt) >= from && sigmoid(xt) < to).length;
      expect(Math.abs(count - exact)).toBeLessThan(0.0005 * xts.length);
    }
  });
});
