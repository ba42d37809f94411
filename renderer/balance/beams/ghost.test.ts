import { describe, expect, it } from 'vitest';
import { beamTable } from './exportBeams.ts';
import { ghostSettings, ghostWords, noGhost } from './ghost.ts';
import { beamNumbers, looksAlike } from './share.ts';

const beam = (foreground: number) =>
  beamNumbers(
    {
      class: 'RBC',
      foreground,
      background: 3,
      backgroundTrue: 2,
      backgroundOther: 1,
      positives: 4,
      backgroundTrueAnchors: 90,
      backgroundOtherAnchors: 6,
    },
    '#000000',
  );

describe('ghostSettings', () => {
  it('weighs both sides alike under plain cross-entropy, and keeps the alpha of the run under focal', () => {
    expect(ghostSettings(noGhost, 0.25)).toBeNull();
    expect(ghostSettings({ kind: 'cross-entropy', gamma: 3 }, 0.25)).toEqual({ alpha: -1, gamma: 0 });
    expect(ghostSettings({ kind: 'focal', gamma: 3 }, 0.25)).toEqual({ alpha: 0.25, gamma: 3 });
    expect(ghostWords({ kind: 'focal', gamma: 1.5 })).toBe('if γ were 1.5');
  });
});

describe('beamTable', () => {
  it('has a row for each class, with what would be beside what is', () => {
    const ghost = { words: 'if γ were 0', beams: new Map([['RBC', beam(8)]]) };
    const [heads, row] = beamTable({ beams: [beam(1)], ghost });
    expect(heads!.at(-3)).toBe('own objects, if γ were 0');
    expect(row).toEqual(['RBC', 1, 2, 1, 4, 100, 8, 2, 1]);
    expect(beamTable({ beams: [beam(1)] })[1]).toEqual(['RBC', 1, 2, 1, 4, 100]);
  });
});

describe('looksAlike', () => {
  it('tells beams apart as far as a line can show it', () => {
    expect(looksAlike(beam(1), beam(1.000_01))).toBe(true);
    expect(looksAlike(beam(1), beam(1.01))).toBe(false);
  });
});
