import { describe, expect, it } from 'vitest';
import { entriesOf, requireResumableRace } from './raceOptions.ts';
import { UsageError } from './usage.ts';

describe('entriesOf', () => {
  it('takes the options of train for all, and the numbers of a loss where a strategy reads them and has none of its own', () => {
    const entries = entriesOf({
      ...{
        strategies: 'focal,focal:gamma=1,balanced-ce,ce',
        gamma: 3,
        alpha: 0.4,
        steps: 9,
        lr: 0.02,
        side: 96,
      },
      ...{ order: 'interleaved', tuneLr: 5, report: 'x.html', json: true },
    });
    expect(entries.map(({ config }) => [config.loss, config.gamma, config.alpha])).toEqual([
      ['focal', 3, 0.4],
      ['focal', 1, 0.4],
      ['balanced-ce', 2, 0.4],
      ['ce', 2, 0.25],
    ]);
    for (const { config } of entries) {
      expect(config).toMatchObject({ steps: 9, learningRate: 0.02, minSizePx: 96, maxSizePx: 96 });
    }
  });

  it.each([
    [{}, /--strategies/],
    [{ strategies: 'focal' }, /--strategies: .*2 to 6/],
    [{ strategies: 'focal,ce:gamma=1' }, /--strategies: .*no setting of ce/],
    [{ strategies: 'focal,focal:gamma=3', gamma: 3 }, /--strategies: .*are the same/],
  ])('says what is wrong with %j', (options, words) => {
    expect(() => entriesOf(options)).toThrow(UsageError);
    expect(() => entriesOf(options)).toThrow(words);
  });
});

it('a race that goes on keeps its own settings', () => {
  expect(() => requireResumableRace({ resume: '1', tuneLr: 3, report: 'x.html', json: true })).not.toThrow();
  expect(() => requireResumableRace({ resume: '1', evaluateEvery: 3 })).toThrow(/--evaluate-every/);
  expect(() => requireResumableRace({ resume: '1', strategies: 'focal,ce' })).toThrow(/--strategies/);
});
