import { describe, expect, it } from 'vitest';
import { defaultTrainConfig } from '../training/config.ts';
import type { RunEvent } from '../training/events.ts';
import type { RaceTrial } from './race.ts';
import { chooseTrial, trialConfig, tuneLearningRate } from './tuneLearningRate.ts';

const config = { ...defaultTrainConfig, steps: 100, warmupSteps: 20, learningRate: 0.01 };
const trial = (learningRate: number, AP50: number | null, loss: number | null): RaceTrial => ({
  ...{ learningRate, steps: 5, AP50, loss },
});

function stepsOf(losses: readonly number[]): RunEvent[] {
  return losses.map((loss, index) => ({
    ...{ event: 'step', step: index + 1, loss, classification: loss, box: 0, lr: 1, positives: 1 },
    ...{ balance: [], stepMs: 1 },
  }));
}

describe('tuneLearningRate', () => {
  it('tries a third, the same and three times the rate, and takes what came of them', async () => {
    const seen: number[] = [];
    const told: RaceTrial[] = [];
    const tuned = await tuneLearningRate({
      ...{ config, steps: 12, onTrial: (each) => told.push(each) },
      run: async ({ learningRate, steps, evaluateEvery }) => {
        expect([steps, evaluateEvery]).toEqual([12, 0]);
        seen.push(learningRate);
        return [...stepsOf([90, 90, ...Array<number>(10).fill(learningRate)])];
      },
    });
    expect(seen).toEqual([0.00333, 0.01, 0.03]);
    expect(tuned!.learningRate).toBe(0.00333);
    expect(tuned!.trials).toEqual(told);
    expect(told.map(({ loss }) => loss)).toEqual(seen.map((rate) => expect.closeTo(rate, 12)));
  });

  it('counts a trial that fails out, and keeps the given rate where all do', async () => {
    const failing = (worst: number) =>
      tuneLearningRate({
        ...{ config, steps: 2 },
        run: async ({ learningRate }) => {
          const failed: RunEvent = { event: 'failed', step: 2, kind: 'not-finite', message: '', remedy: '' };
          return learningRate >= worst ? [...stepsOf([0.1]), failed] : stepsOf([5, 5]);
        },
      });
    expect(await failing(0.02)).toMatchObject({
      learningRate: 0.00333,
      trials: [{ loss: 5 }, { loss: 5 }, { loss: null }],
    });
    expect(await failing(0)).toMatchObject({ learningRate: 0.01 });
  });

  it('answers nothing where it is stopped on the way', async () => {
    let stopped = false;
    const run = async () => {
      stopped = true;
      return [];
    };
    expect(await tuneLearningRate({ config, steps: 2, run, shouldStop: () => stopped })).toBeNull();
  });
});

describe('chooseTrial', () => {
  it('goes by AP50, then by loss', () => {
    expect(chooseTrial([trial(1, 0.2, 9), trial(2, 0.4, 10), trial(3, null, 1)], 1)).toMatchObject({
      learningRate: 2,
    });
    expect(chooseTrial([trial(1, 0.4, 9), trial(2, 0.4001, 8), trial(3, 0.39, 1)], 1)).toMatchObject({
      learningRate: 2,
    });
    expect(chooseTrial([trial(1, 0.9, null), trial(2, 0, 8)], 1)).toMatchObject({ learningRate: 2 });
  });
});

it('runs the schedule in little', () => {
  expect(trialConfig(config, 0.5, 10)).toMatchObject({
    learningRate: 0.5,
    steps: 10,
    warmupSteps: 2,
    schedule: 'cosine',
  });
});
