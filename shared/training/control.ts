/** The handle by which a person pauses, resumes and stops a run. The run looks at it between steps. */
export type RunWish = 'run' | 'pause' | 'stop';

export class RunControl {
  #wish: RunWish = 'run';
  #wake: (() => void) | null = null;

  get wish(): RunWish {
    return this.#wish;
  }

  /** Pauses after the step that is being computed, once a checkpoint is written. */
  pause(): void {
    if (this.#wish === 'run') this.#wish = 'pause';
  }

  resume(): void {
    if (this.#wish === 'pause') this.#change('run');
  }

  /** Ends the run after the step that is being computed, with a checkpoint to resume from. */
  stop(): void {
    this.#change('stop');
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

  #change(wish: RunWish): void {
    this.#wish = wish;
    this.#wake?.();
    this.#wake = null;
  }
}
