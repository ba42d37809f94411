import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { classes, config, MemoryFiles, quarters, setUp } from '../../test/support/cellRun.ts';
import { Problem } from '../domain/problem.ts';
import { RunControl } from './control.ts';
import type { StepSettings } from './ports.ts';
import { runTraining } from './run.ts';

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('runTraining', () => {
  it('learns, and logs every step, evaluation and checkpoint', async () => {
    const options = setUp();
    const outcome = await runTraining(options);
    expect(outcome).toMatchObject({ status: 'finished', step: 40, checkpointStep: 40, problem: null });
    const steps = options.files.steps();
    expect(steps.map((event) => event.step)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(steps.at(-1)!.loss).toBeLessThan(0.5 * steps[0]!.loss);
    for (const { balance, classification } of steps) {
      const sum = balance.reduce((total, entry) => total + entry.foreground + entry.background, 0);
      expect(Math.abs(sum / classification - 1)).toBeLessThan(1e-6);
      expect(balance.map((entry) => entry.class)).toEqual(classes);
    }
    const evaluations = options.files.events.filter((event) => event.event === 'evaluation');
    expect(evaluations.map((event) => event.step)).toEqual([15, 30, 40]);
    expect(options.files.names()[0]).toBe('start');
    const saved = options.files.events.filter((event) => event.event === 'checkpoint');
    expect(saved.map((event) => event.step)).toEqual([...new Set(saved.map((event) => event.step))]);
    expect(options.files.names().slice(-4)).toEqual(['evaluation', 'statistics', 'checkpoint', 'done']);
    expect(options.files.checkpoints.at(-1)!.meta.AP50).toBe(evaluations.at(-1)!.AP50);
    expect(options.files.events.at(-1)).toMatchObject({ event: 'done', reason: 'finished', step: 40 });
  });

  it('gives the same weights after 40 steps as after 20, a stop, and 20 more', async () => {
    const whole = setUp();
    await runTraining(whole);

    const control = new RunControl();
    const first = setUp({
      control,
      onEvent: (event) => event.event === 'step' && event.step === 20 && control.stop(),
    });
    expect(await runTraining(first)).toMatchObject({ status: 'stopped', step: 20, checkpointStep: 20 });
    const resume = first.files.checkpoints.at(-1)!;
    const second = setUp({ resume, executor: new CellExecutor(classes.length) });
    expect(await runTraining(second)).toMatchObject({ status: 'finished', step: 40 });

    const wholeEnd = whole.files.checkpoints.at(-1)!;
    const resumedEnd = second.files.checkpoints.at(-1)!;
    expect(sha(resumedEnd.weights)).toBe(sha(wholeEnd.weights));
    expect(sha(resumedEnd.state)).toBe(sha(wholeEnd.state));
    expect(second.files.steps().map((event) => event.loss)).toEqual(
      whole.files
        .steps()
        .slice(20)
        .map((event) => event.loss),
    );
    expect(sha(wholeEnd.weights)).not.toBe(sha(resume.weights));
  });

  it('pauses between steps with a checkpoint, and goes on', async () => {
    const control = new RunControl();
    const options = setUp({
      control,
      onEvent: (event) => {
        if (event.event === 'step' && event.step === 7) control.pause();
        if (event.event === 'paused') setTimeout(() => control.resume(), 5);
      },
    });
    expect(await runTraining(options)).toMatchObject({ status: 'finished', step: 40 });
    const names = options.files.names();
    const paused = names.indexOf('paused');
    expect(names.slice(paused - 1, paused + 3)).toEqual(['checkpoint', 'paused', 'resumed', 'step']);
    expect(options.files.events[paused]).toMatchObject({ step: 7 });
    expect(options.files.checkpoints[0]!.meta.step).toBe(7);
  });

  it('stops out of a pause', async () => {
    const control = new RunControl();
    const options = setUp({
      control,
      onEvent: (event) => {
        if (event.event === 'step' && event.step === 3) control.pause();
        if (event.event === 'paused') setTimeout(() => control.stop(), 5);
      },
    });
    expect(await runTraining(options)).toMatchObject({ status: 'stopped', step: 3, checkpointStep: 3 });
    expect(options.files.events.at(-1)).toMatchObject({ event: 'done', reason: 'stopped' });
  });

  it('lets the host speak between steps', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    await runTraining(setUp({ yieldToHost: () => new Promise((resolve) => setTimeout(resolve, 1)) }));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it('hands the config to every step', async () => {
    const executor = new CellExecutor(classes.length);
    const step = executor.step.bind(executor);
    const seen: StepSettings[] = [];
    executor.step = (batch, settings) => {
      seen.push(settings);
      return step(batch, settings);
    };
    const chosen = {
      alpha: 0.5,
      gamma: 1,
      momentum: 0.8,
      weightDecay: 0.01,
      clipNorm: 3,
      normalizer: 'image',
    } as const;
    await runTraining(setUp({ executor, config: { ...config, ...chosen } }));
    expect(seen).toHaveLength(config.steps);
    for (const settings of seen) expect(settings).toMatchObject(chosen);
  });

  it('says what was not finite and on which images, and leaves the weights as before the step', async () => {
    const executor = new CellExecutor(classes.length);
    const data = quarters();
    const step = executor.step.bind(executor);
    let last: Float32Array | undefined;
    let calls = 0;
    executor.step = async (batch, settings) => {
      last = (await executor.exportWeights())[0]!.data;
      if (++calls === 13) batch.images.fill(Number.NaN);
      return step(batch, settings);
    };
    const options = setUp({ executor, data });
    const outcome = await runTraining(options);
    expect(outcome).toMatchObject({ status: 'failed', step: 12, checkpointStep: 10 });
    expect(outcome.problem!.kind).toBe('not-finite');
    const failed = options.files.events.at(-1)!;
    expect(failed).toMatchObject({ event: 'failed', step: 13, kind: 'not-finite' });
    if (failed.event !== 'failed') throw new Error('not a failure');
    expect(failed.terms!.classification).toBe('NaN');
    expect(failed.images).toHaveLength(2);
    expect(failed.images![0]).toMatch(/^image\d\.png$/);
    expect(failed.remedy).toContain('step 10');
    expect((await executor.exportWeights())[0]!.data).toEqual(last);
    expect(last!.every(Number.isFinite)).toBe(true);
  });

  it('names the way back from a lost device', async () => {
    const executor = new CellExecutor(classes.length);
    const step = executor.step.bind(executor);
    let calls = 0;
    executor.step = async (batch, settings) => {
      if (++calls > 25) throw new Problem('device-lost', 'The GPU stopped.', 'Close other programs.');
      return step(batch, settings);
    };
    const options = setUp({ executor });
    expect(await runTraining(options)).toMatchObject({ status: 'failed', step: 25, checkpointStep: 20 });
    expect(options.files.events.at(-1)).toMatchObject({ event: 'failed', kind: 'device-lost', step: 25 });

    const resumed = setUp({ resume: options.files.checkpoints.at(-1)! });
    expect(await runTraining(resumed)).toMatchObject({ status: 'finished', step: 40 });
    expect(resumed.files.steps()[0]!.step).toBe(21);
  });

  it('keeps the last steps where their evaluation fails', async () => {
    const executor = new CellExecutor(classes.length);
    executor.detect = async () => {
      throw new Problem('internal', 'Detection broke.', 'Report it.');
    };
    const options = setUp({ executor, config: { ...config, steps: 13, evaluateEvery: 0 } });
    expect(await runTraining(options)).toMatchObject({ status: 'failed', step: 13, checkpointStep: 13 });
    expect(options.files.events.at(-1)).toMatchObject({ event: 'failed', message: 'Detection broke.' });
  });

  it('hands the gradient clip to the executor', async () => {
    const executor = new CellExecutor(classes.length);
    const step = executor.step.bind(executor);
    const clips = new Set<number | undefined>();
    executor.step = (batch, settings) => {
      clips.add(settings.clipNorm);
      return step(batch, settings);
    };
    await runTraining(setUp({ executor, config: { ...config, steps: 2, clipNorm: 3 } }));
    expect([...clips]).toEqual([3]);
  });

  it('leaves out an image that cannot be read and says so once', async () => {
    const data = quarters();
    const options = setUp({
      data: {
        ...data,
        pixels: (id) => (id === 'image2' ? Promise.reject(new Error('gone')) : data.pixels(id)),
      },
    });
    expect(await runTraining(options)).toMatchObject({ status: 'finished', step: 40 });
    const warnings = options.files.events.filter((event) => event.event === 'warning');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.images).toEqual(['image2.png']);
    expect(options.files.steps()).toHaveLength(40);
  });

  it('fails in a sentence where no image can be read, and where there is none', async () => {
    const data = quarters();
    const unreadable = setUp({ data: { ...data, pixels: () => Promise.reject(new Error('gone')) } });
    expect((await runTraining(unreadable)).problem).toMatchObject({ kind: 'not-found' });
    const empty = setUp({ data: { ...data, train: [] } });
    expect((await runTraining(empty)).problem).toMatchObject({ kind: 'bad-input' });
    const bare = setUp({ data: { ...data, train: [{ ...data.train[0]!, boxes: [] }] } });
    expect((await runTraining(bare)).problem!.message).toContain('no boxes');
  });

  it('fails in a sentence where the log cannot be written', async () => {
    const files = new MemoryFiles();
    const append = files.append.bind(files);
    files.append = async (events) => {
      if (events.some((event) => event.event === 'checkpoint')) {
        throw new Problem('disk-full', 'The disk is full.', 'Make room.');
      }
      await append(events);
    };
    const shown: string[] = [];
    const outcome = await runTraining(setUp({ files, onEvent: (event) => shown.push(event.event) }));
    expect(outcome).toMatchObject({ status: 'failed', problem: { kind: 'disk-full' } });
    expect(shown.at(-1)).toBe('failed');
  });

  it('refuses a checkpoint of other classes', async () => {
    const options = setUp();
    await runTraining(options);
    const data = { ...quarters(), classes: ['red', 'green'] };
    const outcome = await runTraining(setUp({ data, resume: options.files.checkpoints[0]! }));
    expect(outcome.problem).toMatchObject({ kind: 'conflict' });
  });

  it('says that the labels have changed since the checkpoint', async () => {
    const options = setUp();
    await runTraining(options);
    const data = quarters();
    const fewer = { ...data, train: data.train.slice(1) };
    const resumed = setUp({ data: fewer, resume: options.files.checkpoints[0]! });
    await runTraining(resumed);
    expect(resumed.files.names().slice(0, 2)).toEqual(['start', 'warning']);
  });

  it('names its data: other images, boxes or classes by another name, those of the validation too', async () => {
    const data = quarters();
    const nameOf = async (of: typeof data) => {
      const options = setUp({ data: of, config: { ...setUp().config, steps: 1 } });
      await runTraining(options);
      const start = options.files.events[0]!;
      return start.event === 'start' ? start.data : undefined;
    };
    const names = [data, quarters(), { ...data, validation: data.validation.slice(1) }].map(nameOf);
    const [name, again, fewer] = await Promise.all(names);
    expect(name).toMatch(/^[0-9a-f]{8}$/);
    expect(again).toBe(name);
    expect(fewer).not.toBe(name);
  });

  it('remembers the best checkpoint over a resume', async () => {
    const options = setUp();
    await runTraining(options);
    const best = options.files.checkpoints.filter((checkpoint) => checkpoint.meta.best).at(-1)!;
    expect(best.meta.AP50).toBe(best.meta.bestAP50);
    const last = options.files.checkpoints.at(-1)!;
    const resumed = setUp({ resume: { ...last, meta: { ...last.meta, step: 39 } } });
    await runTraining(resumed);
    const done = resumed.files.events.at(-1)!;
    if (done.event !== 'done') throw new Error('not done');
    expect(done.best!.AP50).toBeGreaterThanOrEqual(best.meta.bestAP50!);
  });
});
