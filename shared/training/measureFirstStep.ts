/** The forward pass behind what is said before the first step. */
import { sigmoid } from '../loss/focal.ts';
import { addHistogram, emptyHistogram } from '../loss/histogramOps.ts';
import { encodeHistogram } from '../loss/histogramText.ts';
import { classHeadPrefix } from '../weights/model/classHead.ts';
import { buildBatch } from './batch.ts';
import type { TrainConfig } from './config.ts';
import { Feeder } from './feeder.ts';
import type { FirstStep } from './firstStep.ts';
import { ImageSource } from './imageSource.ts';
import type { Executor, TrainingData } from './ports.ts';

type FirstStepConfig = Pick<
  TrainConfig,
  'batch' | 'shuffle' | 'seed' | 'augment' | 'minSizePx' | 'maxSizePx' | 'alpha' | 'gamma'
>;

export interface FirstStepOptions {
  /** Look at so many images, or a batch where that is more. */
  readonly images?: number;
  /** After every batch; throws to end it. */
  onProgress?(done: number, total: number): void;
}

/**
 * The first images that a run with this config draws, through the executor as it stands: with the weights that the run would start
 * from. No weight changes.
 */
export async function measureFirstStep(
  executor: Pick<Executor, 'measure' | 'exportWeights'>,
  config: FirstStepConfig,
  data: Pick<TrainingData, 'classes' | 'train' | 'pixels'>,
  { images = 8, onProgress }: FirstStepOptions = {},
): Promise<FirstStep> {
  const { batch, minSizePx, maxSizePx, alpha, gamma } = config;
  const source = new ImageSource({ minSizePx, maxSizePx, pixels: data.pixels, onUnreadable: () => {} });
  const feeder = new Feeder(config, data.train, source);
  const classCount = data.classes.length;
  const histogram = emptyHistogram(classCount);
  const steps = Math.ceil(images / batch);
  const frame = { widthPx: 0, heightPx: 0 };
  let positives = 0;
  for (let step = 1; step <= steps; step++) {
    const drawn = buildBatch(await feeder.itemsOf(step));
    const measured = await executor.measure(drawn, { alpha, gamma, hardest: 0 });
    addHistogram(histogram, measured.histogram);
    positives += measured.positives;
    frame.widthPx = Math.max(frame.widthPx, drawn.paddedWidth);
    frame.heightPx = Math.max(frame.heightPx, drawn.paddedHeight);
    onProgress?.(step, steps);
  }
  const looked = steps * batch;
  const logits = histogram.counts.reduce((sum, count) => sum + count, 0);
  return {
    images: looked,
    ...frame,
    prior: await priorOf(executor),
    classes: [...data.classes],
    anchors: logits / classCount / looked,
    positives: positives / looked,
    histogram: encodeHistogram(histogram),
  };
}

/** What the last bias says, where it says the same to every anchor and class: a class head that came trained has many. */
async function priorOf(executor: Pick<Executor, 'exportWeights'>): Promise<number | null> {
  const weights = await executor.exportWeights();
  const bias = weights.find(({ name }) => name === `${classHeadPrefix}bias`)!.data;
  const first = bias[0]!;
  if (bias.some((value) => value !== first)) return null;
  return Number(sigmoid(first).toPrecision(6));
}
