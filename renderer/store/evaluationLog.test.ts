import { describe, expect, it } from 'vitest';
import type { EvaluationEvent, RunEvent } from '../../shared/training/events.ts';
import { evaluationKey, evaluationsOf } from './evaluationLog.ts';
import { bestStep } from './predictionChoice.ts';
import { emptyHistory, recordEvents } from './runHistory.ts';

const evaluation = (
  step: number,
  AP50: number | null,
  more: Partial<EvaluationEvent> = {},
): EvaluationEvent => ({
  ...{ event: 'evaluation', step, AP: 0.1, AP50, perClass: {}, images: 4 },
  ...more,
});
const start = (fromStep: number) => ({ event: 'start', fromStep }) as RunEvent;

describe('a run’s evaluations', () => {
  it('are those of its log, the last of each kind, without what was done again', () => {
    const asked = { onDemand: true, split: 'val' } as const;
    const events = [
      ...[start(0), evaluation(10, 0.2), evaluation(20, 0.4), evaluation(20, 0.5, asked)],
      ...[evaluation(20, 0.6, asked), evaluation(20, 0.9, { onDemand: true, split: 'reviewed' })],
    ];
    expect(evaluationsOf(events).map(({ AP50 }) => AP50)).toEqual([0.2, 0.4, 0.6, 0.9]);
    expect(new Set(evaluationsOf(events).map(evaluationKey)).size).toBe(4);
    const again = [...events, start(10), evaluation(20, 0.3)];
    expect(evaluationsOf(again).map(({ AP50 }) => AP50)).toEqual([0.2, 0.3]);
  });

  it('that a person asked for change neither the run’s course nor its best checkpoint', () => {
    const events = [evaluation(10, 0.2), evaluation(20, 0.1), evaluation(20, 0.9, { onDemand: true })];
    expect(bestStep(events)).toBe(10);
    expect(recordEvents(emptyHistory, events).evaluations.map(({ AP50 }) => AP50)).toEqual([0.2, 0.1]);
  });
});
