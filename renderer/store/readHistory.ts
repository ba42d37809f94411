/** A run's log folded into its history, a page at a time. */
import type { Client } from '../../shared/contract/requests.ts';
import { readRunEvents } from './runEvents.ts';
import { emptyHistory, type RunHistory, recordEvents } from './runHistory.ts';

export async function readHistory(client: Pick<Client, 'request'>, runId: string): Promise<RunHistory> {
  let history = emptyHistory;
  await readRunEvents(client, runId, (events) => {
    history = recordEvents(history, events);
  });
  return history;
}
