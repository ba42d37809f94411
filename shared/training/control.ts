/** The handle by which a person steers a run: pauses, resumes, stops and changes it. The run looks at it between steps. */
import { parseChange } from './changes.ts';
import type { HotChange } from './config.ts';

export type RunWish = 'run' | 'pause' | 'stop';

export class RunControl {
  #wish: RunWish = 'run';
  #wake: (() => void) | null = null;
  #change: HotChange = {};

  get wish(): RunWish {
    return this.#wish;
  }

  /** Pauses after the steps that are being computed, once a checkpoint is written. */
  pause(): void {
    if (this.#wish === 'run') this.#wish = 'pause';
  }

  resume(): void {
    if (this.#wish === 'pause') this.#turnTo('run');
  }

  /** Ends the run after the steps that are being computed, with a checkpoint to resume from. */
  stop(): void {
    this.#turnTo('stop');
  }

  /** Holds from the next step on that is not being computed yet, paused or not. Throws `bad-input` for what a run cannot take. */
  change(change: HotChange): void {
    this.#change = { ...this.#change, ...parseChange(change) };
  }

  /** What `takeChange` would take. */
  get changeAsked(): HotChange {
    return this.#change;
  }

  /** What has been asked for since the last time, all together. */
  takeChange(): HotChange {
    const taken = this.#change;
    this.#change = {};
    return taken;
  }

  /** Resolves to the wish as soon as it is no longer `pause`. */
  async untilResumed(): Promise<'run' | 'stop'> {
    while (this.#wish === 'pause') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#wish;
  }

  #turnTo(wish: RunWish): void {
    this.#wish = wish;
    this.#wake?.();
    this.#wake = null;
  }
}
