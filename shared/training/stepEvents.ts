/** What a step is asked for, and what the log keeps of its answer. */
import type { ClassBalance } from '../loss/balance.ts';
import type { Snapshot } from '../loss/executor.ts';
import { encodeHistogram } from '../loss/histogramText.ts';
import type { TrainConfig } from './config.ts';
import type { StatisticsEvent, StepEvent } from './events.ts';
import type { StepReport, StepSettings } from './ports.ts';
import { learningRateAt } from './schedule.ts';

/** With more classes than this a snapshot is as many times longer, and comes as many times less often. */
const classesPerInterval = 16;

/** Steps between two snapshots; 0: there are none. */
export function snapshotInterval(config: Pick<TrainConfig, 'statisticsEvery'>, classCount: number): number {
  return config.statisticsEvery * Math.max(1, Math.ceil(classCount / classesPerInterval));
}

/**
 * Whether a step's logits are counted: the last `statisticsEvery` before every snapshot, and the last of the run. That is every step
 * where there are few classes; with many, counting them all would cost a step more than it tells.
 */
function isCounted(step: number, interval: number, config: TrainConfig): boolean {
  const left = Math.min((interval - (step % interval)) % interval, config.steps - step);
  return left < config.statisticsEvery;
}

/** `config`: as it holds at this step. */
export function settingsAt(step: number, config: TrainConfig, classCount: number): StepSettings {
  const { momentum, weightDecay, decay, clipNorm, normalizer, microBatch } = config;
  const { alpha, gamma, beta, hardCount, hardNms } = config;
  const interval = snapshotInterval(config, classCount);
  return {
    ...{ momentum, weightDecay, decay, clipNorm, normalizer, microBatch },
    ...{ alpha, gamma, beta, hardCount, hardNms },
    learningRate: learningRateAt(step, config),
    strategy: config.loss,
    draw: { seed: config.seed, step },
    statistics: interval > 0 && isCounted(step, interval, config) ? 'all' : 'balance',
    snapshot: interval > 0 && step % interval === 0,
  };
}

interface StepFacts {
  readonly step: number;
  readonly lr: number;
  readonly stepMs: number;
  readonly classes: readonly string[];
}

export function stepEvent(report: StepReport, { step, lr, stepMs, classes }: StepFacts): StepEvent {
  const { classification, box, positives, selectedAnchors } = report;
  return {
    event: 'step',
    step,
    loss: short(classification + box),
    classification: short(classification),
    box: short(box),
    lr,
    positives,
    balance: report.balance.map((entry) => balanceEvent(entry, classes)),
    stepMs: short(stepMs),
    ...(selectedAnchors !== undefined && { selectedAnchors }),
  };
}

function balanceEvent(
  { classIndex, ...sums }: ClassBalance,
  classes: readonly string[],
): StepEvent['balance'][number] {
  const shortened = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, short(sum)]));
  return { class: classes[classIndex]!, ...(shortened as typeof sums) };
}

/** `step`: the last one that was counted. */
export function statisticsEvent(
  { steps, scale, histogram, hardest }: Snapshot,
  step: number,
  classes: readonly string[],
): StatisticsEvent {
  return {
    event: 'statistics',
    step,
    steps,
    scale: short(scale),
    histogram: encodeHistogram(histogram),
    hardest: hardest.map(({ imageId, boxPx, classIndex, side, probability, loss }) => ({
      imageId,
      boxPx: boxPx.map(short) as [number, number, number, number],
      class: classes[classIndex]!,
      side,
      probability: short(probability),
      loss: short(loss),
    })),
  };
}

/** Seven digits, as many as a float32 sum is good for: eighty classes make long lines. Counts stay whole. */
function short(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(7));
}
