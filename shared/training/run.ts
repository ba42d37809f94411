/**
 * A training run from its first step to its last word. It is told everything from outside and answers between steps: a wish
 * to pause, stop or change something waits for the steps under way at most. Whatever ends it, the log says how, and the newest
 * checkpoint goes on from there.
 */
import { type ProblemData, toProblemData } from '../domain/problem.ts';
import { largestShape } from './batch.ts';
import { type Checkpoint, dataFingerprint, restoreCheckpoint } from './checkpoint.ts';
import { requireComputable } from './computing.ts';
import type { TrainConfig } from './config.ts';
import type { RunControl } from './control.ts';
import type { RunEvent, TimedChange } from './events.ts';
import { Feeder } from './feeder.ts';
import { areSmallAsBytes, ImageSource } from './imageSource.ts';
import { Journal } from './journal.ts';
import { Keeper } from './keeper.ts';
import { describeReport, isFiniteReport, NonFiniteLoss } from './nonFinite.ts';
import { Pipeline } from './pipeline.ts';
import type { Clock, Executor, RunFiles, TrainingData, YieldToHost } from './ports.ts';
import { Steering } from './steering.ts';
import { statisticsEvent, stepEvent } from './stepEvents.ts';
import {
  changedDataWarning,
  requireTrainable,
  tooSmallWarning,
  unreadableWarning,
  type Warning,
} from './warnings.ts';

export interface RunOptions {
  readonly runId: string;
  readonly config: TrainConfig;
  /** The options the executor's network was built from; they go into every checkpoint. */
  readonly network: Readonly<Record<string, unknown>>;
  readonly data: TrainingData;
  readonly executor: Executor;
  readonly files: RunFiles;
  readonly clock: Clock;
  readonly control: RunControl;
  readonly yieldToHost: YieldToHost;
  /** Every event as it happens; the log follows within a second. */
  readonly onEvent?: (event: RunEvent) => void;
  /** What takes its time before the first step, in sentences. */
  readonly onPhase?: (sentence: string) => void;
  /** Goes on from here as if nothing had happened. */
  readonly resume?: Checkpoint;
  /**
   * Of the run that goes on or is done again (`changesOf` its log), in the order of their steps: those up to the checkpoint hold, the
   * later ones are done again at their steps. A change by hand drops those that are still to come.
   */
  readonly changes?: readonly TimedChange[];
  /** Which weights the executor was filled from and how, in sentences for the log; absent: none, or the run goes on. */
  readonly origin?: readonly string[];
  readonly cacheBytes?: number;
  /** No step is asked for before the last has answered: where others compute in between, a step's time is then its own. */
  readonly oneAtATime?: boolean;
}

export interface RunOutcome {
  readonly status: 'finished' | 'stopped' | 'failed';
  /** Steps whose update is in the weights. */
  readonly step: number;
  readonly checkpointStep: number | null;
  /** Of the last evaluation. */
  readonly AP: number | null;
  readonly AP50: number | null;
  /** Why it failed. */
  readonly problem: ProblemData | null;
}

/** Never rejects: a failure is an outcome, and an event in the log. The executor stays the caller's to dispose of. */
export async function runTraining(options: RunOptions): Promise<RunOutcome> {
  return new Run(options).go();
}

class Run {
  readonly #options: RunOptions;
  readonly #journal: Journal;
  readonly #steering: Steering;
  readonly #keeper: Keeper;
  readonly #pipeline: Pipeline;
  readonly #startedMs: number;
  /** Whether the executor scales the images. */
  readonly #asBytes: boolean;
  /** Steps whose update is in the weights and in the log. */
  #step = 0;

  constructor(options: RunOptions) {
    const { config, data, files, clock, executor, control, changes = [] } = options;
    this.#options = options;
    this.#startedMs = clock();
    this.#asBytes =
      executor.takesBytes === true && areSmallAsBytes([...data.train, ...data.validation], config);
    const journal = new Journal(files, clock, options.onEvent ?? (() => {}));
    const warn = (warning: Warning) => this.#warn(warning);
    const source = new ImageSource({
      minSizePx: config.minSizePx,
      maxSizePx: config.maxSizePx,
      budgetBytes: options.cacheBytes,
      asBytes: this.#asBytes,
      pixels: (imageId) => data.pixels(imageId),
      onUnreadable: (image, reason) => warn(unreadableWarning(image, reason)),
    });
    const keeper = new Keeper({ ...options, journal, source, seconds: () => this.#seconds() });
    this.#journal = journal;
    this.#keeper = keeper;
    this.#steering = new Steering({ config, control, journal, changes, warn });
    this.#pipeline = new Pipeline({
      ...{ executor, control, clock, steering: this.#steering, classCount: data.classes.length },
      mostUnderWay: options.oneAtATime ? 1 : executor.stepsUnderWay,
      feeder: new Feeder(config, data.train, source),
      restsAfter: (step) => keeper.isDue(step),
    });
  }

  async go(): Promise<RunOutcome> {
    try {
      await this.#begin();
      await this.#train();
      return await this.#end();
    } catch (error) {
      return await this.#fail(error);
    }
  }

  async #begin(): Promise<void> {
    const { runId, config, data, executor, resume, origin, changes = [], onPhase } = this.#options;
    requireTrainable(data);
    requireComputable(config);
    this.#restore();
    const later = changes.filter(({ step }) => step > this.#step);
    this.#steering.tell({
      event: 'start',
      runId,
      classes: [...data.classes],
      adapter: executor.adapter,
      backend: executor.backend,
      software: executor.software,
      trainImages: data.train.length,
      validationImages: data.validation.length,
      parameterCount: executor.parameterCount,
      fromStep: this.#step,
      data: dataFingerprint({ classes: data.classes, train: [...data.train, ...data.validation] }),
      ...(origin && { origin: [...origin] }),
      ...(later.length > 0 && { changes: later }),
    });
    const tooSmall = tooSmallWarning(data, config);
    if (tooSmall) this.#warn(tooSmall);
    const before = resume?.meta.dataFingerprint;
    if (before && before !== this.#keeper.fingerprint) this.#warn(changedDataWarning);
    await this.#journal.flush();
    if (this.#step < config.steps) {
      const shape = largestShape(data.train, config, this.#asBytes);
      await executor.prepare(shape, onPhase ?? (() => {}));
    }
  }

  #restore(): void {
    const { data, executor, network, resume } = this.#options;
    if (!resume) return;
    restoreCheckpoint(executor, resume, { classes: data.classes, network });
    this.#step = resume.meta.step;
  }

