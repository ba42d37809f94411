import { describe, expect, it } from 'vitest';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { classes, config, MemoryFiles, setUp } from '../../test/support/cellRun.ts';
import type { Snapshot } from '../loss/executor.ts';
import { addLogit, emptyHistogram } from '../loss/histogramOps.ts';
import { decodeHistogram } from '../loss/histogramText.ts';
import { defaultTrainConfig } from './config.ts';
import { RunControl } from './control.ts';
import { runEventSchema } from './events.ts';
import type { Executor } from './ports.ts';
import { runTraining } from './run.ts';
import { settingsAt, snapshotInterval, statisticsEvent, stepEvent } from './stepEvents.ts';

const short = { ...config, steps: 24, checkpointEvery: 10, evaluateEvery: 0, statisticsEvery: 4 };

/** Counts steps as a device does: what a step asks for comes with the next one's report. Not finite at `failsAt`. */
function countingExecutor(failsAt: number): Executor {
  const executor = new CellExecutor(classes.length);
  const step = executor.step.bind(executor);
  let counted = 0;
  let asked = 0;
  const hand = (): Snapshot | null => {
    const steps = asked;
    asked = 0;
    return steps > 0 ? snapshotOf(steps) : null;
  };
  return Object.assign(executor, {
    async step(...[batch, settings]: Parameters<Executor['step']>) {
      const report = await step(batch, { ...settings, statistics: 'balance', snapshot: false });
      const snapshot = hand();
      if (settings.statistics === 'all') counted++;
      if (settings.snapshot) [asked, counted] = [counted, 0];
      return { ...report, finite: settings.draw!.step !== failsAt, ...(snapshot && { snapshot }) };
    },
    async lastSnapshot() {
      [asked, counted] = [asked + counted, 0];
      return hand();
    },
  });
}

function snapshotOf(steps: number): Snapshot {
  const histogram = emptyHistogram(classes.length);
  addLogit(histogram, 1, 'backgroundTrue', -3.5, steps);
  const anchor = { imageId: 'image0', boxPx: [1 / 3, 2, 3, 4] as const, classIndex: 1 };
  const hardest = [{ ...anchor, side: 'backgroundTrue' as const, probability: 1 / 3, loss: 2 / 3 }];
  return { steps, scale: 1 / 3, histogram, hardest };
}

async function statisticsOf(changes: Partial<typeof short>, pauseAt = 0, failsAt = 0) {
  const files = new MemoryFiles();
  const control = new RunControl();
  const executor = countingExecutor(failsAt);
  await runTraining(
    setUp({
      ...{ files, control, executor, config: { ...short, ...changes } },
      onEvent: (event) => {
        if (event.event === 'step' && event.step === pauseAt) control.pause();
        if (event.event === 'paused') setTimeout(() => control.resume(), 1);
      },
    }),
  );
  return { files, told: files.events.filter((event) => event.event === 'statistics') };
}

const counts = (told: readonly { step: number; steps: number }[]) =>
  told.map(({ step, steps }) => `${step}: ${steps}`);

