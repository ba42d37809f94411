/** A run's log, read page by page: a long one is tens of megabytes. */
import type { Client, RequestResult } from '../../shared/contract/requests.ts';
import { isMilestone, type RunEvent } from '../../shared/training/events.ts';

type EventsClient = Pick<Client, 'request'>;

/** Resolves once every page has been handed over, in order. */
export async function readRunEvents(
  client: EventsClient,
  runId: string,
  onPage: (events: readonly RunEvent[]) => void,
): Promise<void> {
  for (let from: number | null = 0; from !== null; ) {
    const page: RequestResult<'runs.events'> = await client.request('runs.events', { runId, from });
    onPage(page.events);
    from = page.next;
  }
}

/** The log without its steps and statistics. */
export async function runMilestones(client: EventsClient, runId: string): Promise<RunEvent[]> {
  const found: (readonly RunEvent[])[] = [];
  await readRunEvents(client, runId, (events) => found.push(events.filter(isMilestone)));
  return found.flat();
}
