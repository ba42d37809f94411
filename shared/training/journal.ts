/** A run's events on their way to its log: shown at once, written in small batches, so that a fast step does not wait for a disk. */
import type { RunEvent } from './events.ts';
import type { Clock, RunFiles } from './ports.ts';

/** An event is on disk at the latest this long after it happened (and one step more). */
const flushAfterMs = 1000;
/** The contract takes so many at once. */
const maxBatch = 5000;

export class Journal {
  readonly #files: Pick<RunFiles, 'append'>;
  readonly #clock: Clock;
  readonly #listener: (event: RunEvent) => void;
  #pending: RunEvent[] = [];
  #oldestMs = 0;

  constructor(files: Pick<RunFiles, 'append'>, clock: Clock, listener: (event: RunEvent) => void) {
    this.#files = files;
    this.#clock = clock;
    this.#listener = listener;
  }

  emit(event: RunEvent): void {
    if (this.#pending.length === 0) this.#oldestMs = this.#clock();
    this.#pending.push(event);
    this.#listener(event);
  }

  async flushIfDue(): Promise<void> {
    const due = this.#clock() - this.#oldestMs >= flushAfterMs || this.#pending.length >= maxBatch;
    if (this.#pending.length > 0 && due) await this.flush();
  }

  /** Rejects where the log cannot be written; what was not written stays pending. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, maxBatch);
      await this.#files.append(batch);
      this.#pending.splice(0, batch.length);
    }
  }
}
