import { describe, expect, it } from 'vitest';
import { Problem } from '../domain/problem.ts';
import { strategyNames } from '../loss/strategy.ts';
import { defaultTrainConfig } from '../training/config.ts';
import { competitorNames, parseStrategies, raceEntries, settingsOf } from './strategyList.ts';

const problemOf = (work: () => unknown): Problem => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('no Problem was thrown');
};

describe('parseStrategies', () => {
  it('reads names, settings and the prior that is off', () => {
    expect(
      parseStrategies('focal,ce, focal : gamma = 1 :alpha=.5,ce:prior=off,ohem:B=64:nms=.7,ssd:lr=.02'),
    ).toEqual([
      { loss: 'focal' },
      { loss: 'ce' },
      { loss: 'focal', gamma: 1, alpha: 0.5 },
      { loss: 'ce', prior: 0.5 },
      { loss: 'ohem', hardCount: 64, hardNms: 0.7 },
      { loss: 'ssd', learningRate: 0.02 },
    ]);
    expect(parseStrategies('focal-star:beta=-1,ohem-1-3:b=9')).toEqual([
      { loss: 'focal-star', beta: -1 },
      { loss: 'ohem-1-3', hardCount: 9 },
    ]);
  });

  it.each([
    ['', /2 to 6 strategies; here are 0/],
    ['focal', /here is 1/],
    ['focal,ce,ohem,ssd,sampled,balanced-ce,focal-star', /here are 7/],
    ['focal,foccal', /no strategy "foccal"/],
    ['focal,ce:gamma=2', /“gamma=2” is no setting of ce/],
    ['focal:gama=2,ce', /“gama=2” is no setting of focal/],
    ['focal:gamma=,ce', /“gamma=” of focal/],
    ['focal:gamma,ce', /“gamma” of focal/],
    ['focal:gamma=1=2,ce', /“gamma=1=2” of focal/],
    ['focal:gamma=-1,ce', /“gamma=-1” of focal/],
    ['focal:gamma=1:gamma=2,ce', /says gamma twice/],
    ['focal:prior=1,ce', /“prior=1” of focal/],
    ['focal:alpha=off,ce', /“alpha=off” of focal/],
    ['ohem:B=1.5,ce', /“B=1.5” of ohem/],
    ['ce:lr=0,focal', /“lr=0” of ce/],
  ])('says what is wrong with %j', (text, words) => {
    const { kind, message, remedy } = problemOf(() => parseStrategies(text));
    expect(kind).toBe('bad-input');
    expect(message).toMatch(words);
    expect(remedy).not.toBe('');
  });

  it('names everything that a strategy takes', () => {
    expect(problemOf(() => parseStrategies('ohem:x=1,ce')).remedy).toContain('B=…, nms=…, prior=…, lr=…');
    for (const name of strategyNames)
      expect(settingsOf(name)).toEqual(expect.arrayContaining(['prior', 'learningRate']));
  });
});

describe('raceEntries', () => {
  const base = { ...defaultTrainConfig, steps: 7, prior: 0.02, alpha: 0.9 };

  it('differ in the loss alone, with its own defaults where nothing else is said', () => {
    const entries = raceEntries(base, parseStrategies('focal,balanced-ce,focal:gamma=1:alpha=.5,ohem:B=64'));
    expect(entries.map(({ config }) => config)).toEqual([
      { ...base, loss: 'focal', alpha: 0.25, gamma: 2 },
      { ...base, loss: 'balanced-ce', alpha: 0.75 },
      { ...base, loss: 'focal', alpha: 0.5, gamma: 1 },
      { ...base, loss: 'ohem', alpha: 0.25, hardCount: 64, hardNms: 0.5 },
    ]);
    expect(entries.map(({ label }) => label)).toEqual([
      'Focal loss, γ 2, α 0.25',
      'Balanced cross-entropy, α 0.75',
      'Focal loss, γ 1, α 0.5',
      'Hard examples (OHEM), 64 per image, NMS 0.5',
    ]);
  });

  it('say where they start and how fast they learn once these differ', () => {
    const entries = raceEntries(base, parseStrategies('ce,ce:prior=off,ssd:lr=.02'));
    expect(entries.map(({ label }) => label)).toEqual([
      'Cross-entropy, π 0.02, rate 0.01',
      'Cross-entropy, π 0.5, rate 0.01',
      'Hard negatives (SSD), π 0.02, rate 0.02',
    ]);
  });

  it.each(['focal,focal', 'focal,ce,focal:gamma=2', 'ce:lr=.01,ce'])('refuses doubles: %s', (text) => {
    expect(problemOf(() => raceEntries(base, parseStrategies(text))).message).toContain('are the same');
  });
});

describe('competitorNames', () => {
  const namesOf = (text: string, base = defaultTrainConfig) =>
    competitorNames(raceEntries(base, parseStrategies(text)).map(({ config }) => config));

  it.each([
    'focal,ce,balanced-ce,ohem,ssd,sampled',
    'focal,focal:alpha=0.5:gamma=1,focal-star:beta=0',
    'ce,ce:prior=off',
    'ssd:lr=0.01,ssd:lr=0.02',
  ])('are the words that were written: %s', (text) => {
    expect(namesOf(text).join(',')).toBe(text);
  });

  it('leave out what all share, and a rate that nobody is told apart by', () => {
    expect(namesOf('focal,ce:lr=.02', { ...defaultTrainConfig, prior: 0.1 })).toEqual(['focal', 'ce']);
  });
});