describe('statistics of a run', () => {
  it('are told under the last step that was counted, and all of them by every checkpoint', async () => {
    const { told } = await statisticsOf({});
    expect(counts(told)).toEqual(['4: 4', '8: 4', '10: 2', '12: 2', '16: 4', '20: 4', '24: 4']);
    expect(told[0]).toMatchObject({ scale: 0.3333333, hardest: [{ class: 'blue', loss: 0.6666667 }] });
    const histogram = decodeHistogram(told[0]!.histogram);
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it('are told before the steps that come after them', async () => {
    const { files } = await statisticsOf({});
    const names = files.events.map((event) => `${event.event} ${'step' in event ? event.step : ''}`);
    expect(names.slice(names.indexOf('statistics 4') - 1).slice(0, 3)).toEqual([
      'step 4',
      'statistics 4',
      'step 5',
    ]);
    const tenth = names.indexOf('statistics 10');
    expect(names.slice(tenth - 1, tenth + 2)).toEqual(['step 10', 'statistics 10', 'checkpoint 10']);
  });

  it('are told when the run pauses, and before a failure', async () => {
    const paused = await statisticsOf({}, 7);
    expect(counts(paused.told).slice(0, 3)).toEqual(['4: 4', '7: 3', '8: 1']);
    const failed = await statisticsOf({}, 0, 5);
    expect(failed.files.names().slice(-3)).toEqual(['step', 'statistics', 'failed']);
  });

  it('are not counted where nobody wants them', async () => {
    expect((await statisticsOf({ statisticsEvery: 0 })).told).toEqual([]);
  });

  it('come less often with many classes', () => {
    const every = (classCount: number) => snapshotInterval({ statisticsEvery: 10 }, classCount);
    expect([1, 16, 17, 80].map(every)).toEqual([10, 10, 20, 50]);
    expect(snapshotInterval({ statisticsEvery: 0 }, 80)).toBe(0);
  });

  it('count the ten steps before each, and the last ten of the run', () => {
    const config = { ...defaultTrainConfig, steps: 120 };
    const counted = (classCount: number) =>
      Array.from({ length: 120 }, (_, index) => index + 1).filter(
        (step) => settingsAt(step, config, classCount).statistics === 'all',
      );
    expect(counted(3)).toHaveLength(120);
    const of80 = counted(80);
    expect(of80.slice(0, 11)).toEqual([41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 91]);
    expect(of80.slice(-11)).toEqual([100, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120]);
  });
});

describe('what the log keeps', () => {
  const balance = {
    ...{ classIndex: 1, foreground: 0.1 + 0.2, background: 2 / 3, backgroundTrue: 1e-12 / 3 },
    ...{
      backgroundOther: 0,
      foregroundGradient: 1 / 7,
      backgroundTrueGradient: 1,
      backgroundOtherGradient: 0,
    },
    ...{ positives: 3, backgroundTrueAnchors: 123_456_789, backgroundOtherAnchors: 5 },
  };
  const report = {
    ...{ classification: 1 / 3, box: 1e5 / 3, positives: 3, balance: [balance], finite: true },
    selectedAnchors: 512,
  };
  const facts = { step: 3, lr: 0.1 / 3, stepMs: 12.300000000000001, classes };

  it('has seven digits of every sum, and counts as they are', () => {
    const event = stepEvent(report, facts);
    expect(event).toMatchObject({ classification: 0.3333333, box: 33333.33, loss: 33333.67, stepMs: 12.3 });
    expect(event).toMatchObject({ lr: 0.1 / 3, selectedAnchors: 512 });
    expect(event.balance[0]).toEqual({
      ...{ class: 'blue', foreground: 0.3, background: 0.6666667, backgroundTrue: 3.333333e-13 },
      ...{ backgroundOther: 0, foregroundGradient: 0.1428571, backgroundTrueGradient: 1 },
      ...{ backgroundOtherGradient: 0, positives: 3 },
      ...{ backgroundTrueAnchors: 123_456_789, backgroundOtherAnchors: 5 },
    });
    expect(runEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });

  it('keeps the terms summing to the classification loss, with eighty classes too', () => {
    const many = Array.from({ length: 80 }, (_, classIndex) => {
      const [foreground, background] = [Math.sin(classIndex) ** 2 / 97, Math.cos(classIndex) ** 2 * 31];
      return { ...balance, classIndex, foreground, background, backgroundTrue: background };
    });
    const classification = many.reduce((sum, each) => sum + each.foreground + each.background, 0);
    const names = many.map((_, index) => `class ${index}`);
    const event = stepEvent({ ...report, classification, balance: many }, { ...facts, classes: names });
    const sum = event.balance.reduce((total, each) => total + each.foreground + each.background, 0);
    expect(Math.abs(sum / event.classification - 1)).toBeLessThan(1e-6);
  });

  it('is a line of a log', () => {
    const snapshot = { steps: 2, scale: 0.5, histogram: emptyHistogram(2), hardest: [] };
    const event = statisticsEvent(snapshot, 9, classes);
    expect(runEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  });
});
