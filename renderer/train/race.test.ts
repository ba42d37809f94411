import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { choiceOf, strategyGroups } from './lossWords.ts';
import { entriesOf } from './raceDraft.ts';
import { raceStatus } from './raceStatus.ts';

describe('strategyGroups', () => {
  it('offers every strategy once, under how it chooses its anchors', () => {
    const names = strategyGroups.map(({ group, items }) => [group, ...items.map(({ value }) => value)]);
    expect(names).toEqual([
      ['Every anchor counts', 'focal', 'ce', 'balanced-ce', 'focal-star'],
      ['Only the hardest count', 'ohem', 'ohem-1-3', 'ssd', 'top-scored'],
      ['Drawn by lot', 'sampled', 'sampled-rpn'],
    ]);
  });
});

describe('entriesOf', () => {
  const base = { ...defaultTrainConfig, steps: 50, gamma: 5 };

  it('gives each competitor its own numbers and all else of the run form', () => {
    const { entries } = entriesOf(base, [choiceOf('focal'), choiceOf('balanced-ce')]) as never as {
      entries: { label: string; config: typeof base }[];
    };
    expect(entries.map(({ label }) => label)).toEqual([
      'Focal loss, γ 2, α 0.25',
      'Balanced cross-entropy, α 0.75',
    ]);
    expect(entries.map(({ config }) => config.steps)).toEqual([50, 50]);
  });

  it('says why two cannot race', () => {
    expect(entriesOf(base, [choiceOf('ce'), choiceOf('ce')])).toMatchObject({
      problem: expect.stringContaining('the same'),
    });
    expect(entriesOf(base, [choiceOf('ce'), { ...choiceOf('focal-star'), gamma: 0 }])).toMatchObject({
      problem: expect.stringContaining('gamma'),
    });
  });
});

describe('raceStatus', () => {
  const race = { entries: ['a', 'b'].map((runId) => ({ label: runId, runId, trials: [] })) };
  const of = (...statuses: RunRecord['status'][]) =>
    raceStatus(
      race,
      statuses.map((status) => ({ status }) as RunRecord),
      null,
    );

  it('is the sum of its runs', () => {
    expect(of('done', 'done')).toBe('done');
    expect(of('done', 'stopped')).toBe('open');
    expect(of('done', 'failed')).toBe('failed');
    expect(of('failed', 'interrupted')).toBe('open');
    expect(of('running', 'stopped')).toBe('elsewhere');
    // One of them has been deleted: what is left is not the race.
    expect(of('done')).toBe('open');
    expect(raceStatus(race, [], 'paused')).toBe('paused');
  });
});
