import { describe, expect, it } from 'vitest';
import { Problem } from '../domain/problem.ts';
import type { RunOutcome } from '../training/run.ts';
import { Baton, type Competitor, runRace } from './runRace.ts';

const finished = (step: number): RunOutcome => ({
  ...{ status: 'finished', step, checkpointStep: step, AP: null, AP50: null, problem: null },
});
const yieldToHost = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Writes down who did which step when; nobody else may be within a step meanwhile. */
function runner(key: string, steps: number, diary: string[], inside: Set<string>): Competitor {
  return {
    key,
    async start(pass) {
      for (let step = 1; step <= steps; step++) {
        expect(inside.size).toBe(0);
        inside.add(key);
        await yieldToHost();
        await yieldToHost();
        inside.delete(key);
        diary.push(`${key}${step}`);
        await pass();
      }
      return finished(steps);
    },
  };
}

describe('runRace', () => {
  it('lets one end before the next begins', async () => {
    const diary: string[] = [];
    const inside = new Set<string>();
    const runners = [runner('a', 2, diary, inside), runner('b', 3, diary, inside)];
    const outcomes = await runRace(runners, { order: 'turns', yieldToHost });
    expect(diary).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
    expect([...outcomes.values()]).toEqual([finished(2), finished(3)]);
  });

  it('lets them take turns step by step, and the rest go on when one has ended', async () => {
    const diary: string[] = [];
    const inside = new Set<string>();
    const runners = ['a', 'b', 'c'].map((key, index) => runner(key, index + 1, diary, inside));
    const outcomes = await runRace(runners, { order: 'interleaved', yieldToHost });
    expect(diary).toEqual(['a1', 'b1', 'c1', 'b2', 'c2', 'c3']);
    expect([...outcomes.keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  it.each(['turns', 'interleaved'] as const)(
    'goes on where one cannot begin or breaks (%s)',
    async (order) => {
      const diary: string[] = [];
      const broken: Competitor = {
        key: 'x',
        start: () => Promise.reject(new Problem('out-of-memory', 'No room.', 'Race in turns.')),
      };
      const runners = [broken, runner('a', 2, diary, new Set()), { ...broken, key: 'y' }];
      const outcomes = await runRace(runners, { order, yieldToHost });
      expect(diary).toEqual(['a1', 'a2']);
      expect(outcomes.get('a')).toEqual(finished(2));
      expect(outcomes.get('x')).toMatchObject({ status: 'failed', problem: { kind: 'out-of-memory' } });
      expect(outcomes.get('y')!.problem!.remedy).toBe('Race in turns.');
    },
  );

  it.each(['turns', 'interleaved'] as const)('begins nobody once it is to stop (%s)', async (order) => {
    const diary: string[] = [];
    const stopping: Competitor = { key: 's', start: async () => finished(1) };
    const runners = [stopping, runner('a', 2, diary, new Set())];
    let begun = 0;
    const outcomes = await runRace(runners, { order, yieldToHost, shouldStop: () => begun++ > 0 });
    expect(diary).toEqual([]);
    expect([...outcomes]).toEqual([
      ['s', finished(1)],
      ['a', null],
    ]);
  });
});

it('hands the baton to who asked first', async () => {
  const baton = new Baton();
  const order: number[] = [];
  await baton.take();
  const takers = [1, 2, 3].map((taker) => baton.take().then(() => order.push(taker)));
  for (const taker of takers) {
    baton.give();
    await taker;
  }
  expect(order).toEqual([1, 2, 3]);
  baton.give();
  await baton.take();
});
