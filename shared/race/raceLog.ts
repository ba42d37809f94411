/** A competitor's log as one course, however often it was broken off: what came after the checkpoint it went on from is undone. */
import { Problem } from '../domain/problem.ts';
import { balanceUnder } from '../loss/counterfactual.ts';
import type { FocalSettings } from '../loss/focal.ts';
import type { LogitHistogram } from '../loss/histogram.ts';
import { addHistogram, emptyHistogram } from '../loss/histogramOps.ts';
import { decodeHistogram } from '../loss/histogramText.ts';
import type { TrainConfig } from '../training/config.ts';
import type { ClassBalanceEvent, EvaluationEvent, RunEvent, StatisticsEvent } from '../training/events.ts';
import type { RaceTrial } from './race.ts';

/** What a competitor leaves behind. */
export interface RaceLog {
  readonly label: string;
  readonly config: TrainConfig;
  readonly course: Course;
  /** How its learning rate was chosen; empty: it was given. */
  readonly trials: readonly RaceTrial[];
  /** Why it failed, by its run's record: who could not even begin has no log to say so. */
  readonly problem?: string | null;
}

/** What of a log a race looks at. */
export interface Course {
  /** The last one: who trained it, on what. Null: it has not begun. */
  readonly start: Extract<RunEvent, { event: 'start' }> | null;
  readonly steps: readonly CourseStep[];
  readonly snapshots: readonly CourseSnapshot[];
  /** Training's own, on validation images. */
  readonly evaluations: readonly EvaluationEvent[];
  /** Steps from which something was changed by hand, outside of the race. */
  readonly changedAt: readonly number[];
  /** The run's last word; null while it has none. */
  readonly end: Extract<RunEvent, { event: 'done' | 'failed' }> | null;
}

/** A step summed over the classes. */
export interface CourseStep extends Losses {
  readonly step: number;
  readonly stepMs: number;
}

export type CourseSnapshot = Pick<StatisticsEvent, 'step' | 'histogram'>;

/** As it stood after a step. */
export function courseUntil(course: Course, step: number): Course {
  const isPast = (each: { step: number }) => each.step <= step;
  return {
    ...course,
    steps: course.steps.filter(isPast),
    snapshots: course.snapshots.filter(isPast),
    evaluations: course.evaluations.filter(isPast),
  };
}

export function courseOf(events: Iterable<RunEvent>): Course {
  const recorder = new CourseRecorder();
  for (const event of events) recorder.add(event);
  return recorder.course();
}

/** Takes events as they come, and keeps of each step a few numbers: a log of many classes and steps need not fit into memory. */
export class CourseRecorder {
  #start: Course['start'] = null;
  #end: Course['end'] = null;
  #steps: CourseStep[] = [];
  #snapshots: CourseSnapshot[] = [];
  #evaluations: EvaluationEvent[] = [];
  #changedAt: number[] = [];

  add(event: RunEvent): void {
    switch (event.event) {
      case 'start':
        this.#goOn(event);
        break;
      case 'step':
        this.#steps.push({ step: event.step, stepMs: event.stepMs, ...sumOf(event.balance) });
        break;
      case 'statistics':
        this.#snapshots.push({ step: event.step, histogram: event.histogram });
        break;
      case 'evaluation':
        if (!event.onDemand) this.#evaluations.push(event);
        break;
      case 'control':
        this.#changedAt.push(event.step);
        break;
      case 'done':
      case 'failed':
        this.#end = event;
    }
  }

  /** As it stands now. */
  course(): Course {
    return {
      start: this.#start,
      end: this.#end,
      steps: [...this.#steps],
      snapshots: [...this.#snapshots],
      evaluations: [...this.#evaluations],
      changedAt: [...this.#changedAt],
    };
  }

  #goOn(start: NonNullable<Course['start']>): void {
    const isLeft = ({ step }: { step: number }) => step <= start.fromStep;
    this.#start = start;
    this.#end = null;
    this.#steps = this.#steps.filter(isLeft);
    this.#snapshots = this.#snapshots.filter(isLeft);
    this.#evaluations = this.#evaluations.filter(isLeft);
    this.#changedAt = this.#changedAt.filter((step) => step <= start.fromStep);
  }
}

/** Whose loss it is, over all classes. */
export interface Shares {
  readonly foreground: number;
  readonly background: number;
  /** Background's part of both, 0..1; null where there is no loss. */
  readonly backgroundShare: number | null;
  /** The same of |dL/dlogit|: whose mistakes move the weights. Null where the log does not say. */
  readonly gradientShare: number | null;
}

/** Means over the steps, in the strategy's own units. Null where there is no step. */
export function ownShares(steps: readonly CourseStep[]): Shares | null {
  return steps.length > 0 ? sharesOf(steps, steps.length) : null;
}

/** What the same logits would cost under one measure for all, for each object's anchor. Null where there are none. */
export function sharesUnder(histogram: LogitHistogram, settings: FocalSettings): Shares | null {
  if (histogram.counts.every((count) => count === 0)) return null;
  const balance = balanceUnder(histogram, settings, { scale: 1, steps: 1 });
  const positives = balance.reduce((sum, each) => sum + each.positives, 0);
  return sharesOf([sumOf(balance)], Math.max(1, positives));
}

/** Losses and sums of |dL/dlogit|; NaN where the log does not say. */
interface Losses {
  readonly foreground: number;
  readonly background: number;
  readonly foregroundGradient: number;
  readonly backgroundGradient: number;
}

function sumOf(balance: readonly Omit<ClassBalanceEvent, 'class'>[]): Losses {
  const sum = (of: (each: Omit<ClassBalanceEvent, 'class'>) => number | undefined) =>
    balance.reduce((total, each) => total + (of(each) ?? Number.NaN), 0);
  return {
    foreground: sum((each) => each.foreground),
    background: sum((each) => each.background),
    foregroundGradient: sum((each) => each.foregroundGradient),
    backgroundGradient:
      sum((each) => each.backgroundTrueGradient) + sum((each) => each.backgroundOtherGradient),
  };
}

function sharesOf(losses: readonly Losses[], divisor: number): Shares {
  const total = (name: keyof Losses) => losses.reduce((sum, each) => sum + each[name], 0);
  return {
    foreground: total('foreground') / divisor,
    background: total('background') / divisor,
    backgroundShare: partOf(total('background'), total('foreground')),
    gradientShare: partOf(total('backgroundGradient'), total('foregroundGradient')),
  };
}

/** Null where they sum up to nothing, or one of them is not known. */
function partOf(value: number, rest: number): number | null {
  return value + rest > 0 ? value / (value + rest) : null;
}

/** The snapshots in one; what cannot be read is passed over. Null where none can. */
export function mergedHistogram(snapshots: readonly CourseSnapshot[]): LogitHistogram | null {
  let merged: LogitHistogram | null = null;
  for (const { histogram } of snapshots) {
    const decoded = readHistogram(histogram);
    if (!decoded) continue;
    merged ??= emptyHistogram(decoded.foregroundClassCount);
    if (merged.foregroundClassCount === decoded.foregroundClassCount) addHistogram(merged, decoded);
  }
  return merged;
}

function readHistogram(text: string): LogitHistogram | null {
  try {
    return decodeHistogram(text);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}
