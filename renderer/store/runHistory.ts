/**
 * A run as the screens draw it, folded from its events: the same fold serves a run that is under way and one that is read
 * back from its file. Long runs keep at most `maxPoints` points: neighbours are merged into their mean, so a chart of a
 * million steps costs what a chart of a thousand does.
 */
import type {
  ClassBalanceEvent,
  EvaluationEvent,
  RunEvent,
  StepEvent,
} from '../../shared/training/events.ts';

/** The mean of one or more consecutive steps. */
export interface HistoryPoint {
  /** The last step in it. */
  readonly step: number;
  /** How many steps it is the mean of. */
  readonly stepCount: number;
  readonly classification: number;
  readonly box: number;
  readonly positives: number;
  readonly balance: readonly ClassBalanceEvent[];
}

export type StartEvent = Extract<RunEvent, { event: 'start' }>;
export type FailedEvent = Extract<RunEvent, { event: 'failed' }>;
export type DoneEvent = Extract<RunEvent, { event: 'done' }>;
export type WarningEvent = Extract<RunEvent, { event: 'warning' }>;

export interface RunHistory {
  readonly start: StartEvent | null;
  /** The newest step seen, 0 before the first. */
  readonly step: number;
  readonly points: readonly HistoryPoint[];
  /** Steps a full point stands for: 1, then 2, 4, ... */
  readonly stride: number;
  /** The last steps as they came, newest last: what is smoothed over, and what throughput is measured on. */
  readonly recent: readonly StepEvent[];
  readonly evaluations: readonly EvaluationEvent[];
  readonly checkpointStep: number | null;
  readonly warnings: readonly WarningEvent[];
  readonly failure: FailedEvent | null;
  readonly done: DoneEvent | null;
  /** Steps after which the run went on from a checkpoint: a new session, or a lost device. */
  readonly resumedAt: readonly number[];
}

export const maxPoints = 1024;
/** Steps that the balance and the throughput are averaged over. */
export const smoothingSteps = 20;

export const emptyHistory: RunHistory = {
  start: null,
  step: 0,
  points: [],
  stride: 1,
  recent: [],
  evaluations: [],
  checkpointStep: null,
  warnings: [],
  failure: null,
  done: null,
  resumedAt: [],
};

