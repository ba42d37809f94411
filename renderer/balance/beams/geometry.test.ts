import { describe, expect, it } from 'vitest';
import {
  beamGeometry,
  blockScale,
  frame,
  maxTiltDeg,
  type ShareSamples,
  stripPaths,
  tiltOf,
  trailingSums,
} from './geometry.ts';

/** By sample: step, foreground, true background, other classes' objects. */
const samplesOf = (...samples: [number, number, number, number][]): ShareSamples => ({
  step: samples.map(([step]) => step),
  foreground: samples.map(([, foreground]) => foreground),
  backgroundTrue: samples.map(([, , backgroundTrue]) => backgroundTrue),
  backgroundOther: samples.map(([, , , backgroundOther]) => backgroundOther),
});
const area = (rect: { width: number; height: number }) => rect.width * rect.height;

describe('tiltOf', () => {
  it('is level at 50:50 and where there is no loss', () => {
    expect(tiltOf(2, 2)).toBe(0);
    expect(tiltOf(0, 0)).toBe(0);
  });

  it('lowers the background side by the difference of the shares', () => {
    expect(tiltOf(1, 3)).toBeCloseTo(maxTiltDeg * 0.5, 12);
    expect(tiltOf(3, 1)).toBeCloseTo(-maxTiltDeg * 0.5, 12);
    expect(tiltOf(0, 5)).toBe(maxTiltDeg);
    expect(tiltOf(5, 0)).toBe(-maxTiltDeg);
  });

  it('grows with the background share and does not depend on the size of the loss', () => {
    const angles = [0, 0.1, 0.35, 0.5, 0.8, 1].map((share) => tiltOf(1 - share, share));
    expect([...angles].sort((a, b) => a - b)).toEqual(angles);
    expect(tiltOf(0.001, 0.004)).toBeCloseTo(tiltOf(10, 40), 12);
  });
});

describe('beamGeometry', () => {
  const geometry = beamGeometry({ foreground: 1, backgroundTrue: 3, backgroundOther: 1 }, 4);

  it('puts the heavier side lower, both ends one arm from the pivot', () => {
    expect(geometry.rightEnd.y).toBeGreaterThan(frame.pivot.y);
    expect(geometry.leftEnd.y).toBeLessThan(frame.pivot.y);
    for (const end of [geometry.leftEnd, geometry.rightEnd]) {
      expect(Math.hypot(end.x - frame.pivot.x, end.y - frame.pivot.y)).toBeCloseTo(frame.arm, 9);
    }
  });

  it('makes areas proportional to losses', () => {
    const background = area(geometry.backgroundTrue) + area(geometry.backgroundOther);
    expect(background / area(geometry.foreground)).toBeCloseTo(4, 9);
    expect(area(geometry.backgroundTrue) / area(geometry.backgroundOther)).toBeCloseTo(3, 9);
  });

  it('stands blocks on their plates, other classes on top of true background', () => {
    const { foreground, backgroundTrue, backgroundOther } = geometry;
    expect(foreground.y + foreground.height).toBeCloseTo(frame.hang, 9);
    expect(backgroundTrue.y + backgroundTrue.height).toBeCloseTo(frame.hang, 9);
    expect(backgroundOther.y + backgroundOther.height).toBeCloseTo(backgroundTrue.y, 9);
  });

  it('keeps every block on its plate and every pan inside the frame', () => {
    for (const loss of [
      { foreground: 1, backgroundTrue: 0, backgroundOther: 0 },
      { foreground: 0, backgroundTrue: 1, backgroundOther: 0 },
      { foreground: 0.5, backgroundTrue: 0.25, backgroundOther: 0.25 },
    ]) {
      const g = beamGeometry(loss, 1);
      expect(g.foreground.width / 2).toBeLessThanOrEqual(g.leftPlateHalf);
      expect(g.backgroundTrue.width / 2).toBeLessThanOrEqual(g.rightPlateHalf);
      expect(g.leftEnd.x - g.leftPlateHalf).toBeGreaterThanOrEqual(0);
      expect(g.rightEnd.x + g.rightPlateHalf).toBeLessThanOrEqual(frame.width);
      expect(Math.max(g.leftEnd.y, g.rightEnd.y) + frame.hang).toBeLessThan(frame.groundY);
    }
  });

  it('lays nothing on the pans of a class without loss', () => {
    const g = beamGeometry({ foreground: 0, backgroundTrue: 0, backgroundOther: 0 }, 0);
    expect(g.angleDeg).toBe(0);
    expect(area(g.foreground) + area(g.backgroundTrue) + area(g.backgroundOther)).toBe(0);
  });

  it('does not break on a loss that is not a number', () => {
    expect(blockScale(Number.NaN, 1)).toBe(0);
    expect(blockScale(2, 1)).toBe(1);
  });
});

describe('stripPaths', () => {
  it('draws foreground from the bottom, background above it', () => {
    const samples = samplesOf([0, 1, 1, 0], [10, 1, 2, 1]);
    const paths = stripPaths(samples, 10, 100, 40, 1);
    expect(paths.foreground).toBe('M0 20L100 30L100 40L0 40Z');
    expect(paths.backgroundOther).toBe('M0 20L100 20L100 30L0 20Z');
    expect(paths.backgroundTrue).toBe('M0 0L100 0L100 20L0 20Z');
  });

  it('begins at the left edge, wherever the first step is', () => {
    const samples = samplesOf([5, 1, 1, 0]);
    expect(stripPaths(samples, 10, 100, 40, 1).foreground).toBe('M0 20L50 20L50 40L0 40Z');
  });

  it('is empty without loss', () => {
    const nothing = samplesOf([1, 0, 0, 0]);
    expect(stripPaths(nothing, 10, 100, 40, 20).foreground).toBe('');
    expect(stripPaths(samplesOf(), 10, 100, 40, 20).foreground).toBe('');
  });

  it('keeps a long run to one corner a column', () => {
    const samples = samplesOf(
      ...Array.from({ length: 5000 }, (_, index): [number, number, number, number] => [index + 1, 1, 1, 0]),
    );
    expect(stripPaths(samples, 5000, 100, 40, 20).foreground.split('L').length).toBeLessThan(210);
  });
});

describe('trailingSums', () => {
  it('sums over the steps of the window, not over the samples', () => {
    const sums = trailingSums(samplesOf([1, 1, 1, 0], [2, 2, 1, 0], [3, 4, 1, 0], [9, 8, 1, 0]), 2);
    expect(Array.from(sums.foreground)).toEqual([1, 3, 6, 8]);
    expect(Array.from(sums.backgroundTrue)).toEqual([1, 2, 2, 1]);
  });
});
