/** A run that asks ahead is the run that does not: its log, its weights, and what happens to it on the way. */
import { describe, expect, it } from 'vitest';
import { config, MemoryFiles, quarters, setUp } from '../../test/support/cellRun.ts';
import { LateExecutor } from '../../test/support/lateExecutor.ts';
import { Problem } from '../domain/problem.ts';
import { RunControl } from './control.ts';
import type { RunEvent, TimedChange } from './events.ts';
import { type RunOptions, runTraining } from './run.ts';

/** What a log says but for times. */
function told(events: readonly RunEvent[]) {
  return events.map((event) => {
    const { stepMs: _, seconds: __, ...rest } = event as RunEvent & { stepMs?: number; seconds?: number };
    return rest;
  });
}

const named = (events: readonly RunEvent[]) =>
  events.map((event) => `${event.event} ${'step' in event ? event.step : ''}`);

async function runAhead(executor: LateExecutor, options: Partial<RunOptions> = {}) {
  const run = setUp({ executor, ...options });
  const outcome = await runTraining(run);
  expect(executor.underWay).toBe(0);
  return { outcome, events: run.files.events, checkpoints: run.files.checkpoints };
}

describe('a run that asks for steps ahead', () => {
  it('comes out as one that waits for each', async () => {
    const changes: TimedChange[] = [
      { step: 4, change: { learningRate: 0.1 } },
      { step: 17, change: { gamma: 1, loss: 'focal-star' } },
    ];
    const [one, three] = [new LateExecutor(1), new LateExecutor(3)];
    // Snapshots come with the report of a step that is under way already, and with checkpoints.
    const often = { ...config, statisticsEvery: 4 };
    const waiting = await runAhead(one, { changes, config: often });
    const ahead = await runAhead(three, { changes, config: often });
    expect([one.mostUnderWay, three.mostUnderWay]).toEqual([1, 3]);
    expect(ahead.outcome).toEqual(waiting.outcome);
    expect(told(ahead.events)).toEqual(told(waiting.events));
    const counted = named(ahead.events).filter((name) => name.startsWith('statistics'));
    expect(counted.slice(0, 4)).toEqual(['statistics 4', 'statistics 8', 'statistics 10', 'statistics 12']);
    expect(ahead.checkpoints.map(({ weights, state }) => ({ weights, state }))).toEqual(
      waiting.checkpoints.map(({ weights, state }) => ({ weights, state })),
    );
  });

  it('waits for each where others compute in between', async () => {
    const executor = new LateExecutor(3);
    await runAhead(executor, { oneAtATime: true });
    expect(executor.mostUnderWay).toBe(1);
  });

  it('takes a change by hand over once what is under way is told', async () => {
    const control = new RunControl();
    const executor = new LateExecutor(3);
    const { events } = await runAhead(executor, {
      control,
      onEvent: (event) => {
        if (event.event === 'step' && event.step === 5) control.change({ gamma: 1 });
      },
    });
    const names = named(events);
    const at = names.findIndex((name) => name.startsWith('control'));
    const step = Number(names[at]!.split(' ')[1]);
    expect(step).toBeGreaterThan(6);
    expect(step).toBeLessThanOrEqual(8);
    expect(names.slice(at - 1, at + 2)).toEqual([`step ${step - 1}`, `control ${step}`, `step ${step}`]);
    expect(executor.told.map(({ gamma }) => gamma)).toEqual(
      Array.from({ length: config.steps }, (_, index) => (index + 1 < step ? 2 : 1)),
    );
  });

  it.each(['pause', 'stop'] as const)('brings in what is under way before it obeys: %s', async (wish) => {
    const control = new RunControl();
    const { events, outcome, checkpoints } = await runAhead(new LateExecutor(3), {
      control,
      onEvent: (event) => {
        if (event.event === 'step' && event.step === 4) control[wish]();
        if (event.event === 'paused') setTimeout(() => control.stop(), 1);
      },
    });
    const last = named(events).findLast((name) => name.startsWith('step'));
    expect(last).toMatch(/^step [56]$/);
    const step = Number(last!.split(' ')[1]);
    expect(outcome).toMatchObject({ status: 'stopped', step, checkpointStep: step });
    expect(checkpoints.map(({ meta }) => meta.step)).toEqual([step]);
  });

  it('ends at the step that was not finite, whatever was asked for after it', async () => {
    const executor = new LateExecutor(3);
    const step = executor.step.bind(executor);
    executor.step = (batch, settings) => {
      if (settings.draw!.step === 13) batch.images.fill(Number.NaN);
      return step(batch, settings);
    };
    const { outcome, events, checkpoints } = await runAhead(executor);
    expect(executor.told.length).toBe(15);
    expect(outcome).toMatchObject({ status: 'failed', step: 12, checkpointStep: 10 });
    expect(
      named(events)
        .filter((name) => name.startsWith('step'))
        .at(-1),
    ).toBe('step 12');
    expect(named(events).at(-1)).toBe('failed 13');
    expect(checkpoints.map(({ meta }) => meta.step)).toEqual([10]);
    const twelve = new LateExecutor(1);
    const control = new RunControl();
    const onEvent = (event: RunEvent) => {
      if (event.event === 'step' && event.step === 12) control.stop();
    };
    await runAhead(twelve, { control, onEvent });
    expect(await executor.exportWeights()).toEqual(await twelve.exportWeights());
  });

  it('waits for all that a lost device breaks off', async () => {
    const executor = new LateExecutor(3, (step) => {
      if (step >= 8) throw new Problem('device-lost', 'The GPU stopped.', 'Wait.');
    });
    const { outcome, events } = await runAhead(executor);
    expect(outcome).toMatchObject({ status: 'failed', step: 7, problem: { kind: 'device-lost' } });
    expect(named(events).slice(-2)).toEqual(['step 7', 'failed 7']);
  });

  it('tells what was computed before it tells what could not be asked for', async () => {
    const data = quarters();
    let reads = 0;
    const pixels = (id: string) => (++reads > 9 ? Promise.reject(new Error('gone')) : data.pixels(id));
    const { outcome, events } = await runAhead(new LateExecutor(3), {
      data: { ...data, pixels },
      cacheBytes: 0,
    });
    expect(outcome).toMatchObject({ status: 'failed', step: 4, problem: { kind: 'not-found' } });
    expect(named(events).slice(-2)).toEqual(['step 4', 'failed 4']);
  });

  it('says of each step how long it was waited for, not how long it was under way', async () => {
    let now = 0;
    const executor = new LateExecutor(3, () => {
      now += 100;
    });
    const quiet = { ...config, evaluateEvery: 0, checkpointEvery: 40 };
    const { events } = await runAhead(executor, { config: quiet, clock: () => now });
    const spent = events.flatMap((event) => (event.event === 'step' ? event.stepMs : []));
    expect(spent.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(4000);
    expect(Math.max(...spent)).toBeLessThanOrEqual(300);
  });
});

describe('before the first step', () => {
  it('makes ready for the largest batch, and says what takes its time', async () => {
    const executor = new LateExecutor(1);
    const phases: string[] = [];
    const shapes: unknown[] = [];
    executor.prepare = async (...[shape, tell]: Parameters<LateExecutor['prepare']>) => {
      shapes.push(shape);
      tell('Trying out kernels.');
    };
    const sizes = { batch: 4, microBatch: 2, minSizePx: 100, maxSizePx: 100, steps: 1 };
    await runAhead(executor, {
      config: { ...config, ...sizes },
      onPhase: (sentence) => phases.push(sentence),
    });
    expect(shapes).toEqual([{ batch: 2, paddedHeight: 128, paddedWidth: 128 }]);
    expect(phases).toEqual(['Trying out kernels.']);
  });

  it('is refused what does not fit', async () => {
    const executor = new LateExecutor(1);
    executor.prepare = async () => {
      throw new Problem('out-of-memory', 'It does not fit.', 'Use a batch of 1.');
    };
    const { outcome } = await runAhead(executor);
    expect(outcome).toMatchObject({ status: 'failed', step: 0, problem: { kind: 'out-of-memory' } });
    expect(executor.told).toEqual([]);
    const byScore = { ...config, loss: 'ohem', microBatch: 1 } as const;
    const divided = await runAhead(new LateExecutor(1), { config: byScore, files: new MemoryFiles() });
    expect(divided.outcome.problem).toMatchObject({ kind: 'bad-input' });
  });
});
