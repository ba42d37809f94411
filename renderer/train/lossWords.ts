/** The strategies and their numbers, as the forms offer them. */
import { type LossNumbers, strategies } from '../../shared/loss/strategies.ts';
import { type SelectionKind, type StrategyName, strategyNames } from '../../shared/loss/strategy.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { NumberSpec } from './NumberField.tsx';

const selectionTitles: Readonly<Record<SelectionKind, string>> = {
  all: 'Every anchor counts',
  'by-score': 'Only the hardest count',
  random: 'Drawn by lot',
};

/** For a select: the strategies in groups, by how they choose the anchors that count. */
export const strategyGroups = (Object.keys(selectionTitles) as SelectionKind[]).map((selection) => ({
  group: selectionTitles[selection],
  items: strategyNames
    .filter((name) => strategies[name].selection === selection)
    .map((name) => ({ value: name, label: strategies[name].label })),
}));

export const numberSpecs: Readonly<Record<keyof LossNumbers, NumberSpec>> = {
  gamma: {
    label: 'Gamma γ',
    help: 'How strongly answers that are already right are played down. 0 is plain cross-entropy, the paper takes 2.',
    min: 0,
    max: 10,
    step: 0.5,
    decimals: 3,
  },
  alpha: {
    label: 'Alpha α',
    help: 'Weight of the objects’ side; background weighs 1 − α. Negative: no weighting.',
    min: -1,
    max: 1,
    step: 0.05,
    decimals: 3,
  },
  beta: {
    label: 'Beta β',
    help: 'Where the curve is steep: with more, only answers that are clearly wrong still cost something.',
    min: -20,
    max: 20,
    step: 0.5,
    decimals: 3,
  },
  hardCount: {
    label: 'Anchors kept',
    help: 'B of the formula: how many anchors of each image count, those with the most loss.',
    min: 1,
    max: 100_000,
    step: 64,
  },
  hardNms: {
    label: 'Overlap limit',
    help: 'Of two anchors that overlap by more than this (IoU), only the one with more loss is kept. 1: both.',
    min: 0.01,
    max: 1,
    step: 0.1,
    decimals: 2,
  },
};

/** The prior that every class starts with where it is not set low: a coin’s toss. */
export const noPrior = 0.5;

/** What choosing a strategy sets: the numbers that it reads, as its source has them. */
export function choiceOf(loss: StrategyName): Pick<TrainConfig, 'loss'> & Partial<LossNumbers> {
  return { loss, ...strategies[loss].defaults };
}

/** What is wrong with a loss although each of its numbers is in its bounds; null where nothing is. */
export function lossProblem({ loss, gamma }: Pick<TrainConfig, 'loss' | 'gamma'>): string | null {
  return loss === 'focal-star' && gamma <= 0
    ? 'Focal loss* divides by gamma: choose one above 0, or cross-entropy.'
    : null;
}
