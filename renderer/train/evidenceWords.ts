/** What is said of where the lab's numbers come from. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { snapshotInterval } from '../../shared/training/stepEvents.ts';
import type { RunHistory } from '../store/runHistory.ts';

/** Why a run tells nothing of its logits at all, and what can be done. */
export function noStatisticsText({ run, history }: { run: RunRecord; history: RunHistory }): string {
  const interval = snapshotInterval(run.config, run.classNames.length);
  if (interval === 0) return 'This run was told not to keep the statistics that this is drawn from.';
  if (history.step <= interval) return `Comes with step ${interval.toLocaleString('en-US')}.`;
  return 'This run is of an earlier version, whose log does not hold what this is drawn from. A new run’s will.';
}

/** "over steps 41 to 50", "in step 41" */
export function overSteps(first: number, last: number): string {
  const text = (step: number) => step.toLocaleString('en-US');
  return first === last ? `in step ${text(last)}` : `over steps ${text(Math.max(1, first))} to ${text(last)}`;
}
