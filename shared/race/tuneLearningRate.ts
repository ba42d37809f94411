/**
 * A learning rate for each strategy, by short runs that nobody keeps: the same rate for all is unfair to strategies whose loss is a
 * mean over few anchors, or over many.
 */
import type { TrainConfig } from '../training/config.ts';
import type { RunEvent } from '../training/events.ts';
import type { RunFiles } from '../training/ports.ts';
import type { RaceTrial } from './race.ts';

/** What the given rate is multiplied by. */
export const trialFactors = [1 / 3, 1, 3] as const;

/** A trial's loss is the mean of its last steps, so many or all. */
const lossSteps = 10;
/** AP50s that differ by less are equal: a hundredth of a percent of a few images is chance. */
const AP50Digits = 3;

export interface TuneOptions {
  readonly config: TrainConfig;
  /** Of each trial. */
  readonly steps: number;
  /** Trains with this config to its end, or to where it fails, with `forgottenFiles`; resolves to its events. */
  run(config: TrainConfig): Promise<readonly RunEvent[]>;
  onTrial?(trial: RaceTrial): void;
  /** True: no further trial. */
  readonly shouldStop?: () => boolean;
}

export interface Tuned {
  readonly learningRate: number;
  readonly trials: RaceTrial[];
}

/** Null where it was told to stop before the last trial. */
export async function tuneLearningRate({
  config,
  steps,
  run,
  onTrial,
  shouldStop,
}: TuneOptions): Promise<Tuned | null> {
  const trials: RaceTrial[] = [];
  for (const factor of trialFactors) {
    if (shouldStop?.()) return null;
    const learningRate = roundedRate(config.learningRate * factor);
    const events = await run(trialConfig(config, learningRate, steps));
    if (shouldStop?.()) return null;
    const trial = measureTrial(events, learningRate, steps);
    trials.push(trial);
    onTrial?.(trial);
  }
  return { learningRate: chooseTrial(trials, config.learningRate).learningRate, trials };
}

/** The run's own schedule in little: as much of it is warm-up, and it ends as low. */
export function trialConfig(config: TrainConfig, learningRate: number, steps: number): TrainConfig {
  const warmupSteps = Math.round((config.warmupSteps * steps) / config.steps);
  // A checkpoint is saved at the end alone, an evaluation made there alone.
  const end = { evaluateEvery: 0, checkpointEvery: steps, statisticsEvery: 0 };
  return { ...config, ...end, learningRate, steps, warmupSteps: Math.min(warmupSteps, steps) };
}

/** Best AP50 first; among equals the smallest loss. Where none stayed finite: the rate that was given. */
export function chooseTrial(trials: readonly RaceTrial[], given: number): Pick<RaceTrial, 'learningRate'> {
  const finite = trials.filter(({ loss }) => loss !== null);
  const rank = ({ AP50 }: RaceTrial) => Number((AP50 ?? 0).toFixed(AP50Digits));
  const [best] = [...finite].sort((a, b) => rank(b) - rank(a) || a.loss! - b.loss!);
  return best ?? { learningRate: given };
}

function measureTrial(events: readonly RunEvent[], learningRate: number, steps: number): RaceTrial {
  const losses = events.flatMap((event) => (event.event === 'step' ? event.loss : [])).slice(-lossSteps);
  const failed = losses.length === 0 || events.some(({ event }) => event === 'failed');
  const evaluation = events.findLast(({ event }) => event === 'evaluation');
  return {
    learningRate,
    steps,
    AP50: evaluation?.event === 'evaluation' ? evaluation.AP50 : null,
    loss: failed ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
  };
}

/** Files of a run that is not kept. */
export const forgottenFiles: RunFiles = {
  append: async () => {},
  saveCheckpoint: async () => '',
};

/** Three digits are as much as a third of a guess deserves; more than 10 no run takes. */
function roundedRate(rate: number): number {
  return Math.min(Number(rate.toPrecision(3)), 10);
}
