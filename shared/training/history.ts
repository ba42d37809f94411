/** Reading a run's log back: a run that was killed and resumed has computed some steps twice, and the later ones count. */
import type { RunEvent } from './events.ts';

/** The events that make up the run's curve, in order: those that a later sitting started over are left out. */
export function lastingEvents(events: readonly RunEvent[]): RunEvent[] {
  let lasting: RunEvent[] = [];
  for (const event of events) {
    if (event.event === 'start') {
      lasting = lasting.filter((earlier) => !('step' in earlier) || earlier.step <= event.fromStep);
    }
    lasting.push(event);
  }
  return lasting;
}
