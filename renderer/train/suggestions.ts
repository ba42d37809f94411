/** Settings that suit where the weights start; a person's own choice stays. */
import type { TrainConfig } from '../../shared/training/config.ts';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { WeightsDescription } from '../../shared/weights/description.ts';

export type Suggestion = Pick<TrainConfig, 'learningRate' | 'warmupSteps'>;

const { learningRate, warmupSteps } = defaultTrainConfig;
export const fromNothing: Suggestion = { learningRate, warmupSteps };

/**
 * Published detectors learnt with 0.01 at 16 images a step; by the linear rule (Goyal et al. 2017, arXiv 1706.02677) that is 0.00125
 * at our 2, and a fine-tuning is short: twice that. Fixed norms do not make up for a step too far, so the warm-up is longer too.
 */
const fixedNorms: Suggestion = { learningRate: 0.0025, warmupSteps: 100 };

export function suggestionFor(description: Pick<WeightsDescription, 'network'> | null): Suggestion {
  return description && description.network.backboneNorm !== 'group' ? fixedNorms : fromNothing;
}

/** What to change in a draft that stood as `from` suggested. */
export function followSuggestion(draft: TrainConfig, from: Suggestion, to: Suggestion): Partial<TrainConfig> {
  return {
    ...(draft.learningRate === from.learningRate && { learningRate: to.learningRate }),
    ...(draft.warmupSteps === from.warmupSteps && { warmupSteps: to.warmupSteps }),
  };
}
