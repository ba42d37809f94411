/**
 * How long dispatches take, and so how many go into one submit: a desktop shares the GPU, and stands still while a submit runs. At
 * first everything is guessed from the work that there is, carefully; whatever was submitted alone and timed is known better, and
 * all of it is corrected by how long whole runs take.
 */
import type { KernelCall } from '../plan/call.ts';

/** A submit is filled up to this; a desktop of 10 frames a second is the limit, at 100 ms. */
export const submitMs = 40;

/** A dispatch that takes longer by itself is made in slices. */
const longestMs = 2 * submitMs;

/** What is only guessed counts so many times, for kernels differ. */
const caution = 4;

/** Timed alone so often before a submit may be behind another in the queue: the first time a device may still be waking up. */
const timedAlone = 2;

/** No dispatch takes less, whatever a coarse clock says. */
const shortestMs = 1e-3;

/** Shares of what a call costs: its arithmetic, its words of memory, its being there at all; in operations. */
const operationsPerWord = 4;
const operationsPerCall = 50_000;

/** Operations a millisecond that any device can be expected to do. */
const firstGuess = { software: 0.5e6, gpu: 20e6 };

/** What is known of a device's speed from all of its plans. */
export class DeviceSpeed {
  operationsPerMs: number;

  constructor(software: boolean) {
    this.operationsPerMs = software ? firstGuess.software : firstGuess.gpu;
  }
}

export class Pace {
  readonly #speed: DeviceSpeed;
  readonly #operations: Float64Array;
  /** Milliseconds of each call, where `#timed` is not 0. */
  readonly #ms: Float64Array;
  readonly #timed: Uint8Array;

  constructor(calls: readonly KernelCall[], speed: DeviceSpeed) {
    this.#speed = speed;
    this.#operations = Float64Array.from(calls, operationsOf);
    this.#ms = new Float64Array(calls.length);
    this.#timed = new Uint8Array(calls.length);
  }

  /** Expected. */
  ms(call: number): number {
    return this.#timed[call]! > 0 ? this.#ms[call]! : this.#operations[call]! / this.#speed.operationsPerMs;
  }

  /** Where the submit ends that begins at `from` of these calls; at least one call further. */
  end(calls: readonly number[], from: number): number {
    let filled = 0;
    for (let at = from; at < calls.length; at++) {
      const call = calls[at]!;
      filled += this.ms(call) * (this.#timed[call]! > 0 ? 1 : caution);
      if (filled > submitMs && at > from) return at;
    }
    return calls.length;
  }

  /** Dispatches that the call should be made in, for a desktop to get its turn in between; 1 until it was timed. */
  slices(call: number): number {
    const ms = this.#ms[call]!;
    return this.#timed[call]! >= timedAlone && ms > longestMs ? Math.ceil(ms / submitMs) : 1;
  }

  /** Whether all of it was timed often enough to be let into the queue without watching it. */
  isKnown(calls: readonly number[], from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.#timed[calls[at]!]! < timedAlone) return false;
    return true;
  }

  /** What was alone in the queue took so long. */
  timedAlone(calls: readonly number[], from: number, to: number, ms: number): void {
    let [expected, operations] = [0, 0];
    for (let at = from; at < to; at++) {
      expected += this.ms(calls[at]!);
      operations += this.#operations[calls[at]!]!;
    }
    for (let at = from; at < to; at++) {
      const call = calls[at]!;
      this.#ms[call] = Math.max(shortestMs, (this.ms(call) * ms) / expected);
      this.#timed[call] = Math.min(timedAlone, this.#timed[call]! + 1);
    }
    const measured = operations / Math.max(shortestMs, ms);
    this.#speed.operationsPerMs = Math.sqrt(this.#speed.operationsPerMs * measured);
  }

  /** A whole run of known calls took so long. A machine that slept meanwhile is believed half. */
  timedRun(calls: readonly number[], ms: number): void {
    let expected = 0;
    for (const call of calls) expected += this.ms(call);
    const factor = Math.min(2, Math.max(0.5, ms / expected));
    for (const call of calls) this.#ms[call] = Math.max(shortestMs, this.#ms[call]! * factor);
  }
}

function operationsOf({ flops, bindings }: KernelCall): number {
  const words = bindings.reduce((sum, { ref }) => sum + ref.words, 0);
  return flops + operationsPerWord * words + operationsPerCall;
}
