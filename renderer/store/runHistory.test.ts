import { describe, expect, it } from 'vitest';
import type { RunEvent, StepEvent } from '../../shared/training/events.ts';
import {
  emptyHistory,
  paceOf,
  type RunHistory,
  recordEvents,
  type StartEvent,
  smoothedAt,
} from './runHistory.ts';
import {
  classColumn,
  courseColumn,
  courseLength,
  maxRows,
  meanRow,
  pointOf,
  rowOf,
} from './runHistoryCourse.ts';

const step = (number: number, foreground = 1, background = 3): StepEvent => ({
  event: 'step',
  step: number,
  loss: foreground + background + 0.5,
  classification: foreground + background,
  box: 0.5,
  lr: 0.01,
  positives: 10,
  balance: [
    {
      class: 'RBC',
      foreground,
      background,
      backgroundTrue: background,
      backgroundOther: 0,
      positives: 10,
      backgroundTrueAnchors: 100,
      backgroundOtherAnchors: 0,
    },
  ],
  stepMs: 50,
});
const start = (fromStep: number): StartEvent => ({
  event: 'start',
  runId: 'r',
  classes: ['RBC'],
  adapter: 'a',
  backend: 'webgpu',
  software: false,
  trainImages: 4,
  validationImages: 1,
  parameterCount: 10,
  fromStep,
});
const stepsOf = ({ course }: RunHistory) => [...courseColumn(course, 'step')];
const steps = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => step(from + index, from + index));

describe('recordEvents', () => {
  it('gives the same history event by event and all at once', () => {
    const events: RunEvent[] = [
      start(0),
      ...steps(1, 30),
      { event: 'evaluation', step: 30, AP: 0.1, AP50: 0.2, perClass: { RBC: 0.1 }, images: 1 },
      { event: 'checkpoint', step: 30, path: 'runs/r/30' },
    ];
    const atOnce = recordEvents(emptyHistory, events);
    const oneByOne = events.reduce((history, event) => recordEvents(history, [event]), emptyHistory);
    expect(oneByOne).toEqual(atOnce);
    expect([atOnce.step, courseLength(atOnce.course), atOnce.recent.length, atOnce.checkpointStep]).toEqual([
      30, 30, 20, 30,
    ]);
  });

  it('leaves the history it was given as it was', () => {
    const before = recordEvents(emptyHistory, steps(1, 3));
    recordEvents(before, steps(4, 6));
    expect(stepsOf(before)).toEqual([1, 2, 3]);
  });

  it('forgets the steps after the checkpoint that a run goes on from', () => {
    const history = recordEvents(emptyHistory, [start(0), ...steps(1, 15), start(10), step(11)]);
    expect(stepsOf(history)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(history.resumedAt).toEqual([10]);
  });

  it('knows where a run began when it goes on', () => {
    const origin = ['cells.pth: 3 of 4 tensors taken.'];
    const first: RunEvent = { ...start(0), origin };
    const history = recordEvents(emptyHistory, [first, ...steps(1, 5), start(5)]);
    expect(history.start).toEqual({ ...start(5), origin });
  });

  it('keeps a long run to a bounded number of points that still bear its mean', () => {
    const all = steps(1, 5000);
    const history = recordEvents(emptyHistory, all);
    const { course } = history;
    expect(courseLength(course)).toBeLessThanOrEqual(maxRows);
    expect(stepsOf(history).at(-1)).toBe(5000);
    const counts = courseColumn(course, 'stepCount');
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5000);
    const classification = courseColumn(course, 'classification');
    const sum = classification.reduce((total, value, index) => total + value * counts[index]!, 0);
    expect(sum / 5000).toBeCloseTo(5001 / 2 + 3, 6);
  });

  it('goes on twice from the same history, each in its own way', () => {
    const before = recordEvents(emptyHistory, steps(1, 100));
    const one = recordEvents(before, [step(101, 7)]);
    const other = recordEvents(before, [step(101, 9)]);
    const last = (history: RunHistory) => classColumn(history.course, 'RBC', 'foreground').at(-1);
    expect([last(one), last(other), last(before)]).toEqual([7, 9, 100]);
  });

  it('clears a failure once the run goes on', () => {
    const failed: RunEvent = { event: 'failed', step: 3, kind: 'not-finite', message: 'm', remedy: 'r' };
    const history = recordEvents(emptyHistory, [start(0), ...steps(1, 3), failed]);
    expect(history.failure?.step).toBe(3);
    expect(recordEvents(history, [start(2)]).failure).toBeNull();
  });
});

describe('meanRow', () => {
  it('weighs by the number of steps', () => {
    const one = rowOf(step(1, 1, 0), ['RBC']);
    const three = meanRow(
      [step(2, 5, 4), step(3, 5, 4), step(4, 5, 4)].map((event) => rowOf(event, ['RBC'])),
    );
    const point = pointOf(meanRow([one, three]), ['RBC']);
    expect(point).toMatchObject({ step: 4, stepCount: 4, classification: 7, balance: [{ foreground: 4 }] });
  });

  it('knows no gradient where a step of an earlier version told none', () => {
    expect(pointOf(rowOf(step(1), ['RBC']), ['RBC']).balance[0]).not.toHaveProperty('foregroundGradient');
  });
});

describe('smoothedAt', () => {
  const history = recordEvents(emptyHistory, steps(1, 100));

  it('is the mean of the last twenty steps', () => {
    // Foreground equals the step: 81..100 has mean 90.5.
    expect(smoothedAt(history, null)?.balance[0]?.foreground).toBeCloseTo(90.5, 9);
    expect(smoothedAt(history, 100)?.balance[0]?.foreground).toBeCloseTo(90.5, 9);
  });

  it('looks back from any step', () => {
    expect(smoothedAt(history, 50)?.balance[0]?.foreground).toBeCloseTo(40.5, 9);
    expect(smoothedAt(history, 3)?.balance[0]?.foreground).toBeCloseTo(2, 9);
  });

  it('is nothing before the first step', () => {
    expect(smoothedAt(emptyHistory, null)).toBeNull();
  });

  it('keeps the sum over the classes equal to the loss', () => {
    const point = smoothedAt(history, 50)!;
    const sum = point.balance.reduce((total, entry) => total + entry.foreground + entry.background, 0);
    expect(sum).toBeCloseTo(point.classification, 9);
  });
});

describe('paceOf', () => {
  it('tells throughput and time left from the median step', () => {
    const slowFirst = { ...step(1), stepMs: 9000 };
    const history = recordEvents(emptyHistory, [slowFirst, ...steps(2, 11)]);
    expect(paceOf(history, 4, 111)).toEqual({ stepMs: 50, imagesPerSecond: 80, secondsLeft: 5 });
  });

  it('says nothing before a step was timed, and never less than nothing left', () => {
    expect(paceOf(emptyHistory, 2, 10)).toBeNull();
    expect(paceOf(recordEvents(emptyHistory, steps(1, 5)), 2, 3)?.secondsLeft).toBe(0);
  });
});
