/** Where a run or a race that is under way stands. */
import type { RunEvent } from '../../shared/training/events.ts';

export type LivePhase = 'starting' | 'running' | 'pausing' | 'paused' | 'stopping' | 'recovering';

/** `stopping` stays until the run has ended; a wish that the run has answered becomes what it is. */
export function phaseAfter(phase: LivePhase, events: readonly RunEvent[]): LivePhase {
  if (phase === 'stopping') return phase;
  return events.reduce<LivePhase>((current, { event }) => {
    if (event === 'paused') return 'paused';
    if (event === 'resumed') return 'running';
    if (event === 'start' || event === 'step') return current === 'pausing' ? current : 'running';
    return current;
  }, phase);
}
