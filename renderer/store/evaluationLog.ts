/** The evaluations of a run as its log tells them: pure. */
import type { EvaluationEvent, RunEvent } from '../../shared/training/events.ts';

export type EvaluationSplit = NonNullable<EvaluationEvent['split']>;

/** Training measured itself on the validation images before the log said on which. */
export function splitOf({ split }: EvaluationEvent): EvaluationSplit {
  return split ?? 'val';
}

/** Names an evaluation among a run's: of the same weights on the same kind of images the last one that was asked for counts. */
export function evaluationKey(evaluation: EvaluationEvent): string {
  return `${evaluation.step} ${splitOf(evaluation)} ${evaluation.onDemand ? 'on demand' : 'in training'}`;
}

/** Oldest first. What came after the checkpoint that a run went on from is left out: those steps were done again. */
export function evaluationsOf(events: readonly RunEvent[]): EvaluationEvent[] {
  let evaluations: EvaluationEvent[] = [];
  for (const event of events) {
    if (event.event === 'start') evaluations = evaluations.filter(({ step }) => step <= event.fromStep);
    else if (event.event === 'evaluation') evaluations = withEvaluation(evaluations, event);
  }
  return evaluations;
}

export function withEvaluation(
  evaluations: readonly EvaluationEvent[],
  added: EvaluationEvent,
): EvaluationEvent[] {
  const key = evaluationKey(added);
  return [...evaluations.filter((each) => evaluationKey(each) !== key), added];
}
