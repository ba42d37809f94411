import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogitHistogram, type Side, sides } from './histogram.ts';
import { addHistogram, addLogit, binSpread, emptyHistogram, shiftLogits, sliceOf } from './histogramOps.ts';

interface Counted {
  readonly classIndex: number;
  readonly side: Side;
  readonly xt: number;
}

const counted: fc.Arbitrary<Counted[]> = fc.array(
  fc.record({
    classIndex: fc.integer({ min: 0, max: 1 }),
    side: fc.constantFrom(...sides),
    xt: fc.double({ min: -20, max: 20, noNaN: true }),
  }),
  { maxLength: 60 },
);

function histogramOf(logits: readonly Counted[]): LogitHistogram {
  const histogram = emptyHistogram(2);
  for (const { classIndex, side, xt } of logits) addLogit(histogram, classIndex, side, xt);
  return histogram;
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe('counting', () => {
  it('knows the bin, the mean place in it and how far apart its logits lie', () => {
    const histogram = emptyHistogram(2);
    // Bins are an eighth wide; bin 128 begins at 0.
    addLogit(histogram, 1, 'backgroundTrue', 0.125 / 4);
    addLogit(histogram, 1, 'backgroundTrue', (0.125 * 3) / 4, 3);
    const index = (1 * 3 + 1) * 256 + 128;
    expect(histogram.counts[index]).toBe(4);
    expect(total(histogram.counts)).toBe(4);
    expect(binSpread(histogram, index).mean).toBe(0.625);
    expect(binSpread(histogram, index).deviation).toBeCloseTo(Math.sqrt(3) / 8, 14);
  });

  it('counts what lies beyond at the outermost edges, and no NaN', () => {
    const histogram = histogramOf(
      [-1e9, -16, 16, 1e9].map((xt) => ({ classIndex: 0, side: 'foreground', xt })),
    );
    addLogit(histogram, 0, 'foreground', NaN);
    expect([histogram.counts[0], histogram.places[0]]).toEqual([2, 0]);
    expect([histogram.counts[255], histogram.places[255], histogram.squaredPlaces[255]]).toEqual([2, 2, 2]);
    expect(total(histogram.counts)).toBe(4);
  });

  it('merges as if all had been counted in one', () => {
    fc.assert(
      fc.property(counted, counted, (first, second) => {
        const merged = histogramOf(first);
        addHistogram(merged, histogramOf(second));
        const whole = histogramOf([...first, ...second]);
        expect(merged.counts).toEqual(whole.counts);
        expect(total(merged.places)).toBeCloseTo(total(whole.places), 10);
        expect(total(merged.squaredPlaces)).toBeCloseTo(total(whole.squaredPlaces), 10);
      }),
    );
  });

  it('cuts out classes and sides', () => {
    fc.assert(
      fc.property(counted, (logits) => {
        const histogram = histogramOf(logits);
        const of = (classes: number[] | 'all', chosen: Side[]) =>
          total(sliceOf(histogram, classes, chosen).counts);
        expect(of('all', [...sides])).toBe(logits.length);
        const wanted = logits.filter(({ classIndex, side }) => classIndex === 1 && side !== 'foreground');
        expect(of([1], ['backgroundTrue', 'backgroundOther'])).toBe(wanted.length);
      }),
    );
  });
});

describe('shiftLogits', () => {
  it('moves foreground up and background down, and loses none', () => {
    const histogram = histogramOf(sides.map((side) => ({ classIndex: 0, side, xt: 1.03 })));
    const moved = shiftLogits(histogram, 2.5);
    const meanOf = (side: Side) => {
      const slice = sliceOf(moved, 'all', [side]);
      const bin = slice.counts.indexOf(1);
      return -16 + (bin + slice.places[bin]!) / 8;
    };
    expect(sides.map(meanOf)).toEqual([3.53, -1.47, -1.47].map((value) => expect.closeTo(value, 12)));
  });

  it('keeps the number, the mean and the variance of the logits', () => {
    const inside = counted.map((logits) =>
      logits.map((each) => ({ ...each, side: 'foreground' as const, xt: each.xt / 4 })),
    );
    fc.assert(
      fc.property(inside, fc.double({ min: -10, max: 10, noNaN: true }), (logits, delta) => {
        const before = moments(histogramOf(logits));
        const after = moments(shiftLogits(histogramOf(logits), delta));
        expect(after.count).toBeCloseTo(before.count, 9);
        if (before.count === 0) return;
        expect(after.mean - before.mean).toBeCloseTo(delta, 9);
        expect(after.square - after.mean ** 2).toBeCloseTo(before.square - before.mean ** 2, 8);
      }),
    );
  });

  it('gathers at the edges what would lie beyond', () => {
    const histogram = histogramOf([{ classIndex: 0, side: 'foreground', xt: 15 }]);
    const moved = shiftLogits(histogram, 5);
    expect([moved.counts[255], moved.places[255]]).toEqual([1, 1]);
  });
});

/** Of all logits, of whatever class. */
function moments(histogram: LogitHistogram): { count: number; mean: number; square: number } {
  let count = 0;
  let sum = 0;
  let square = 0;
  histogram.counts.forEach((each, index) => {
    if (each === 0) return;
    const { mean, deviation } = binSpread(histogram, index);
    const xt = -16 + ((index % 256) + mean) / 8;
    count += each;
    sum += each * xt;
    square += each * (xt ** 2 + (deviation / 8) ** 2);
  });
  return { count, mean: sum / count, square: square / count };
}
