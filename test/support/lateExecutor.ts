/** Takes several steps at once and answers them late, in order, as a device does; whoever asks for more of it meanwhile is told off. */
import type { Batch, StepReport, StepSettings } from '../../shared/training/ports.ts';
import { CellExecutor } from '../learning/cellExecutor.ts';
import { classes } from './cellRun.ts';

export class LateExecutor extends CellExecutor {
  override readonly stepsUnderWay: number;
  readonly told: StepSettings[] = [];
  underWay = 0;
  mostUnderWay = 0;
  #last: Promise<unknown> = Promise.resolve();
  readonly #beforeAnswer: (step: number) => void | Promise<void>;

  /** `beforeAnswer`: as each step's turn comes; what it throws is the step's failure. */
  constructor(stepsUnderWay: number, beforeAnswer: (step: number) => void | Promise<void> = () => {}) {
    super(classes.length);
    this.stepsUnderWay = stepsUnderWay;
    this.#beforeAnswer = beforeAnswer;
  }

  override step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    this.told.push(settings);
    this.underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    const turn = this.#last.then(async () => {
      // Now at once, now a while later than the host looks.
      for (let ticks = (settings.draw!.step * 7) % 4; ticks > 0; ticks--) await nextTick();
      await this.#beforeAnswer(settings.draw!.step);
      return super.step(batch, settings);
    });
    const answer = turn.finally(() => this.underWay--);
    this.#last = answer.catch(() => {});
    return answer;
  }

  override async detect(...given: Parameters<CellExecutor['detect']>) {
    this.#requireRest();
    return super.detect(...given);
  }

  override async exportWeights() {
    this.#requireRest();
    return super.exportWeights();
  }

  override async exportState() {
    this.#requireRest();
    return super.exportState();
  }

  override async lastSnapshot() {
    this.#requireRest();
    return super.lastSnapshot();
  }

  #requireRest(): void {
    if (this.underWay > 0) throw new Error(`asked while ${this.underWay} steps are under way`);
  }
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
