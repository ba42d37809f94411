/** Curves from a run's points: pure. */

import type { EvaluationEvent } from '../../shared/training/events.ts';
import type { HistoryPoint } from '../store/runHistory.ts';

/**
 * Exponential moving average with its start put right (as Adam does): the first value is itself, not pulled towards zero.
 * `factor` 0..1: how much of the average each step keeps.
 */
export function smoothSeries(values: readonly number[], factor: number): number[] {
  let average = 0;
  let weight = 0;
  return values.map((value) => {
    average = factor * average + (1 - factor) * value;
    weight = factor * weight + (1 - factor);
    return average / weight;
  });
}

/** Columns for uPlot: steps, classification, box, AP50 where it was measured. */
export type LossColumns = [steps: number[], classification: number[], box: number[], AP50: (number | null)[]];

export interface LossColumnOptions {
  readonly smooth: boolean;
  /** A logarithmic axis knows no zero: smaller values are drawn at this one. */
  readonly floor: number;
}

const smoothingFactor = 0.9;

export function lossColumns(
  points: readonly HistoryPoint[],
  evaluations: readonly EvaluationEvent[],
  { smooth, floor }: LossColumnOptions,
): LossColumns {
  const curve = (values: number[]) => (smooth ? smoothSeries(values, smoothingFactor) : values);
  const atLeast = (value: number) => Math.max(floor, value);
  const classification = curve(points.map((point) => point.classification)).map(atLeast);
  const box = curve(points.map((point) => point.box)).map(atLeast);
  const measured = nearestPoints(points, evaluations);
  return [points.map(({ step }) => step), classification, box, measured];
}

/** An evaluation stands at the point that holds its step: points may stand for several steps. */
function nearestPoints(
  points: readonly HistoryPoint[],
  evaluations: readonly EvaluationEvent[],
): (number | null)[] {
  const column: (number | null)[] = points.map(() => null);
  for (const { step, AP50 } of evaluations) {
    const index = points.findIndex((point) => point.step >= step);
    if (index >= 0 && AP50 !== null && AP50 >= 0) column[index] = AP50;
  }
  return column;
}
