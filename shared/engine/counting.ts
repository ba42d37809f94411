/** The histogram that steps count their logits into, and how it is handed over without a step ever waiting for it. */
import type { LogitHistogram } from '../loss/histogram.ts';
import { emptyHistogram } from '../loss/histogramOps.ts';
import { readHistogram } from '../loss/histogramWords.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import type { Readback } from './device/readback.ts';
import type { Turns } from './device/turns.ts';
import type { BufferRef } from './plan/call.ts';

export class Counting {
  readonly ref: BufferRef;
  readonly #device: EngineDevice;
  readonly #classCount: number;
  readonly #asking: Turns;
  /** On their way, in the order in which steps asked for them. */
  readonly #handed: Promise<LogitHistogram>[] = [];
  /** Whether logits were counted since the last one was handed over. */
  #hasCounted = false;
  /** The next counted step begins a new one. */
  #forgets = false;

  constructor(device: EngineDevice, ref: BufferRef, classCount: number, asking: Turns) {
    this.#device = device;
    this.ref = ref;
    this.#classCount = classCount;
    this.#asking = asking;
  }

  /** Sections before a step that counts: what was handed over is not counted on. */
  begin(): string[] {
    const sections = this.#forgets ? ['forget'] : [];
    this.#forgets = false;
    this.#hasCounted = true;
    return sections;
  }

  /** A copy made behind a counted step, which has been submitted. */
  handOver(copy: Readback): void {
    const handed = this.#histogramOf(copy.read());
    // Whoever collects it is told; that nobody does is no failure of its own.
    handed.catch(() => {});
    this.#handed.push(handed);
    this.#forgets = true;
    this.#hasCounted = false;
  }

  /** That of the step that asked first; where none did, what was counted up to now. */
  take(): Promise<LogitHistogram> {
    const first = this.#handed.shift();
    if (first) return first;
    return this.#asking.take(async () => {
      if (!this.#hasCounted) return emptyHistogram(this.#classCount);
      this.#hasCounted = false;
      this.#forgets = true;
      return this.#histogramOf(this.#device.read(this.ref));
    });
  }

  async #histogramOf(words: Promise<Uint32Array>): Promise<LogitHistogram> {
    return readHistogram(await words, this.#classCount);
  }
}
