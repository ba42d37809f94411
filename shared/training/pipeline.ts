/** Steps asked of the executor before the oldest of them has answered, so that a device need not wait for its host; and their answers in order. */
import { buildBatch } from './batch.ts';
import type { RunControl } from './control.ts';
import type { Feeder } from './feeder.ts';
import type { Clock, Executor, StepReport, StepSettings } from './ports.ts';
import type { Steering } from './steering.ts';
import { settingsAt } from './stepEvents.ts';

export interface PipelineOptions {
  readonly executor: Pick<Executor, 'step'>;
  /** Steps asked for before the oldest has answered. */
  readonly mostUnderWay: number;
  readonly feeder: Feeder;
  readonly steering: Steering;
  readonly control: RunControl;
  readonly clock: Clock;
  readonly classCount: number;
  /** Whether the run does something else between this step and the next: every step before must have answered then. */
  restsAfter(step: number): boolean;
}

export interface Answer {
  readonly step: number;
  readonly settings: StepSettings;
  /** The names of the batch's images. */
  readonly images: readonly string[];
  readonly report: StepReport;
  /** Since the answer before, without what the run did between. */
  readonly stepMs: number;
}

interface Asked extends Omit<Answer, 'report' | 'stepMs'> {
  readonly report: Promise<StepReport>;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  /** Oldest first. */
  readonly #underWay: Asked[] = [];

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Steps that were asked for and have not been taken over. */
  get count(): number {
    return this.#underWay.length;
  }

  /** The answer of step `done + 1`, once as many as may be are asked for. */
  async next(done: number): Promise<Answer> {
    const { clock } = this.#options;
    const startMs = clock();
    await this.#askAhead(done);
    const oldest = this.#underWay[0]!;
    const report = await oldest.report;
    this.#underWay.shift();
    return { ...oldest, report, stepMs: clock() - startMs };
  }

  /** Waits for all that is under way, whatever becomes of it, and forgets it. */
  async drop(): Promise<void> {
    await Promise.allSettled(this.#underWay.splice(0).map(({ report }) => report));
  }

  async #askAhead(done: number): Promise<void> {
    const { steering } = this.#options;
    while (this.#mayAsk(done + this.count)) {
      const step = done + this.count + 1;
      // A change waits until all that was asked for without it is told.
      if (this.count > 0 && steering.isDue(step)) return;
      await steering.apply(step);
      try {
        this.#underWay.push(await this.#ask(step));
      } catch (error) {
        // In its turn it is tried again, and fails when all before it is told.
        if (this.count === 0) throw error;
        return;
      }
    }
  }

  #mayAsk(last: number): boolean {
    const { mostUnderWay, control, restsAfter } = this.#options;
    if (this.count === 0) return true;
    return this.count < mostUnderWay && control.wish === 'run' && !restsAfter(last);
  }

  async #ask(step: number): Promise<Asked> {
    const { executor, feeder, steering, classCount } = this.#options;
    const items = await feeder.itemsOf(step);
    const settings = settingsAt(step, steering.configAt(step), classCount);
    const report = executor.step(buildBatch(items), settings);
    // Whoever takes it over is told; until then, that it failed is nobody's fault.
    report.catch(() => {});
    return { step, settings, images: items.map(({ image }) => image.name), report };
  }
}