  async #train(): Promise<void> {
    const { config, control } = this.#options;
    while (this.#step < config.steps && (await this.#mayGoOn())) {
      await this.#advance();
      // The last step's weights are measured first and saved once, with what was found.
      if (this.#step < config.steps) await this.#keeper.measureAndSaveIfDue(this.#step);
      await this.#journal.flushIfDue();
      await this.#options.yieldToHost();
    }
    if (control.wish !== 'stop') await this.#keeper.measureAndSave(this.#step);
  }

  /** Waits out a pause, once nothing is under way. False where the run is to stop. */
  async #mayGoOn(): Promise<boolean> {
    const { control } = this.#options;
    if (this.#pipeline.count > 0) return true;
    if (control.wish !== 'pause') return control.wish !== 'stop';
    await this.#keeper.save(this.#step);
    this.#journal.emit({ event: 'paused', step: this.#step });
    await this.#journal.flush();
    if ((await control.untilResumed()) === 'stop') return false;
    this.#journal.emit({ event: 'resumed', step: this.#step });
    return true;
  }

  async #advance(): Promise<void> {
    const { classes } = this.#options.data;
    const { step, settings, images, report, stepMs } = await this.#pipeline.next(this.#step);
    if (report.snapshot) this.#journal.emit(statisticsEvent(report.snapshot, step - 1, classes));
    if (!isFiniteReport(report)) {
      throw new NonFiniteLoss(step, describeReport(report, classes), [...images]);
    }
    this.#step = step;
    this.#journal.emit(stepEvent(report, { step, lr: settings.learningRate, classes, stepMs }));
  }

  async #end(): Promise<RunOutcome> {
    await this.#keeper.save(this.#step);
    const reason = this.#step >= this.#options.config.steps ? 'finished' : 'stopped';
    const outcome = this.#outcome(reason, null);
    this.#journal.emit({
      event: 'done',
      step: this.#step,
      reason,
      weights: this.#keeper.lastPath,
      best: this.#keeper.best,
      AP: outcome.AP,
      AP50: outcome.AP50,
      seconds: this.#seconds(),
    });
    await this.#journal.flush();
    return outcome;
  }

  async #fail(error: unknown): Promise<RunOutcome> {
    // Nothing is done with an executor that still computes; what comes after the failure counts for nothing.
    await this.#pipeline.drop();
    const problem = withWayBack(toProblemData(error), this.#keeper.checkpointStep);
    const { terms, images } = error instanceof NonFiniteLoss ? error : {};
    const { kind, message, remedy } = problem;
    const step = error instanceof NonFiniteLoss ? error.step : this.#step;
    this.#journal.emit({ event: 'failed', step, kind, message, remedy, terms, images });
    try {
      await this.#journal.flush();
    } catch {
      // The log itself cannot be written (a full disk, say): the screen has the event, and the outcome says the same.
    }
    return this.#outcome('failed', problem);
  }

  #outcome(status: RunOutcome['status'], problem: ProblemData | null): RunOutcome {
    const evaluation = this.#keeper.evaluationAt(this.#step);
    return {
      status,
      step: this.#step,
      checkpointStep: this.#keeper.checkpointStep,
      AP: evaluation?.AP ?? null,
      AP50: evaluation?.AP50 ?? null,
      problem,
    };
  }

  #warn(warning: Warning): void {
    this.#journal.emit({ event: 'warning', step: this.#step, ...warning });
  }

  #seconds(): number {
    const before = this.#options.resume?.meta.seconds ?? 0;
    return before + (this.#options.clock() - this.#startedMs) / 1000;
  }
}

function withWayBack(problem: ProblemData, checkpointStep: number | null): ProblemData {
  const wayBack =
    checkpointStep === null
      ? 'No checkpoint was written yet: start the run again.'
      : `The run can be resumed from its checkpoint of step ${checkpointStep}.`;
  return { ...problem, remedy: `${problem.remedy} ${wayBack}` };
}
