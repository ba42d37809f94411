/**
 * The answers to imbalance that a run can train with, as data: which function each logit's loss is, which anchors count, and
 * what the sum is divided by. Everything else of a run stays as it is whichever is chosen.
 */
export const strategyNames = [
  'focal',
  'ce',
  'balanced-ce',
  'focal-star',
  'ohem',
  'ohem-1-3',
  'ssd',
  'sampled',
  'sampled-rpn',
  'top-scored',
] as const;
export type StrategyName = (typeof strategyNames)[number];

/** What decides the classification loss of a step. Each strategy reads only the numbers that are its own. */
export interface LossSettings {
  readonly strategy: StrategyName;
  /** focal, balanced-ce, focal-star: weight of foreground; background has 1 - alpha. Below 0: no weighting. */
  readonly alpha: number;
  /** focal, focal-star */
  readonly gamma: number;
  /** focal-star: the shift of `p_t* = sigmoid(gamma x_t + beta)`. */
  readonly beta: number;
  /** ohem, ohem-1-3: B, how many anchors of an image are kept. */
  readonly hardCount: number;
  /** ohem, ohem-1-3: IoU above which an anchor of less loss is suppressed by one of more. */
  readonly hardNms: number;
}

/** How a strategy chooses the anchors that count: none are left out, drawn at random, or looked at first (a pass more). */
export type SelectionKind = 'all' | 'random' | 'by-score';
