import { describe, expect, it } from 'vitest';
import { addLogit, emptyHistogram } from '../loss/histogramOps.ts';
import { encodeHistogram } from '../loss/histogramText.ts';
import { defaultTrainConfig, type TrainConfig } from '../training/config.ts';
import type { EvaluationEvent, RunEvent, StatisticsEvent, StepEvent } from '../training/events.ts';
import { courseOf } from './raceLog.ts';
import { raceTable } from './raceTable.ts';

const start = (fromStep = 0): RunEvent => ({
  ...{
    event: 'start',
    runId: 'run-1',
    classes: ['a', 'b'],
    adapter: 'none',
    backend: 'test',
    software: true,
  },
  ...{ trainImages: 3, validationImages: 2, parameterCount: 9, fromStep },
});

/** Two classes: `background` of it is background, the rest foreground. */
function step(number: number, loss: number, background: number, stepMs = 10): StepEvent {
  const entry = (name: string, part: number) => ({
    class: name,
    foreground: part * loss * (1 - background),
    background: part * loss * background,
    ...{
      backgroundTrue: 0,
      backgroundOther: 0,
      positives: 1,
      backgroundTrueAnchors: 9,
      backgroundOtherAnchors: 1,
    },
    ...{ foregroundGradient: 1, backgroundTrueGradient: 0.5, backgroundOtherGradient: 0.5 },
  });
  return {
    ...{ event: 'step', step: number, loss, classification: loss, box: 0, lr: 0.1, positives: 2, stepMs },
    balance: [entry('a', 0.25), entry('b', 0.75)],
  };
}

function statistics(number: number, logit: number): StatisticsEvent {
  const histogram = emptyHistogram(2);
  addLogit(histogram, 0, 'foreground', logit, 2);
  addLogit(histogram, 1, 'backgroundTrue', -logit, 6);
  const event = { event: 'statistics', step: number, steps: 10, scale: 0.5 } as const;
  return { ...event, histogram: encodeHistogram(histogram), hardest: [] };
}

const evaluation = (number: number, AP50: number): EvaluationEvent => ({
  ...{ event: 'evaluation', step: number, AP: AP50 / 2, AP50, perClass: { a: 0.1, b: null }, images: 2 },
});
const done: RunEvent = {
  ...{ event: 'done', step: 60, reason: 'finished', weights: 'w', AP: 0, AP50: 0, seconds: 1 },
};

function rowOf(events: readonly RunEvent[], config: Partial<TrainConfig> = {}) {
  const log = {
    label: 'x',
    config: { ...defaultTrainConfig, ...config },
    course: courseOf(events),
    trials: [],
  };
  return raceTable([log])[0]!;
}

