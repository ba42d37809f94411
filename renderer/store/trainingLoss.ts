/** What is said when a device was lost under a run. */
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { automaticTries } from '../worker/lossPolicy.ts';

type Warning = Extract<RunEvent, { event: 'warning' }>;

/** For the run's log. It stands at the step from which the run goes on, so that it stays when later steps are done again. */
export function goesOnWarning(checkpointStep: number | null, reason: string): Warning {
  return {
    event: 'warning',
    step: checkpointStep ?? 0,
    message: `The GPU stopped (${sentencePart(reason)}). The run goes on from ${placeOf(checkpointStep)}.`,
    remedy: `If it stops more than ${automaticTries} times in five minutes, the run will wait for you.`,
    images: [],
  };
}

/** Plain data, for it crosses to the host. */
export function waitsProblem(losses: number, checkpointStep: number | null, reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: `The GPU stopped ${losses} times in five minutes, so the run waits. It can go on from ${placeOf(checkpointStep)}.`,
    remedy:
      'Close other programs that use the GPU, then press Resume. If it happens again, train with a smaller batch or image side.',
    detail: reason,
  };
}

function placeOf(checkpointStep: number | null): string {
  return checkpointStep === null ? 'its start' : `step ${checkpointStep}`;
}

function sentencePart(reason: string): string {
  return reason.trim().replace(/\.$/, '');
}
