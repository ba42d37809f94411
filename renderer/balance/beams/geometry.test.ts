import { describe, expect, it } from 'vitest';
import { beamGeometry, blockScale, frame, maxTiltDeg, stripPaths, tiltOf, trailingSums } from './geometry.ts';

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
    const samples = [
      { step: 0, foreground: 1, backgroundTrue: 1, backgroundOther: 0 },
      { step: 10, foreground: 1, backgroundTrue: 2, backgroundOther: 1 },
    ];
    const paths = stripPaths(samples, 10, 100, 40, 1);
    expect(paths.foreground).toBe('M0 20L100 30L100 40L0 40Z');
    expect(paths.backgroundOther).toBe('M0 20L100 20L100 30L0 20Z');
    expect(paths.backgroundTrue).toBe('M0 0L100 0L100 20L0 20Z');
  });

  it('begins at the left edge, wherever the first step is', () => {
    const samples = [{ step: 5, foreground: 1, backgroundTrue: 1, backgroundOther: 0 }];
    expect(stripPaths(samples, 10, 100, 40, 1).foreground).toBe('M0 20L50 20L50 40L0 40Z');
  });

  it('is empty without loss', () => {
    const nothing = [{ step: 1, foreground: 0, backgroundTrue: 0, backgroundOther: 0 }];
    expect(stripPaths(nothing, 10, 100, 40, 20).foreground).toBe('');
    expect(stripPaths([], 10, 100, 40, 20).foreground).toBe('');
  });

  it('keeps a long run to one corner a column', () => {
    const samples = Array.from({ length: 5000 }, (_, index) => ({
      step: index + 1,
      foreground: 1,
      backgroundTrue: 1,
      backgroundOther: 0,
    }));
    expect(stripPaths(samples, 5000, 100, 40, 20).foreground.split('L').length).toBeLessThan(210);
  });
});

describe('trailingSums', () => {
  it('sums over the steps of the window, not over the samples', () => {
    const at = (step: number, foreground: number) => ({
      step,
      foreground,
      backgroundTrue: 1,
      backgroundOther: 0,
    });
    const sums = trailingSums([at(1, 1), at(2, 2), at(3, 4), at(9, 8)], 2);
    expect(sums.map(({ foreground }) => foreground)).toEqual([1, 3, 6, 8]);
    expect(sums.map(({ backgroundTrue }) => backgroundTrue)).toEqual([1, 2, 2, 1]);
  });
});