/** The history with the events added in their order. */
export function recordEvents(history: RunHistory, events: readonly RunEvent[]): RunHistory {
  if (events.length === 0) return history;
  const next = { ...history, points: [...history.points] };
  for (const event of events) record(next, event);
  return next;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<Omit<RunHistory, 'points'>> & { points: HistoryPoint[] };

function record(draft: Draft, event: RunEvent): void {
  switch (event.event) {
    case 'start':
      rewindTo(draft, event);
      return;
    case 'step':
      addStep(draft, event);
      return;
    case 'evaluation':
      // What a person asked for later belongs to no place in the run's course.
      if (event.onDemand) return;
      draft.evaluations = [...draft.evaluations.filter(({ step }) => step !== event.step), event];
      return;
    case 'checkpoint':
      draft.checkpointStep = event.step;
      return;
    case 'warning':
      draft.warnings = [...draft.warnings, event];
      return;
    case 'failed':
      draft.failure = event;
      return;
    case 'done':
      draft.done = event;
      return;
    case 'statistics':
    case 'control':
    case 'paused':
    case 'resumed':
      return;
    default:
      event satisfies never;
  }
}

/** A start after steps means the run went on from a checkpoint: what came after the checkpoint is done again. */
function rewindTo(draft: Draft, start: StartEvent): void {
  // A run that goes on still began where it began.
  const origin = start.origin ?? draft.start?.origin;
  draft.start = { ...start, ...(origin && { origin }) };
  draft.failure = null;
  draft.done = null;
  if (start.fromStep > 0) draft.resumedAt = [...draft.resumedAt, start.fromStep];
  draft.points = draft.points.filter(({ step }) => step <= start.fromStep);
  draft.recent = draft.recent.filter(({ step }) => step <= start.fromStep);
  draft.evaluations = draft.evaluations.filter(({ step }) => step <= start.fromStep);
  draft.step = start.fromStep;
}

function addStep(draft: Draft, event: StepEvent): void {
  draft.step = event.step;
  draft.recent = [...draft.recent.slice(-(smoothingSteps - 1)), event];
  const point: HistoryPoint = {
    step: event.step,
    stepCount: 1,
    classification: event.classification,
    box: event.box,
    positives: event.positives,
    balance: event.balance,
  };
  const last = draft.points.at(-1);
  if (last && last.stepCount < draft.stride) {
    draft.points[draft.points.length - 1] = mergePoints(last, point);
    return;
  }
  draft.points.push(point);
  if (draft.points.length > maxPoints) {
    draft.points = mergePairs(draft.points);
    draft.stride *= 2;
  }
}

function mergePairs(points: readonly HistoryPoint[]): HistoryPoint[] {
  const merged: HistoryPoint[] = [];
  for (let index = 0; index < points.length; index += 2) {
    const second = points[index + 1];
    merged.push(second ? mergePoints(points[index]!, second) : points[index]!);
  }
  return merged;
}

/** The mean of two points, each weighing as many steps as it stands for. */
export function mergePoints(first: HistoryPoint, second: HistoryPoint): HistoryPoint {
  const stepCount = first.stepCount + second.stepCount;
  const mean = (a: number, b: number) => (a * first.stepCount + b * second.stepCount) / stepCount;
  return {
    step: second.step,
    stepCount,
    classification: mean(first.classification, second.classification),
    box: mean(first.box, second.box),
    positives: mean(first.positives, second.positives),
    balance: second.balance.map((entry, index) => {
      const before = first.balance[index];
      return before?.class === entry.class ? mergeBalance(before, entry, mean) : entry;
    }),
  };
}

function mergeBalance(
  a: ClassBalanceEvent,
  b: ClassBalanceEvent,
  mean: (a: number, b: number) => number,
): ClassBalanceEvent {
  return {
    class: b.class,
    foreground: mean(a.foreground, b.foreground),
    background: mean(a.background, b.background),
    backgroundTrue: mean(a.backgroundTrue, b.backgroundTrue),
    backgroundOther: mean(a.backgroundOther, b.backgroundOther),
    positives: mean(a.positives, b.positives),
    backgroundTrueAnchors: mean(a.backgroundTrueAnchors, b.backgroundTrueAnchors),
    backgroundOtherAnchors: mean(a.backgroundOtherAnchors, b.backgroundOtherAnchors),
  };
}

/**
 * The mean of the last `smoothingSteps` steps up to `step` (null: up to the newest). Where points have been merged into
 * longer ones than that, the one point that holds the step. Null before the first step.
 */
export function smoothedAt(history: RunHistory, step: number | null): HistoryPoint | null {
  const last = step ?? history.step;
  const fromRecent =
    (history.recent[0]?.step ?? Number.POSITIVE_INFINITY) <= Math.max(1, last - smoothingSteps + 1);
  const source = step === null || fromRecent ? history.recent.map(toPoint) : history.points;
  const upTo = source.filter((point) => point.step <= last);
  const chosen = upTo.filter((point) => point.step > last - smoothingSteps);
  const window = chosen.length > 0 ? chosen : upTo.slice(-1);
  if (window.length === 0) return history.points[0] ?? null;
  return window.reduce(mergePoints);
}

function toPoint(event: StepEvent): HistoryPoint {
  return { ...event, stepCount: 1 };
}

export interface Pace {
  /** Milliseconds per step: the median of the recent ones, so that one slow step (an evaluation, a shader compiled) does not count. */
  readonly stepMs: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/** Null until a step has been timed. */
export function paceOf(history: RunHistory, batch: number, totalSteps: number): Pace | null {
  const times = history.recent.map(({ stepMs }) => stepMs).filter((ms) => ms > 0);
  if (times.length === 0) return null;
  // The first step of a session also compiles every shader; leave it out as soon as there is another.
  const timed = times.length > 1 && history.recent.length < smoothingSteps ? times.slice(1) : times;
  const stepMs = median(timed);
  return {
    stepMs,
    imagesPerSecond: (batch * 1000) / stepMs,
    secondsLeft: (Math.max(0, totalSteps - history.step) * stepMs) / 1000,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
