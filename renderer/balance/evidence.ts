/** What concentration and hardness are drawn from: where logits lay, on what, and under which loss. */
import type { LogitHistogram, Side } from '../../shared/loss/histogram.ts';
import { type Slice, sliceOf } from '../../shared/loss/histogramOps.ts';
import type { LossSettings } from '../../shared/loss/strategy.ts';
import type { HardAnchorEvent } from '../../shared/training/events.ts';

export interface Evidence {
  readonly histogram: LogitHistogram;
  readonly classNames: readonly string[];
  /** Steps or images that were counted together. */
  readonly parts: number;
  readonly partName: 'step' | 'image';
  /** What was counted, for a chart's caption. */
  readonly caption: string;
  readonly hardest: readonly HardAnchorEvent[];
  /** What an anchor is hard by. */
  readonly loss: Pick<LossSettings, 'strategy' | 'gamma'>;
}

/** A class's name, or all of them together. */
export type ClassChoice = string | null;

export const backgroundSides = ['backgroundTrue', 'backgroundOther'] as const satisfies readonly Side[];

export function sliceOfClass(
  { histogram, classNames }: Pick<Evidence, 'histogram' | 'classNames'>,
  className: ClassChoice,
  sides: readonly Side[],
): Slice {
  const index = className === null ? -1 : classNames.indexOf(className);
  return sliceOf(histogram, index < 0 ? 'all' : [index], sides);
}

/** By which gamma a loss tells hard from easy; the strategies that choose anchors weigh what they chose by cross-entropy. */
export function curveGamma({ strategy, gamma }: Evidence['loss']): number {
  return strategy === 'focal' || strategy === 'focal-star' ? gamma : 0;
}

export function countOf(slice: Slice): number {
  return slice.counts.reduce((sum, count) => sum + count, 0);
}
