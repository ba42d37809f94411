/** What becomes of a run whose device was lost, and what is said of it. */
import type { RunEvent } from './events.ts';

/**
 * Whether a run may try again by itself after its device was lost. A driver that crashes again and again takes the browser's
 * GPU process with it in the end, and then the whole window: so twice in five minutes, and never a third time.
 */
export const lossWindowMs = 5 * 60_000;
export const automaticTries = 2;

/** `lossesMs`: when devices were lost, this time included, monotonic. */
export function mayTryAgain(lossesMs: readonly number[], nowMs: number): boolean {
  return lossesMs.filter((lostMs) => nowMs - lostMs < lossWindowMs).length <= automaticTries;
}

type LossWarning = Extract<RunEvent, { event: 'warning' }>;

/** For the run's log. It stands at the step from which the run goes on, so that it stays when later steps are done again. */
export function goesOnWarning(checkpointStep: number | null, reason: string): LossWarning {
  const stopped = reason.trim() === '' ? 'The GPU stopped.' : `The GPU stopped (${sentencePart(reason)}).`;
  return {
    event: 'warning',
    step: checkpointStep ?? 0,
    message: `${stopped} The run goes on from ${placeOf(checkpointStep)}.`,
    remedy: `If it stops more than ${automaticTries} times in five minutes, the run will wait for you.`,
    images: [],
  };
}

/** From where a run goes on, in a sentence. */
export function placeOf(checkpointStep: number | null): string {
  return checkpointStep === null ? 'its start' : `step ${checkpointStep}`;
}

function sentencePart(reason: string): string {
  return reason.trim().replace(/\.$/, '');
}
