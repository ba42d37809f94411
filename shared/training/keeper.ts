/** What is measured and kept of a run's weights on the way: evaluations, checkpoints, and which of them is the best. */
import { type Checkpoint, captureWeights, dataFingerprint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import type { RunControl } from './control.ts';
import { evaluateImages, evaluationEvent } from './evaluate.ts';
import type { EvaluationEvent } from './events.ts';
import type { ImageSource } from './imageSource.ts';
import type { Journal } from './journal.ts';
import type { CheckpointMeta, Executor, RunFiles, TrainingData, YieldToHost } from './ports.ts';
import { statisticsEvent } from './stepEvents.ts';

export interface KeeperOptions {
  readonly config: TrainConfig;
  readonly network: Readonly<Record<string, unknown>>;
  readonly data: TrainingData;
  readonly executor: Executor;
  readonly files: RunFiles;
  readonly control: RunControl;
  readonly yieldToHost: YieldToHost;
  readonly journal: Journal;
  readonly source: ImageSource;
  /** Of training, over every sitting. */
  seconds(): number;
  readonly resume?: Checkpoint;
}

export interface Best {
  readonly step: number;
  readonly AP50: number;
  /** Path of the checkpoint that holds them. */
  readonly weights: string;
}

/** Steps are those whose update is in the weights, and none may be under way. */
export class Keeper {
  /** Names the training data. */
  readonly fingerprint: string;
  readonly #options: KeeperOptions;
  #last: { step: number; path: string } | null = null;
  #best: Best | null = null;
  #evaluation: EvaluationEvent | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.fingerprint = dataFingerprint(options.data);
    const { bestAP50, bestStep, bestPath } = options.resume?.meta ?? {};
    if (bestAP50 != null && bestStep != null) {
      this.#best = { step: bestStep, AP50: bestAP50, weights: bestPath ?? '' };
    }
  }

  get best(): Best | null {
    return this.#best;
  }

  /** Of this sitting; empty where there is none. */
  get lastPath(): string {
    return this.#last?.path ?? '';
  }

  /** From where the run can go on. */
  get checkpointStep(): number | null {
    return this.#last?.step ?? this.#options.resume?.meta.step ?? null;
  }

  evaluationAt(step: number): EvaluationEvent | null {
    return this.#evaluation?.step === step ? this.#evaluation : null;
  }

  /** True where something is to be done after this step; the run's last is measured and saved at its end. */
  isDue(step: number): boolean {
    const { checkpointEvery, steps } = this.#options.config;
    return step >= steps || step % checkpointEvery === 0 || this.#isMeasured(step);
  }

  async measureAndSaveIfDue(step: number): Promise<void> {
    const isBest = this.#isMeasured(step) && (await this.evaluate(step));
    if (isBest || step % this.#options.config.checkpointEvery === 0) await this.save(step, isBest);
  }

  #isMeasured(step: number): boolean {
    const { evaluateEvery } = this.#options.config;
    return evaluateEvery > 0 && step % evaluateEvery === 0;
  }

  /** True where these are the best weights so far. */
  async evaluate(step: number): Promise<boolean> {
    const { executor, data, config, control, source, journal, yieldToHost } = this.#options;
    if (data.validation.length === 0) return false;
    const result = await evaluateImages(executor, data.validation, data.classes, {
      source,
      maxImages: config.evaluateImages,
      shouldStop: () => control.wish === 'stop',
      yieldToHost,
    });
    if (!result) return false;
    const event = evaluationEvent(step, 'val', result);
    const { AP50 } = event;
    this.#evaluation = event;
    journal.emit(event);
    await journal.flush();
    // Of equals the newest, as the files are kept.
    if (AP50 === null || (this.#best && AP50 < this.#best.AP50)) return false;
    this.#best = { step, AP50, weights: '' };
    return true;
  }

  /** An evaluation that fails must not cost the last steps: they are saved all the same. */
  async measureAndSave(step: number): Promise<void> {
    try {
      await this.save(step, await this.evaluate(step));
    } catch (error) {
      // A device that has gone cannot give its weights any more; what stopped the run is told, not this.
      await this.save(step, false).catch(() => {});
      throw error;
    }
  }

  /** Nothing where this step's weights are saved already. */
  async save(step: number, best = false): Promise<void> {
    if (this.#last?.step === step) return;
    const { executor, files, data, journal } = this.#options;
    // What was counted up to here is told before: a run that goes on from here begins to count anew.
    const snapshot = await executor.lastSnapshot();
    if (snapshot) journal.emit(statisticsEvent(snapshot, step, data.classes));
    const meta = this.#meta(step, best);
    const { weights, state } = await captureWeights(executor, meta);
    const path = await files.saveCheckpoint(step, weights, state, meta);
    this.#last = { step, path };
    if (best && this.#best) this.#best = { ...this.#best, weights: path };
    journal.emit({ event: 'checkpoint', step, path });
    await journal.flush();
  }

  #meta(step: number, best: boolean): CheckpointMeta {
    const { config, data, network, executor } = this.#options;
    return {
      step,
      classes: data.classes,
      backbone: config.backbone,
      network,
      config,
      adapter: executor.adapter,
      AP50: this.evaluationAt(step)?.AP50 ?? null,
      bestAP50: this.#best?.AP50 ?? null,
      bestStep: this.#best?.step ?? null,
      bestPath: this.#best?.weights || null,
      best,
      dataFingerprint: this.fingerprint,
      seconds: this.#options.seconds(),
    };
  }
}
