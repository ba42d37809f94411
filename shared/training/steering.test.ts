import { describe, expect, it } from 'vitest';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { classes, config, MemoryFiles, setUp } from '../../test/support/cellRun.ts';
import { Problem } from '../domain/problem.ts';
import { changesAt, changesOf, describeChange, foldChanges, noChanges } from './changes.ts';
import type { HotChange, TrainConfig } from './config.ts';
import { RunControl } from './control.ts';
import type { RunEvent, StepEvent, TimedChange } from './events.ts';
import type { StepSettings } from './ports.ts';
import { type RunOptions, runTraining } from './run.ts';
import { learningRateAt } from './schedule.ts';

const short: TrainConfig = { ...config, steps: 12, checkpointEvery: 5, evaluateEvery: 0 };
const slower = { learningRate: 0.1 };
const otherLoss: HotChange = { loss: 'focal-star', gamma: 3, learningRate: 0.3 };

/** Fails at a step where it is told to, and remembers what it was asked for. */
class ToldExecutor extends CellExecutor {
  readonly told: StepSettings[] = [];
  failsAt = 0;

  constructor() {
    super(classes.length);
  }

  override async step(...[batch, settings]: Parameters<CellExecutor['step']>) {
    if (settings.draw!.step === this.failsAt) throw new Problem('device-lost', 'Gone.', 'Wait.');
    this.told.push(settings);
    return super.step(batch, settings);
  }
}

interface Sitting {
  readonly files?: MemoryFiles;
  readonly failsAt?: number;
  /** Asked for while the step is told of; the next one is the first that it holds for. */
  readonly byHand?: Readonly<Record<number, HotChange>>;
  readonly options?: Partial<RunOptions>;
}

/** From the newest checkpoint of `files`, with what its log says. */
async function sit({ files = new MemoryFiles(), failsAt = 0, byHand = {}, options = {} }: Sitting) {
  const control = new RunControl();
  const executor = new ToldExecutor();
  executor.failsAt = failsAt;
  if (byHand[0]) control.change(byHand[0]);
  await runTraining(
    setUp({
      ...{ config: short, files, control, executor },
      resume: files.checkpoints.at(-1),
      changes: changesOf(files.events),
      onEvent: (event) => {
        if (event.event === 'step' && byHand[event.step]) control.change(byHand[event.step]!);
      },
      ...options,
    }),
  );
  return { files, executor };
}

/** As the log's reader sees the course of the run: what was done again counts once. Times are left out. */
function course(events: readonly RunEvent[]) {
  const steps = new Map<number, Omit<StepEvent, 'stepMs'>>();
  for (const event of events) {
    if (event.event !== 'step') continue;
    const { stepMs: _, ...told } = event;
    steps.set(event.step, told);
  }
  return [...steps.values()];
}

const controls = (events: readonly RunEvent[]) => events.filter(({ event }) => event === 'control');
const changed = { 3: slower, 8: otherLoss };
const timed: TimedChange[] = [
  { step: 4, change: slower },
  { step: 9, change: otherLoss },
];

describe('a change by hand', () => {
  it('is told before the first step that it holds for, and holds to the end', async () => {
    const { files, executor } = await sit({ byHand: changed });
    const names = files.events.map((event) => `${event.event} ${'step' in event ? event.step : ''}`);
    expect(names.indexOf('control 4')).toBe(names.indexOf('step 4') - 1);
    expect(controls(files.events)).toEqual(timed.map((each) => ({ event: 'control', ...each })));
    const rates = course(files.events).map(({ lr }) => lr);
    const base = [0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3];
    expect(rates).toEqual(
      base.map((learningRate, index) => learningRateAt(index + 1, { ...short, learningRate })),
    );
    expect(executor.told.map(({ strategy }) => strategy)).toEqual([
      ...Array(8).fill('focal'),
      ...Array(4).fill('focal-star'),
    ]);
    expect(executor.told.at(-1)).toMatchObject({ gamma: 3, alpha: short.alpha, draw: { seed: 1, step: 12 } });
  });

  it('is merged with others before the next step, and is none where nothing differs', async () => {
    const control = new RunControl();
    control.change({ gamma: 2, alpha: 0.25 });
    const files = new MemoryFiles();
    await runTraining(
      setUp({
        ...{ files, control, config: short },
        onEvent: (event) => {
          if (event.event !== 'step' || event.step !== 2) return;
          control.change({ gamma: 1, learningRate: 0.2 });
          control.change({ gamma: 0.5, alpha: 0.25 });
        },
      }),
    );
    const change = { gamma: 0.5, learningRate: 0.2 };
    expect(controls(files.events)).toEqual([{ event: 'control', step: 3, change }]);
  });

  it('waits while the run is paused', async () => {
    const control = new RunControl();
    const files = new MemoryFiles();
    await runTraining(
      setUp({
        ...{ files, control, config: short },
        onEvent: ({ event, ...rest }) => {
          if (event === 'step' && 'step' in rest && rest.step === 6) control.pause();
          if (event === 'paused') setTimeout(() => [control.change(slower), control.resume()], 5);
        },
      }),
    );
    const names = files.events.map(({ event }) => event);
    const at = names.indexOf('paused');
    expect(names.slice(at, at + 4)).toEqual(['paused', 'resumed', 'control', 'step']);
    expect(files.events[at + 2]).toMatchObject({ step: 7, change: slower });
  });

  it('is on disk before a weight changes by it', async () => {
    const files = new MemoryFiles();
    const executor = new ToldExecutor();
    const step = executor.step.bind(executor);
    executor.step = (batch, settings) => {
      if (settings.gamma === 1) expect(controls(files.events)).toHaveLength(1);
      return step(batch, settings);
    };
    await sit({ files, byHand: { 3: { gamma: 1 } }, options: { executor } });
    expect(executor.told.filter(({ gamma }) => gamma === 1)).toHaveLength(9);
  });

  it.each([{ gamma: 11 }, { alpha: Number.NaN }, { learningRate: 0 }, { loss: 'hinge' as 'focal' }])(
    'is refused where a run cannot take it: %j',
    (change) => {
      const control = new RunControl();
      expect(() => control.change(change)).toThrow(`changed so: ${Object.keys(change)[0]}: `);
      expect(control.takeChange()).toEqual({});
    },
  );

  it('is told and left out where there is no such loss', async () => {
    const { files, executor } = await sit({ byHand: { 3: { loss: 'focal-star', gamma: 0 } } });
    expect(controls(files.events)).toEqual([]);
    const warning = files.events.find(({ event }) => event === 'warning');
    expect(warning).toMatchObject({ step: 3, message: expect.stringContaining('gamma 0') });
    expect(executor.told).toHaveLength(12);
  });
});