describe('raceTable', () => {
  it('tells of a log that has not begun', () => {
    expect(rowOf([])).toMatchObject({
      ...{ status: 'waiting', step: 0, evaluation: null, first: null, last: null, medianStepMs: null },
      ...{ under: { ce: null, focal: null }, name: 'focal', learningRate: 0.01, looksFirst: false },
    });
  });

  it('takes means over the first and the last twenty steps, and the median time without the first', () => {
    const events = Array.from({ length: 60 }, (_, index) =>
      step(
        index + 1,
        index < 20 ? 8 : index < 40 ? 1000 : 2,
        index < 20 ? 0.75 : 0.25,
        index === 0 ? 9999 : index,
      ),
    );
    const row = rowOf([start(), ...events, evaluation(60, 0.5), done]);
    expect(row).toMatchObject({
      status: 'done',
      step: 60,
      evaluation: { AP50: 0.5, AP: 0.25 },
      medianStepMs: 30,
    });
    expect(row.first).toEqual({ foreground: 2, background: 6, backgroundShare: 0.75, gradientShare: 0.5 });
    expect(row.last).toMatchObject({ foreground: 1.5, background: 0.5, backgroundShare: 0.25 });
    const few = rowOf([start(), ...events.slice(18, 21)]);
    expect(few.first!.backgroundShare).toBe(0.75);
    expect(few.last!.backgroundShare).toBe(0.25);
  });

  it('compares all under the same measures, by the last snapshots', () => {
    const row = rowOf([start(), statistics(10, -8), statistics(30, 0), statistics(40, 0)]);
    // At logit 0, p is 0.5: cross-entropy ln 2 each, six logits of background to two of foreground.
    expect(row.under.ce!.foreground).toBeCloseTo(Math.LN2, 6);
    expect(row.under.ce!.background).toBeCloseTo(3 * Math.LN2, 6);
    expect(row.under.ce).toMatchObject({
      backgroundShare: expect.closeTo(0.75, 6),
      gradientShare: expect.closeTo(0.75, 6),
    });
    // Alpha 0.25 weighs foreground a third of background.
    expect(row.under.focal!.background).toBeCloseTo(3 * 0.75 * 0.25 * Math.LN2, 6);
    expect(row.under.focal!.backgroundShare).toBeCloseTo(0.9, 6);
    const torn = { ...statistics(50, 3), histogram: 'AAAA' };
    expect(rowOf([start(), statistics(40, 0), torn]).under).toEqual(row.under);
  });

  it('forgets what a resumed run did again', () => {
    const events = [
      ...[start(), step(1, 8, 0.5), step(2, 8, 0.5), step(3, 1e9, 0.5), statistics(3, 5), evaluation(3, 1)],
      ...[start(2), step(3, 8, 0.5)],
    ];
    const course = courseOf(events);
    expect(course.steps.map((each) => [each.step, each.foreground])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ]);
    expect(rowOf(events)).toMatchObject({
      status: 'running',
      step: 3,
      evaluation: null,
      under: { ce: null },
    });
  });

  it('says why one failed, and is not misled by what came before it went on', () => {
    const failed: RunEvent = {
      event: 'failed',
      step: 2,
      kind: 'not-finite',
      message: 'NaN.',
      remedy: 'Go slower.',
    };
    expect(rowOf([start(), step(1, 1, 0.5), failed])).toMatchObject({
      status: 'failed',
      problem: 'NaN.',
      step: 1,
    });
    expect(rowOf([start(), failed, start()])).toMatchObject({ status: 'running', problem: null });
    const stopped = { ...done, reason: 'stopped' } as const;
    expect(rowOf([start(), stopped]).status).toBe('stopped');
  });

  it.each([
    ['nothing', []],
    ['an earlier sitting', [start(), { ...done, reason: 'stopped' } as const]],
  ])('says why one could not begin, whose log tells of %s', (_, events) => {
    const log = { label: 'x', config: defaultTrainConfig, course: courseOf(events), trials: [] };
    const [row] = raceTable([{ ...log, problem: 'The GPU has no room.' }]);
    expect(row).toMatchObject({ status: 'failed', problem: 'The GPU has no room.' });
    expect(raceTable([{ ...log, problem: null }])[0]!.status).not.toBe('failed');
  });

  it('reads logs of earlier versions, which know no gradients', () => {
    const old = step(1, 8, 0.25);
    const balance = old.balance.map(({ foregroundGradient: _, ...rest }) => rest);
    expect(rowOf([start(), { ...old, balance }]).last).toMatchObject({
      backgroundShare: 0.25,
      gradientShare: null,
    });
  });

  it('leaves out figures that a person asked for', () => {
    const asked = { ...evaluation(5, 0.9), onDemand: true };
    expect(rowOf([start(), evaluation(5, 0.1), asked]).evaluation!.AP50).toBe(0.1);
  });

  it('knows who looks at the batch before choosing', () => {
    expect(rowOf([], { loss: 'ssd' }).looksFirst).toBe(true);
    expect(rowOf([], { loss: 'sampled' }).looksFirst).toBe(false);
  });
});
