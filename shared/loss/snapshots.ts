/** What has been counted over the steps of a run, handed over without ever waiting for the GPU. */
import type { HardAnchor, Snapshot } from './executor.ts';
import type { LogitHistogram } from './histogram.ts';
import { addHistogram } from './histogramOps.ts';

/** Of logits, on a device. */
interface Counter {
  /** What has been counted since the last time; reading begins at once, and with it a new histogram. */
  take(): Promise<LogitHistogram>;
}

/** Of a step. */
export interface CountedStep {
  /** Weights of all anchors' terms, summed. */
  readonly weight: number;
  /** Anchors that were not ignored. */
  readonly anchors: number;
}

/** Of some steps together. */
interface Counted extends CountedStep {
  readonly steps: number;
  /** Of the last step. */
  readonly hardest: () => HardAnchor[];
}

type Handed = Counted & { readonly histogram: LogitHistogram };

/** Shown in a snapshot. */
export const galleryCount = 12;

/** A snapshot asked for after one step is collected after the next one: by then the GPU has long handed it over. */
export class Snapshots {
  readonly #counter: Counter;
  #since: Counted | null = null;
  #asked: Promise<Handed> | null = null;

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  /** A step whose logits the counter has counted. */
  add(step: CountedStep, hardest: () => HardAnchor[]): void {
    const { steps, weight, anchors } = this.#since ?? { steps: 0, weight: 0, anchors: 0 };
    this.#since = {
      steps: steps + 1,
      weight: weight + step.weight,
      anchors: anchors + step.anchors,
      hardest,
    };
  }

  /** Asks for what was counted up to here; the next count begins at nothing. */
  ask(): void {
    if (!this.#since) return;
    const since = this.#since;
    this.#since = null;
    this.#asked = this.#counter.take().then((histogram) => ({ ...since, histogram }));
    // Whoever collects it is told; that nobody does is no failure of its own.
    this.#asked.catch(() => {});
  }

  /** What was asked for; null where nothing was. */
  async collect(): Promise<Snapshot | null> {
    const asked = await this.#takeAsked();
    return asked && snapshotOf(asked);
  }

  /** What was asked for and what was counted since, in one. */
  async last(): Promise<Snapshot | null> {
    const before = await this.#takeAsked();
    this.ask();
    const since = await this.#takeAsked();
    if (!before || !since) return before || since ? snapshotOf((since ?? before)!) : null;
    addHistogram(since.histogram, before.histogram);
    return snapshotOf({
      ...since,
      steps: before.steps + since.steps,
      weight: before.weight + since.weight,
      anchors: before.anchors + since.anchors,
    });
  }

  async #takeAsked(): Promise<Handed | null> {
    const asked = this.#asked;
    this.#asked = null;
    return asked;
  }
}

function snapshotOf({ steps, weight, anchors, hardest, histogram }: Handed): Snapshot {
  return { steps, histogram, scale: anchors > 0 ? weight / anchors : 0, hardest: hardest() };
}
