/** The queue: what was submitted and is not done yet, and how long it took. */
import { answerOf, type DeviceWatch } from '../../reference/deviceWatch.ts';
import type { Counters } from './counters.ts';

/** Submits that may wait in the queue: enough to keep a device busy, few enough to stop soon. */
const queueDepth = 8;

export class Submits {
  readonly #device: GPUDevice;
  readonly #watch: DeviceWatch;
  readonly #clock: () => number;
  readonly #counters: Counters;
  readonly #underWay: Promise<void>[] = [];
  /** Goes on when a submit is done or the device lost: a race against the loss would grow with every wait, for as long as the device lives. */
  #wake = () => {};
  #isLost = false;
  #lastDone = Number.NEGATIVE_INFINITY;

  constructor(device: GPUDevice, watch: DeviceWatch, clock: () => number, counters: Counters) {
    this.#device = device;
    this.#watch = watch;
    this.#clock = clock;
    this.#counters = counters;
    void device.lost.then(() => {
      this.#isLost = true;
      this.#wake();
    });
  }

  get isFull(): boolean {
    return this.#underWay.length >= queueDepth;
  }

  get isEmpty(): boolean {
    return this.#underWay.length === 0;
  }

  /**
   * When there is room for one more; or for nothing but that one. One waits at a time.
   * @throws Problem `device-lost`
   */
  async room(alone: boolean): Promise<void> {
    while (alone ? !this.isEmpty : this.isFull) {
      const next = new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#isLost) resolve();
      });
      await answerOf(next, this.#watch);
    }
  }

  /** `done` is told when the device has finished it, and when it began with it. */
  submit(encoder: GPUCommandEncoder, done: (beganMs: number, endedMs: number) => void): void {
    this.#device.queue.submit([encoder.finish()]);
    this.#counters.submits++;
    const submitted = this.#clock();
    const finished = this.#device.queue.onSubmittedWorkDone().then(
      () => {
        const now = this.#clock();
        done(Math.max(submitted, this.#lastDone), now);
        this.#lastDone = now;
      },
      () => {}, // the device is lost, which its watch tells
    );
    this.#underWay.push(finished);
    void finished.then(() => {
      this.#underWay.splice(this.#underWay.indexOf(finished), 1);
      this.#wake();
    });
  }
}
