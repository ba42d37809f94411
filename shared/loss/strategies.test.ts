import { describe, expect, it } from 'vitest';
import { describeLoss, lossSettingsOf, strategies } from './strategies.ts';
import { strategyNames } from './strategy.ts';

describe('strategies', () => {
  it.each(strategyNames)('%s says what it is, where it comes from and what its paper reports', (name) => {
    const facts = strategies[name];
    expect(facts.name).toBe(name);
    for (const text of [facts.label, facts.sentence, facts.formula, facts.source, facts.paper]) {
      expect(text.trim().length).toBeGreaterThan(3);
    }
    expect(facts.ours === null || facts.ours.length > 20).toBe(true);
    expect(Object.keys(facts.defaults).sort()).toEqual([...facts.settings].sort());
  });

  it('have labels that are told apart', () => {
    expect(new Set(strategyNames.map((name) => strategies[name].label)).size).toBe(strategyNames.length);
  });
});

describe('lossSettingsOf', () => {
  it('takes what is absent from the strategy, and alpha and gamma as they are given', () => {
    expect(lossSettingsOf({ alpha: 0.5, gamma: 1 })).toEqual({
      strategy: 'focal',
      alpha: 0.5,
      gamma: 1,
      beta: 1,
      hardCount: 128,
      hardNms: 0.5,
    });
    expect(lossSettingsOf({ alpha: 0.5, gamma: 1, strategy: 'ohem', hardCount: 64 })).toMatchObject({
      strategy: 'ohem',
      hardCount: 64,
      hardNms: 0.5,
    });
  });

  it('has no focal* at gamma 0', () => {
    const settings = { alpha: 0.25, gamma: 0, strategy: 'focal-star' } as const;
    expect(() => lossSettingsOf(settings)).toThrow(/gamma 0/);
    expect(lossSettingsOf({ ...settings, strategy: 'focal' }).gamma).toBe(0);
  });
});

describe('describeLoss', () => {
  it.each([
    [{ alpha: 0.25, gamma: 2 }, 'Focal loss, γ 2, α 0.25'],
    [{ alpha: -1, gamma: 2 }, 'Focal loss, γ 2, no α'],
    [{ alpha: 0.25, gamma: 2, strategy: 'ce' }, 'Cross-entropy'],
    [{ alpha: 0.25, gamma: 2, strategy: 'focal-star' }, 'Focal loss*, γ 2, α 0.25, β 1'],
    [{ alpha: 0.25, gamma: 2, strategy: 'ohem' }, 'Hard examples (OHEM), 128 per image, NMS 0.5'],
  ] as const)('%j', (settings, words) => {
    expect(describeLoss(lossSettingsOf(settings))).toBe(words);
  });
});
