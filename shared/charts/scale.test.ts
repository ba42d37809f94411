import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Axis } from './chart.ts';
import { makeScale, makeTicks } from './scale.ts';

const linear: Axis = { label: '', scale: 'linear', format: 'number' };
const log: Axis = { label: '', scale: 'log', format: 'number' };
const labels = (axis: Axis, values: number[], count = 5, baseline = false) =>
  makeTicks(axis, makeScale(axis, values, baseline), count).map(({ label }) => label);

describe('scale', () => {
  it('spans the values from a round number to a round number', () => {
    expect(makeScale(linear, [3, 97], false).domain).toEqual([0, 100]);
    expect(makeScale(linear, [1, 1234], false).domain).toEqual([0, 1400]);
    expect(makeScale(log, [0.0031, 740], false).domain).toEqual([0.001, 1000]);
    expect(makeScale(log, [0.06, 1.7], false).domain).toEqual([0.05, 2]);
  });

  it('shows zero where something grows from it', () => {
    expect(makeScale(linear, [93, 97], false).domain[0]).toBe(93);
    expect(makeScale(linear, [93, 97], true).domain[0]).toBe(0);
    expect(makeScale(log, [10, 1000], true).domain[0]).toBe(1);
    expect(makeScale(linear, [0, 0], true).domain).toEqual([0, 1]);
    expect(makeScale({ ...linear, format: 'integer' }, [0], true).domain).toEqual([0, 1]);
  });

  it('takes a given domain as it is, unless it is none', () => {
    expect(makeScale({ ...linear, domain: [0, 1] }, [5], false).domain).toEqual([0, 1]);
    expect(makeScale({ ...linear, domain: [1, 1] }, [0, 10], false).domain).toEqual([0, 10]);
    expect(makeScale({ ...log, domain: [0, 1] }, [1, 1000], false).domain).toEqual([1, 1000]);
  });

  it('finds places in between, and values at places', () => {
    const scale = makeScale({ ...log, domain: [0.01, 100] }, [], false);
    expect(scale.place(1)).toBeCloseTo(0.5);
    expect(scale.valueAt(0.75)).toBeCloseTo(10);
    expect(scale.place(0)).toBeNull();
    expect(scale.place(Number.NaN)).toBeNull();
  });

  it('places every drawable value within the axis, the larger further', () => {
    const value = fc.double({ min: -1e150, max: 1e150, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.constantFrom(linear, log),
        fc.boolean(),
        (values, axis, baseline) => {
          const scale = makeScale(axis, values, baseline);
          const places = [...values].sort((a, b) => a - b).flatMap((each) => scale.place(each) ?? []);
          for (const [index, place] of places.entries()) {
            expect(place).toBeGreaterThanOrEqual(-1e-6);
            expect(place).toBeLessThanOrEqual(1 + 1e-6);
            expect(place).toBeGreaterThanOrEqual(places[index - 1] ?? Number.NEGATIVE_INFINITY);
          }
          const ticks = makeTicks(axis, scale, 6);
          expect(ticks.length).toBeLessThan(20);
          for (const tick of ticks) expect(Number.isFinite(tick.at) && tick.label !== '').toBe(true);
        },
      ),
    );
  });
});

describe('ticks', () => {
  it('are 1, 2 or 5 times a power of ten apart', () => {
    expect(labels(linear, [0, 1000])).toEqual(['0', '200', '400', '600', '800', '1,000']);
    expect(labels(linear, [0, 0.004], 4)).toEqual(['0', '0.001', '0.002', '0.003', '0.004']);
    expect(labels(linear, [-10, 10], 4)).toEqual(['−10', '−5', '0', '5', '10']);
  });

  it('are decades on a log axis, finer where there is room and sparser where there is none', () => {
    expect(labels(log, [1, 1000], 4)).toEqual(['1', '10', '100', '1,000']);
    expect(labels(log, [0.05, 2], 6)).toEqual(['0.05', '0.1', '0.2', '0.5', '1', '2']);
    expect(labels(log, [1e-8, 1e4], 4)).toEqual(['10⁻⁸', '0.0001', '1', '10,000']);
    expect(labels(log, [1.1, 1.9], 5)).toEqual(['1', '1.2', '1.4', '1.6', '1.8', '2']);
  });

  it('never part whole things, and are percents where asked', () => {
    expect(labels({ ...linear, format: 'integer' }, [0, 2], 10)).toEqual(['0', '1', '2']);
    expect(labels({ ...linear, format: 'percent' }, [0, 1], 5)).toEqual([
      '0%',
      '20%',
      '40%',
      '60%',
      '80%',
      '100%',
    ]);
    expect(labels({ ...linear, format: 'percent' }, [0, 0.01], 5)).toEqual([
      '0%',
      '0.2%',
      '0.4%',
      '0.6%',
      '0.8%',
      '1%',
    ]);
  });

  it('are the given ones where places have names', () => {
    const axis: Axis = {
      ...linear,
      domain: [0, 1],
      ticks: [
        { at: 0.5, label: 'half' },
        { at: 9, label: 'outside' },
      ],
    };
    expect(labels(axis, [])).toEqual(['half']);
  });
});
