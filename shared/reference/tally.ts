/** Who caused a batch's loss and where its logits lie: by our kernels on WebGPU, by the plain reference elsewhere. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend,
  dispose,
  engine,
  fill,
  getBackend,
  keep,
  reshape,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { ClassBalance } from '../loss/balance.ts';
import type { Batch } from '../loss/executor.ts';
import { sigmoid } from '../loss/focal.ts';
import type { LogitHistogram, sides } from '../loss/histogram.ts';
import { addHistogram, emptyHistogram } from '../loss/histogramOps.ts';
import { histogramWords, readHistogram } from '../loss/histogramWords.ts';
import { balanceOfSums, computeStatistics, type HardLogit, hardestAnchors } from '../loss/statistics.ts';
import type { LossSettings } from '../loss/strategy.ts';
import type { BatchTargets } from '../loss/targets.ts';
import { formLoss, type TermForm, termForm } from '../loss/term.ts';
import { readTensor } from './backend.ts';
import type { DeviceWatch } from './deviceWatch.ts';
import { countLogits, readHeaviest, readSums, sumLosses } from './kernels/statistics.ts';

/** What a batch's statistics are made of; `targets` with the weights that the step multiplies its terms with. */
export interface TalliedBatch {
  readonly batch: Batch;
  readonly targets: BatchTargets;
  readonly loss: LossSettings;
}

/** Statistics under way: `figures` are to be read with whatever else is read of the step, and `finish` makes of them what they mean. */
export interface Tally {
  /** `[n]` */
  readonly figures: Tensor;
  finish(figures: Float32Array): Tallied;
}

export interface Tallied {
  readonly balance: ClassBalance[];
  /** Candidates for the logits of most loss, the most costly of all among them, in any order; worked out when asked for. */
  hardest(): HardLogit[];
}

/** Counts logits over any number of batches. */
export interface LogitCounter {
  /** `counted`: the batch's logits go into the histogram. */
  tally(logits: Tensor2D, of: TalliedBatch, counted: boolean): Tally;
  /** What has been counted since the last time; reading begins at once, and with it a new histogram. */
  take(): Promise<LogitHistogram>;
  dispose(): void;
}

export function logitCounter(classCount: number, watch: DeviceWatch | undefined): LogitCounter {
  return getBackend() === 'webgpu' ? new GpuCounter(classCount, watch) : new PlainCounter(classCount);
}

class GpuCounter implements LogitCounter {
  readonly #classCount: number;
  readonly #watch: DeviceWatch | undefined;
  #words: Tensor | null = null;

  constructor(classCount: number, watch: DeviceWatch | undefined) {
    this.#classCount = classCount;
    this.#watch = watch;
  }

  tally(logits: Tensor2D, { targets, loss }: TalliedBatch, counted: boolean): Tally {
    const form = termForm(loss);
    return {
      figures: tidy(() => this.#encode(logits, targets, form, counted)),
      finish: (figures) => ({
        balance: balanceOfSums(readSums(figures, this.#classCount), targets),
        hardest: () =>
          readHeaviest(figures, this.#classCount).map(({ row, classIndex, logit }) => {
            const side = sideOf(targets.classes[row]!, classIndex, this.#classCount);
            return {
              image: Math.floor(row / targets.anchorsPerImage),
              anchor: row % targets.anchorsPerImage,
              classIndex,
              side,
              probability: sigmoid(logit),
              loss: formLoss(logit, side === 'foreground', form),
            };
          }),
      }),
    };
  }

  #encode(logits: Tensor2D, targets: BatchTargets, form: TermForm, counted: boolean): Tensor {
    const gpu = backend() as WebGPUBackend;
    const rows = { logits, classes: tensor1d(targets.classes, 'int32') };
    if (counted) {
      this.#words ??= keep(fill([histogramWords(this.#classCount)], 0, 'int32'));
      countLogits(gpu, rows, this.#words);
    }
    const sums = sumLosses(gpu, rows, tensor1d(targets.classWeights), form);
    return reshape(engine().makeTensorFromTensorInfo(sums), [-1]);
  }

  async take(): Promise<LogitHistogram> {
    const words = this.#words;
    // A tensor is read once: tfjs keeps what it read and would answer with that for ever. The next histogram is another one.
    this.#words = null;
    if (!words) return emptyHistogram(this.#classCount);
    try {
      return readHistogram(await readTensor<Int32Array>(words, this.#watch), this.#classCount);
    } finally {
      dispose(words);
    }
  }

  dispose(): void {
    if (this.#words) dispose(this.#words);
    this.#words = null;
  }
}

function sideOf(ownClass: number, classIndex: number, classCount: number): (typeof sides)[number] {
  if (ownClass === classIndex) return 'foreground';
  return ownClass === classCount ? 'backgroundTrue' : 'backgroundOther';
}

/** Heaviest logits to choose from, many of which show the same thing. */
const candidateCount = 1000;

/** Reads the logits with the step's figures and goes through them one by one. */
class PlainCounter implements LogitCounter {
  readonly #classCount: number;
  #histogram: LogitHistogram;

  constructor(classCount: number) {
    this.#classCount = classCount;
    this.#histogram = emptyHistogram(classCount);
  }

  tally(logits: Tensor2D, { batch, targets, loss }: TalliedBatch, counted: boolean): Tally {
    const classCount = this.#classCount;
    const count = targets.anchorsPerImage;
    return {
      figures: reshape(logits, [-1]),
      finish: (figures) => {
        const images = batch.targets.map(({ classIndices }, image) => ({
          logits: figures.subarray(image * count * classCount, (image + 1) * count * classCount),
          weights: targets.classWeights.subarray(image * count, (image + 1) * count),
          matches: targets.matches[image]!,
          classIndices,
        }));
        const { balance, histogram } = computeStatistics(images, classCount, loss);
        if (counted) addHistogram(this.#histogram, histogram);
        const enough = { count: candidateCount, anchorsPerPlace: 1 };
        return { balance, hardest: () => hardestAnchors(images, classCount, termForm(loss), enough) };
      },
    };
  }

  async take(): Promise<LogitHistogram> {
    const histogram = this.#histogram;
    this.#histogram = emptyHistogram(this.#classCount);
    return histogram;
  }

  dispose(): void {}
}
