/** Curves from a run's points: pure. */

import type { EvaluationEvent } from '../../shared/training/events.ts';
import { type Course, courseColumn } from '../store/runHistoryCourse.ts';

/**
 * Exponential moving average with its start put right (as Adam does): the first value is itself, not pulled towards zero.
 * `factor` 0..1: how much of the average each step keeps.
 */
export function smoothSeries(values: ArrayLike<number>, factor: number): number[] {
  let average = 0;
  let weight = 0;
  return Array.from(values, (value) => {
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
  course: Course,
  evaluations: readonly EvaluationEvent[],
  { smooth, floor }: LossColumnOptions,
): LossColumns {
  const curve = (field: 'classification' | 'box') =>
    smoothSeries(courseColumn(course, field), smooth ? smoothingFactor : 0).map((value) =>
      Math.max(floor, value),
    );
  const steps = Array.from(courseColumn(course, 'step'));
  return [steps, curve('classification'), curve('box'), nearestPoints(steps, evaluations)];
}

/** An evaluation stands at the point that holds its step: points may stand for several steps. */
function nearestPoints(steps: readonly number[], evaluations: readonly EvaluationEvent[]): (number | null)[] {
  const column: (number | null)[] = steps.map(() => null);
  for (const { step, AP50 } of evaluations) {
    const index = steps.findIndex((end) => end >= step);
    if (index >= 0 && AP50 !== null && AP50 >= 0) column[index] = AP50;
  }
  return column;
}
