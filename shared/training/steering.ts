/** What is changed of a run under way: by the log it goes on from or does again, and by a person. */
import { toProblemData } from '../domain/problem.ts';
import { lossSettingsOf } from '../loss/strategies.ts';
import { type Changes, changesAt, foldChanges, withoutEqual } from './changes.ts';
import { requireComputable } from './computing.ts';
import type { HotChange, TrainConfig } from './config.ts';
import type { RunControl } from './control.ts';
import type { RunEvent, TimedChange } from './events.ts';
import type { Journal } from './journal.ts';
import type { Warning } from './warnings.ts';

export interface SteeringOptions {
  readonly config: TrainConfig;
  readonly control: RunControl;
  readonly journal: Journal;
  /** `RunOptions.changes` */
  readonly changes: readonly TimedChange[];
  readonly warn: (warning: Warning) => void;
}

export class Steering {
  readonly #options: SteeringOptions;
  #changes: Changes;

  constructor(options: SteeringOptions) {
    this.#options = options;
    this.#changes = { applied: options.changes, pending: [] };
  }

  /** The config as it holds at a step. */
  configAt(step: number): TrainConfig {
    return { ...this.#options.config, ...changesAt(this.#changes, step) };
  }

  /** Tells an event that may change something, the run's start among them. */
  tell(event: RunEvent): void {
    this.#changes = foldChanges(this.#changes, event);
    this.#options.journal.emit(event);
  }

  /** Whether anything changes from this step on. */
  isDue(step: number): boolean {
    return this.#pendingAt(step).length > 0 || this.#wish(step, this.#options.control.changeAsked) !== null;
  }

  /** First those that the log asks for, then those of a person. They are on disk before anything is computed with them. */
  async apply(step: number): Promise<void> {
    const before = this.#changes;
    for (const { change } of this.#pendingAt(step)) {
      this.tell({ event: 'control', step, change, replayed: true });
    }
    const change = this.#wish(step, this.#options.control.takeChange());
    if (change && this.#takes(change, step)) this.tell({ event: 'control', step, change });
    if (this.#changes !== before) await this.#options.journal.flush();
  }

  #pendingAt(step: number): TimedChange[] {
    return this.#changes.pending.filter((each) => each.step <= step);
  }

  #wish(step: number, asked: HotChange): HotChange | null {
    return withoutEqual(asked, this.configAt(step));
  }

  /** False where there is no such loss, which is told: the run goes on as it was. */
  #takes(change: HotChange, step: number): boolean {
    const config = { ...this.configAt(step), ...change };
    try {
      lossSettingsOf({ ...config, strategy: config.loss });
      requireComputable(config);
      return true;
    } catch (error) {
      const { message, remedy } = toProblemData(error);
      this.#options.warn({ message, remedy, images: [] });
      return false;
    }
  }
}
