/** Which weights predict, and what their detections are called in the project: pure. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { Detection } from '../../shared/training/ports.ts';

export type CheckpointChoice = 'newest' | 'best';

/** The chosen run, else the newest with a checkpoint; `runs` newest first. */
export function chooseRun(runs: readonly RunRecord[], runId: string | null): RunRecord | null {
  const chosen = runs.find(({ id, checkpointStep }) => id === runId && checkpointStep !== null);
  return chosen ?? runs.find(({ checkpointStep }) => checkpointStep !== null) ?? null;
}

/** Detections of classes that the run does not know any more are left out. */
export function withClassIds(detections: readonly Detection[], classIds: readonly number[]) {
  return detections.flatMap(({ classIndex, boxPx, score }) => {
    const classId = classIds[classIndex];
    if (classId === undefined) return [];
    return [{ classId, boxPx: [...boxPx] as [number, number, number, number], score }];
  });
}

/**
 * The step of the best AP50 that training measured, null where it measured none; of equals the last. That checkpoint is kept,
 * whatever a person has measured since.
 */
export function bestStep(events: readonly RunEvent[]): number | null {
  let best: { step: number; AP50: number } | null = null;
  for (const event of events) {
    if (event.event !== 'evaluation' || event.onDemand || event.AP50 === null) continue;
    if (!best || event.AP50 >= best.AP50) best = { step: event.step, AP50: event.AP50 };
  }
  return best?.step ?? null;
}

export function nothingToPredictWith(): Problem {
  return new Problem(
    'not-found',
    'There are no trained weights to predict with yet.',
    'Train a run first: as soon as it has saved a checkpoint, or is stopped, it can predict.',
  );
}
