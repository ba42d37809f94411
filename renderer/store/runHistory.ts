/**
 * A run as the screens draw it, folded from its events: the same fold serves a run that is under way and one that is read
 * back from its file. It takes bounded memory however long the run is.
 */
import { type Changes, changesAt, foldChanges, noChanges } from '../../shared/training/changes.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { EvaluationEvent, RunEvent, StepEvent } from '../../shared/training/events.ts';
import {
  appendRow,
  type Course,
  courseLength,
  courseUpTo,
  emptyCourse,
  type HistoryPoint,
  meanRow,
  pointOf,
  type Row,
  rowAt,
  rowIndexOf,
  rowOf,
} from './runHistoryCourse.ts';
import {
  addSnapshot,
  type HeldSnapshot,
  nearestSnapshot,
  noSnapshots,
  type Snapshots,
  snapshotsUpTo,
} from './runHistorySnapshots.ts';

export type StartEvent = Extract<RunEvent, { event: 'start' }>;
export type FailedEvent = Extract<RunEvent, { event: 'failed' }>;
export type DoneEvent = Extract<RunEvent, { event: 'done' }>;
export type WarningEvent = Extract<RunEvent, { event: 'warning' }>;

export interface RunHistory {
  readonly start: StartEvent | null;
  /** The newest step seen, 0 before the first. */
  readonly step: number;
  readonly course: Course;
  /** The last steps as they came, newest last: what is smoothed over, and what throughput is measured on. */
  readonly recent: readonly RecentStep[];
  /** Where the logits lay, from time to time. */
  readonly snapshots: Snapshots;
  /** What was changed while it ran, and what will be. */
  readonly changes: Changes;
  readonly evaluations: readonly EvaluationEvent[];
  readonly checkpointStep: number | null;
  readonly warnings: readonly WarningEvent[];
  readonly failure: FailedEvent | null;
  readonly done: DoneEvent | null;
  /** Steps after which the run went on from a checkpoint: a new session, or a lost device. */
  readonly resumedAt: readonly number[];
}

export interface RecentStep {
  readonly row: Row;
  readonly stepMs: number;
}

/** Steps that the balance and the throughput are averaged over. */
export const smoothingSteps = 20;

export const emptyHistory: RunHistory = {
  start: null,
  step: 0,
  course: emptyCourse([]),
  recent: [],
  snapshots: noSnapshots,
  changes: noChanges,
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
  const next = { ...history };
  for (const event of events) record(next, event);
  return next;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<RunHistory>;

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
      draft.snapshots = addSnapshot(draft.snapshots, event);
      return;
    case 'control':
      draft.changes = foldChanges(draft.changes, event);
      return;
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
  const { fromStep } = start;
  draft.course = courseUpTo(draft.course, fromStep);
  if (courseLength(draft.course) === 0) draft.course = emptyCourse(start.classes);
  draft.recent = draft.recent.filter(({ row }) => row[0]! <= fromStep);
  draft.evaluations = draft.evaluations.filter(({ step }) => step <= fromStep);
  draft.snapshots = snapshotsUpTo(draft.snapshots, fromStep);
  draft.changes = foldChanges(draft.changes, start);
  draft.step = fromStep;
}

function addStep(draft: Draft, event: StepEvent): void {
  draft.step = event.step;
  if (courseLength(draft.course) === 0 && draft.course.classNames.length === 0) {
    draft.course = emptyCourse(event.balance.map((entry) => entry.class));
  }
  const row = rowOf(event, draft.course.classNames);
  draft.recent = [...draft.recent.slice(-(smoothingSteps - 1)), { row, stepMs: event.stepMs }];
  draft.course = appendRow(draft.course, row);
}

/**
 * The mean of the last `smoothingSteps` steps up to `step` (null: up to the newest). Where points have been merged into
 * longer ones than that, the one point that holds the step. Null before the first step.
 */
export function smoothedAt(history: RunHistory, step: number | null): HistoryPoint | null {
  const last = step ?? history.step;
  return meanBetween(history, last - smoothingSteps + 1, last);
}

/** The mean of the steps `first` to `last`; where they were merged with others, of the points that end there or else hold `last`. */
export function meanBetween(history: RunHistory, first: number, last: number): HistoryPoint | null {
  const { course, recent } = history;
  const within = (row: Row) => row[0]! >= first && row[0]! <= last;
  const isRecent = recent.length > 0 && recent[0]!.row[0]! <= Math.max(1, first);
  const rows = isRecent ? recent.map(({ row }) => row).filter(within) : courseRows(course, first, last);
  return rows.length > 0 ? pointOf(meanRow(rows), course.classNames) : null;
}

function courseRows(course: Course, first: number, last: number): Row[] {
  const length = courseLength(course);
  const rows: Row[] = [];
  for (let index = rowIndexOf(course, first); index < length; index++) {
    const row = rowAt(course, index);
    if (row[0]! > last) break;
    rows.push(row);
  }
  if (rows.length > 0 || length === 0) return rows;
  return [rowAt(course, Math.min(rowIndexOf(course, last), length - 1))];
}

/** What was counted at a step, or nearest to it; null: the newest. Null where the run tells nothing of its logits. */
export function snapshotAt(history: RunHistory, step: number | null): HeldSnapshot | null {
  return nearestSnapshot(history.snapshots, step);
}

/** The config as it held at a step: with everything that was changed until then. */
export function settingsAt(
  { changes }: Pick<RunHistory, 'changes'>,
  config: TrainConfig,
  step: number,
): TrainConfig {
  return { ...config, ...changesAt(changes, step) };
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