describe('a run with changes', () => {
  it('is done again from its log, step for step', async () => {
    const { files } = await sit({ byHand: changed });
    const again = await sit({ options: { changes: changesOf(files.events) } });
    expect(course(again.files.events)).toEqual(course(files.events));
    expect(again.files.checkpoints.at(-1)!.weights).toEqual(files.checkpoints.at(-1)!.weights);
    expect(controls(again.files.events)).toEqual(
      timed.map((each) => ({ event: 'control', ...each, replayed: true })),
    );
    const plain = await sit({});
    expect(course(plain.files.events)).not.toEqual(course(files.events));
  });

  it('comes out the same however often it is interrupted', async () => {
    const whole = await sit({ byHand: changed });
    const first = await sit({ byHand: changed, failsAt: 10 });
    expect(first.files.checkpoints.map(({ meta }) => meta.step)).toEqual([5]);
    expect(changesOf(first.files.events)).toEqual(timed);
    // A second time before the later change has come again, and a third time after it.
    await sit({ files: first.files, failsAt: 8 });
    await sit({ files: first.files, failsAt: 10 });
    await sit({ files: first.files });
    const { events, checkpoints } = first.files;
    expect(course(events)).toEqual(course(whole.files.events));
    expect(checkpoints.at(-1)!.weights).toEqual(whole.files.checkpoints.at(-1)!.weights);
    expect(changesOf(events)).toEqual(timed);
  });

  it('begins anew where there was no checkpoint yet', async () => {
    const { files } = await sit({ byHand: { 1: slower }, failsAt: 4 });
    await sit({ files });
    expect(changesOf(files.events)).toEqual([{ step: 2, change: slower }]);
    expect(course(files.events)).toEqual(course((await sit({ byHand: { 1: slower } })).files.events));
  });

  it('goes another way from a change by hand on', async () => {
    const { files } = await sit({ byHand: changed, failsAt: 10 });
    await sit({ files, byHand: { 6: { gamma: 1 } } });
    expect(changesOf(files.events)).toEqual([
      { step: 4, change: slower },
      { step: 7, change: { gamma: 1 } },
    ]);
    expect(course(files.events).at(-1)!.lr).toBe(learningRateAt(12, { ...short, ...slower }));
  });

  it('is done again with two changes at one step, the log’s before the hand’s', async () => {
    const { files } = await sit({ byHand: { 3: slower, 5: { gamma: 1 } }, failsAt: 7 });
    await sit({ files, byHand: { 0: { gamma: 3 } } });
    const sixth = { step: 6, change: { gamma: 1 } };
    expect(changesOf(files.events).slice(1)).toEqual([sixth, { step: 6, change: { gamma: 3 } }]);
    const again = await sit({ options: { changes: changesOf(files.events) } });
    expect(course(again.files.events)).toEqual(course(files.events));
  });
});

describe('the fold of changes', () => {
  const start = (fromStep: number, changes?: TimedChange[]): RunEvent => ({
    ...{ event: 'start', runId: 'r', classes, adapter: '', backend: '', software: true },
    ...{ trainImages: 1, validationImages: 0, parameterCount: 1, fromStep, changes },
  });

  it('says what holds at a step', () => {
    const changes = { applied: timed, pending: [] };
    expect(changesAt(changes, 3)).toEqual({});
    expect(changesAt(changes, 4)).toEqual(slower);
    expect(changesAt(changes, 9)).toEqual(otherLoss);
  });

  it('forgets what a run that goes on without changes has not done', () => {
    const events = [start(0), { event: 'control', step: 4, change: slower } as const, start(3)];
    expect(events.reduce(foldChanges, noChanges)).toEqual(noChanges);
    expect([...events.slice(0, 2), start(4)].reduce(foldChanges, noChanges).applied).toHaveLength(1);
  });

  it('is itself where an event is about something else', () => {
    const state = { applied: timed, pending: [] };
    expect(foldChanges(state, { event: 'paused', step: 5 })).toBe(state);
  });

  it('is put into words', () => {
    expect(describeChange(otherLoss)).toBe('Focal loss*, γ 3, learning rate 0.3');
    expect(describeChange({ alpha: -1, hardCount: 64 })).toBe('no α, 64 per image');
  });
});
