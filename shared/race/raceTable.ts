/** Who raced how well, from the logs alone. */
import type { FocalSettings } from '../loss/focal.ts';
import { strategies } from '../loss/strategies.ts';
import type { StrategyName } from '../loss/strategy.ts';
import type { EvaluationEvent } from '../training/events.ts';
import type { RaceTrial } from './race.ts';
import {
  type Course,
  mergedHistogram,
  ownShares,
  type RaceLog,
  type Shares,
  sharesUnder,
} from './raceLog.ts';
import { competitorNames } from './strategyList.ts';

/** Figures are means over so many first and last steps, or half of them all where that is less. */
export const windowSteps = 20;

/** What all are compared under, whatever they trained with. */
export const measures = {
  ce: { alpha: -1, gamma: 0 },
  focal: { alpha: 0.25, gamma: 2 },
} as const satisfies Record<string, FocalSettings>;
export type Measure = keyof typeof measures;

export const measureNames: Record<Measure, string> = { ce: 'cross-entropy', focal: 'focal loss' };

export type RaceStatus = 'waiting' | 'running' | 'stopped' | 'failed' | 'done';

export interface RaceRow {
  readonly label: string;
  /** In the words of the list of strategies. */
  readonly name: string;
  readonly strategy: StrategyName;
  readonly status: RaceStatus;
  /** Why it failed. */
  readonly problem: string | null;
  readonly step: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly prior: number;
  readonly trials: readonly RaceTrial[];
  /** The last evaluation: all raced on the same images. */
  readonly evaluation: EvaluationEvent | null;
  /** Under its own loss: units differ between strategies, shares do not. */
  readonly first: Shares | null;
  readonly last: Shares | null;
  /** Of its last snapshots, for each object's anchor. */
  readonly under: Readonly<Record<Measure, Shares | null>>;
  readonly medianStepMs: number | null;
  /** It looks at the whole batch first to choose its anchors: two passes a step. */
  readonly looksFirst: boolean;
}

export function raceTable(logs: readonly RaceLog[]): RaceRow[] {
  const names = competitorNames(logs.map(({ config }) => config));
  return logs.map((log, index) => rowOf(log, names[index]!));
}

function rowOf({ label, config, course, trials, problem }: RaceLog, name: string): RaceRow {
  const { loss: strategy, steps, learningRate, prior } = config;
  const { first, last } = windowsOf(course.steps);
  const histogram = mergedHistogram(lastSnapshots(course));
  return {
    ...{ label, name, strategy, steps, learningRate, prior, trials },
    status: problem ? 'failed' : statusOf(course),
    problem: problem ?? (course.end?.event === 'failed' ? course.end.message : null),
    step: course.steps.at(-1)?.step ?? 0,
    evaluation: course.evaluations.at(-1) ?? null,
    first: ownShares(first),
    last: ownShares(last),
    under: {
      ce: histogram && sharesUnder(histogram, measures.ce),
      focal: histogram && sharesUnder(histogram, measures.focal),
    },
    medianStepMs: medianStepMs(course.steps),
    looksFirst: strategies[strategy].selection === 'by-score',
  };
}

function statusOf({ start, end }: Course): RaceStatus {
  if (end?.event === 'failed') return 'failed';
  if (end) return end.reason === 'finished' ? 'done' : 'stopped';
  return start ? 'running' : 'waiting';
}

function windowsOf(steps: Course['steps']): { first: Course['steps']; last: Course['steps'] } {
  const count = Math.min(windowSteps, Math.max(1, Math.floor(steps.length / 2)));
  return { first: steps.slice(0, count), last: steps.slice(-count) };
}

/** Those that count the last steps, and the last one whatever it counts. */
export function lastSnapshots({ snapshots }: Course): Course['snapshots'] {
  const last = snapshots.at(-1)?.step ?? 0;
  return snapshots.filter(({ step }) => step > last - windowSteps);
}

/** Of the middle two the mean. The first step compiles kernels and counts only where it is the only one. */
function medianStepMs(steps: Course['steps']): number | null {
  const counted = steps.length > 1 ? steps.slice(1) : steps;
  const sorted = counted.map(({ stepMs }) => stepMs).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
