import { describe, expect, it } from 'vitest';
import { beamNumbers, checkSum, countText, lossText, percentPair, restingBeam, sortBeams } from './share.ts';

const balance = (name: string, foreground: number, backgroundTrue: number, backgroundOther = 0) => ({
  class: name,
  foreground,
  background: backgroundTrue + backgroundOther,
  backgroundTrue,
  backgroundOther,
  positives: 12,
  backgroundTrueAnchors: 900,
  backgroundOtherAnchors: 88,
});

describe('beamNumbers', () => {
  it('divides the loss and counts the anchors behind it', () => {
    const beam = beamNumbers(balance('RBC', 1, 2, 1), '#e69f00');
    expect(beam.foregroundShare).toBe(0.25);
    expect(beam.backgroundShare).toBe(0.75);
    expect(beam.anchors).toBe(1000);
  });

  it('has no shares before the first step', () => {
    expect(restingBeam('RBC', '#e69f00').foregroundShare).toBeNull();
    expect(percentPair(restingBeam('RBC', '#e69f00'))).toEqual({ foreground: '–', background: '–' });
  });
});

describe('checkSum', () => {
  const beams = [
    beamNumbers(balance('a', 0.5, 0.25), '#000000'),
    beamNumbers(balance('b', 0.1, 0.05, 0.1), '#000000'),
  ];

  it('agrees where the classes add up to the loss', () => {
    expect(checkSum(beams, 1).sum).toBeCloseTo(1, 12);
    expect(checkSum(beams, 1.00005).agrees).toBe(true);
  });

  it('says so where they do not', () => {
    expect(checkSum(beams, 1.001).agrees).toBe(false);
    expect(checkSum([], 0).agrees).toBe(true);
  });
});

describe('sortBeams', () => {
  const beams = [
    beamNumbers(balance('light, background', 0, 1), '#000000'),
    beamNumbers(balance('heavy, foreground', 5, 1), '#000000'),
    restingBeam('none', '#000000'),
  ];
  const names = (order: 'loss' | 'background' | 'class') => sortBeams(beams, order).map(({ name }) => name);

  it('orders by loss, by background share, or not at all', () => {
    expect(names('loss')).toEqual(['heavy, foreground', 'light, background', 'none']);
    expect(names('background')).toEqual(['light, background', 'heavy, foreground', 'none']);
    expect(names('class')).toEqual(beams.map(({ name }) => name));
  });
});

describe('words for numbers', () => {
  it('makes percents that add up and never rounds something to nothing', () => {
    const pair = (foreground: number) =>
      percentPair({ foregroundShare: foreground, backgroundShare: 1 - foreground });
    expect(pair(0.385)).toEqual({ foreground: '39', background: '61' });
    expect(pair(0.002)).toEqual({ foreground: '<1', background: '>99' });
    expect(pair(0.9999)).toEqual({ foreground: '>99', background: '<1' });
    expect(pair(0)).toEqual({ foreground: '0', background: '100' });
  });

  it('keeps the digits that mean something', () => {
    expect([0, 1.23456, 0.0123, 0.00123, 0.0000123, 512.4].map(lossText)).toEqual([
      '0',
      '1.235',
      '0.012',
      '0.0012',
      '1.2×10⁻⁵',
      '512',
    ]);
    expect([0, 0.35, 9, 30690.4].map(countText)).toEqual(['0', '0.4', '9', '30,690']);
  });
});
