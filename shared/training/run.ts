/**
 * A training run from its first step to its last word. It is told everything from outside and answers between steps: a wish
 * to pause, stop or change something waits for one step at most. Whatever ends it, the log says how, and the newest checkpoint goes on from there.
 */
import { type ProblemData, toProblemData } from '../domain/problem.ts';
import { lossSettingsOf } from '../loss/strategies.ts';
import { buildBatch } from './batch.ts';
import { type Changes, changesAt, foldChanges, noChanges, withoutEqual } from './changes.ts';
import { type Checkpoint, captureWeights, dataFingerprint, restoreCheckpoint } from './checkpoint.ts';
import type { HotChange, TrainConfig } from './config.ts';
import type { RunControl } from './control.ts';
import { evaluateImages, evaluationEvent } from './evaluate.ts';
import type { EvaluationEvent, RunEvent, TimedChange } from './events.ts';
import { Feeder } from './feeder.ts';
import { ImageSource } from './imageSource.ts';
import { Journal } from './journal.ts';
import { describeReport, isFiniteReport, NonFiniteLoss } from './nonFinite.ts';
import type { CheckpointMeta, Clock, Executor, RunFiles, TrainingData, YieldToHost } from './ports.ts';
import { settingsAt, statisticsEvent, stepEvent } from './stepEvents.ts';
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
  readonly #feeder: Feeder;
  readonly #source: ImageSource;
  readonly #fingerprint: string;
  readonly #startedMs: number;
  /** Steps whose update is in the weights. */
  #step = 0;
  #secondsBefore = 0;
  #last: { step: number; path: string } | null = null;
  #best: { step: number; AP50: number; weights: string } | null = null;
  #evaluation: EvaluationEvent | null = null;
  #changes: Changes = noChanges;

  constructor(options: RunOptions) {
    const { config, data, files, clock } = options;
    this.#options = options;
    this.#startedMs = clock();
    this.#journal = new Journal(files, clock, options.onEvent ?? (() => {}));
    this.#fingerprint = dataFingerprint(data);
    this.#source = new ImageSource({
      minSizePx: config.minSizePx,
      maxSizePx: config.maxSizePx,
      budgetBytes: options.cacheBytes,
      pixels: (imageId) => data.pixels(imageId),
      onUnreadable: (image, reason) => this.#warn(unreadableWarning(image, reason)),
    });
    this.#feeder = new Feeder(config, data.train, this.#source);
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
    const { runId, data, executor, resume, origin, changes = [] } = this.#options;
    requireTrainable(data);
    this.#restore();
    const later = changes.filter(({ step }) => step > this.#step);
    this.#changes = { applied: changes, pending: [] };
    this.#steer({
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
    const tooSmall = tooSmallWarning(data, this.#options.config);
    if (tooSmall) this.#warn(tooSmall);
    const before = resume?.meta.dataFingerprint;
    if (before && before !== this.#fingerprint) this.#warn(changedDataWarning);
    await this.#journal.flush();
  }

  #restore(): void {
    const { data, executor, network, resume } = this.#options;
    if (!resume) return;
    restoreCheckpoint(executor, resume, { classes: data.classes, network });
    const { meta } = resume;
    this.#step = meta.step;
    this.#secondsBefore = meta.seconds ?? 0;
    if (meta.bestAP50 != null && meta.bestStep != null) {
      this.#best = { step: meta.bestStep, AP50: meta.bestAP50, weights: meta.bestPath ?? '' };
    }
  }

  async #train(): Promise<void> {
    const { config, control } = this.#options;
    while (this.#step < config.steps && (await this.#mayGoOn())) {
      await this.#advance(this.#step + 1);
      // The last step's weights are measured first and saved once, with what was found.
      if (this.#step < config.steps) await this.#measureAndSaveIfDue();
      await this.#journal.flushIfDue();
      await this.#options.yieldToHost();
    }
    if (control.wish !== 'stop') await this.#finalEvaluation();
  }

  async #measureAndSaveIfDue(): Promise<void> {
    const { evaluateEvery, checkpointEvery } = this.#options.config;
    const isBest = evaluateEvery > 0 && this.#step % evaluateEvery === 0 && (await this.#evaluate());
    if (isBest || this.#step % checkpointEvery === 0) await this.#saveCheckpoint(isBest);
  }

  /** Waits out a pause. False where the run is to stop. */
  async #mayGoOn(): Promise<boolean> {
    const { control } = this.#options;
    if (control.wish !== 'pause') return control.wish !== 'stop';
    await this.#saveCheckpoint(false);
    this.#journal.emit({ event: 'paused', step: this.#step });
    await this.#journal.flush();
    if ((await control.untilResumed()) === 'stop') return false;
    this.#journal.emit({ event: 'resumed', step: this.#step });
    return true;
  }

  async #advance(step: number): Promise<void> {
    const { executor, clock, data } = this.#options;
    const { classes } = data;
    await this.#applyChanges(step);
    const startMs = clock();
    const items = await this.#feeder.itemsOf(step);
    const settings = settingsAt(step, this.#configAt(step), classes.length);
    const report = await executor.step(buildBatch(items), settings);
    if (report.snapshot) this.#journal.emit(statisticsEvent(report.snapshot, step - 1, classes));
    if (!isFiniteReport(report)) {
      throw new NonFiniteLoss(
        step,
        describeReport(report, classes),
        items.map((item) => item.image.name),
      );
    }
    this.#step = step;
    const stepMs = clock() - startMs;
    this.#journal.emit(stepEvent(report, { step, lr: settings.learningRate, classes, stepMs }));
  }

  /** First those that the log asks for, then those of a person. They are on disk before anything is computed with them. */
  async #applyChanges(step: number): Promise<void> {
    const before = this.#changes;
    for (const pending of before.pending.filter((each) => each.step <= step)) {
      this.#steer({ event: 'control', step, change: pending.change, replayed: true });
    }
    const change = withoutEqual(this.#options.control.takeChange(), this.#configAt(step));
    if (change && this.#takes(change, step)) this.#steer({ event: 'control', step, change });
    if (this.#changes !== before) await this.#journal.flush();
  }

  /** False where there is no such loss, which is told: the run goes on as it was. */
  #takes(change: HotChange, step: number): boolean {
    const config = { ...this.#configAt(step), ...change };
    try {
      lossSettingsOf({ ...config, strategy: config.loss });
      return true;
    } catch (error) {
      const { message, remedy } = toProblemData(error);
      this.#warn({ message, remedy, images: [] });
      return false;
    }
  }

  #steer(event: RunEvent): void {
    this.#changes = foldChanges(this.#changes, event);
    this.#journal.emit(event);
  }

  #configAt(step: number): TrainConfig {
    return { ...this.#options.config, ...changesAt(this.#changes, step) };
  }

  /** True where these are the best weights so far. */
  async #evaluate(): Promise<boolean> {
    const { executor, data, config, control } = this.#options;
    if (data.validation.length === 0) return false;
    const result = await evaluateImages(executor, data.validation, data.classes, {
      source: this.#source,
      maxImages: config.evaluateImages,
      shouldStop: () => control.wish === 'stop',
      yieldToHost: this.#options.yieldToHost,
    });
    if (!result) return false;
    const event = evaluationEvent(this.#step, 'val', result);
    const { AP50 } = event;
    this.#evaluation = event;
    this.#journal.emit(event);
    await this.#journal.flush();
    // Of equals the newest, as the files are kept.
    if (AP50 === null || (this.#best && AP50 < this.#best.AP50)) return false;
    this.#best = { step: this.#step, AP50, weights: '' };
    return true;
  }

  /** An evaluation that fails must not cost the last steps: they are saved all the same. */
  async #finalEvaluation(): Promise<void> {
    try {
      await this.#saveCheckpoint(await this.#evaluate());
    } catch (error) {
      // A device that has gone cannot give its weights any more; what stopped the run is told, not this.
      await this.#saveCheckpoint(false).catch(() => {});
      throw error;
    }
  }

  async #saveCheckpoint(best: boolean): Promise<void> {
    if (this.#last?.step === this.#step) return;
    const { executor, files, data } = this.#options;
    // What was counted up to here is told before: a run that goes on from here begins to count anew.
    const snapshot = await executor.lastSnapshot();
    if (snapshot) this.#journal.emit(statisticsEvent(snapshot, this.#step, data.classes));
    const meta = this.#meta(best);
    const { weights, state } = await captureWeights(executor, meta);
    const path = await files.saveCheckpoint(this.#step, weights, state, meta);
    this.#last = { step: this.#step, path };
    if (best && this.#best) this.#best = { ...this.#best, weights: path };
    this.#journal.emit({ event: 'checkpoint', step: this.#step, path });
    await this.#journal.flush();
  }

  #meta(best: boolean): CheckpointMeta {
    const { config, data, network, executor } = this.#options;
    return {
      step: this.#step,
      classes: data.classes,
      backbone: config.backbone,
      network,
      config,
      adapter: executor.adapter,
      AP50: this.#evaluation?.step === this.#step ? this.#evaluation.AP50 : null,
      bestAP50: this.#best?.AP50 ?? null,
      bestStep: this.#best?.step ?? null,
      bestPath: this.#best?.weights || null,
      best,
      dataFingerprint: this.#fingerprint,
      seconds: this.#seconds(),
    };
  }

  async #end(): Promise<RunOutcome> {
    await this.#saveCheckpoint(false);
    const reason = this.#step >= this.#options.config.steps ? 'finished' : 'stopped';
    const outcome = this.#outcome(reason, null);
    this.#journal.emit({
      event: 'done',
      step: this.#step,
      reason,
      weights: this.#last?.path ?? '',
      best: this.#best,
      AP: outcome.AP,
      AP50: outcome.AP50,
      seconds: this.#seconds(),
    });
    await this.#journal.flush();
    return outcome;
  }

  async #fail(error: unknown): Promise<RunOutcome> {
    const problem = withWayBack(
      toProblemData(error),
      this.#last?.step ?? this.#options.resume?.meta.step ?? null,
    );
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
    const evaluation = this.#evaluation?.step === this.#step ? this.#evaluation : null;
    return {
      status,
      step: this.#step,
      checkpointStep: this.#last?.step ?? this.#options.resume?.meta.step ?? null,
      AP: evaluation?.AP ?? null,
      AP50: evaluation?.AP50 ?? null,
      problem,
    };
  }

  #warn(warning: Warning): void {
    this.#journal.emit({ event: 'warning', step: this.#step, ...warning });
  }

  #seconds(): number {
    return this.#secondsBefore + (this.#options.clock() - this.#startedMs) / 1000;
  }
}

function withWayBack(problem: ProblemData, checkpointStep: number | null): ProblemData {
  const wayBack =
    checkpointStep === null
      ? 'No checkpoint was written yet: start the run again.'
      : `The run can be resumed from its checkpoint of step ${checkpointStep}.`;
  return { ...problem, remedy: `${problem.remedy} ${wayBack}` };
}
