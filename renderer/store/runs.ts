/** The project's runs, newest first, kept true to what the host streams. */
import { create } from 'zustand';
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { client } from '../bridge/client.ts';
import { reportProblem } from './notices.ts';
import { useProject } from './project.ts';

export interface RunsState {
  readonly phase: 'empty' | 'loading' | 'ready';
  readonly runs: readonly RunRecord[];
  load(): Promise<void>;
  clear(): void;
  put(run: RunRecord): void;
  rename(runId: string, name: string): Promise<void>;
  /** The run with its checkpoints and its log. */
  remove(runId: string): Promise<boolean>;
}

export function createRunsStore(client: Pick<Client, 'request'>) {
  return create<RunsState>()((set, get) => ({
    phase: 'empty',
    runs: [],

    async load() {
      if (get().phase === 'empty') set({ phase: 'loading' });
      try {
        set({ runs: newestFirst(await client.request('runs.list', {})), phase: 'ready' });
      } catch (error) {
        set({ phase: 'empty' });
        reportProblem(error);
      }
    },
    clear: () => set({ phase: 'empty', runs: [] }),
    put: (run) =>
      set(({ runs }) => ({ runs: newestFirst([...runs.filter(({ id }) => id !== run.id), run]) })),
    async rename(runId, name) {
      try {
        get().put(await client.request('runs.update', { runId, name }));
      } catch (error) {
        reportProblem(error);
      }
    },
    async remove(runId) {
      try {
        await client.request('runs.remove', { runId });
        set(({ runs }) => ({ runs: runs.filter(({ id }) => id !== runId) }));
        return true;
      } catch (error) {
        reportProblem(error);
        return false;
      }
    },
  }));
}

export function newestFirst(runs: readonly RunRecord[]): RunRecord[] {
  return [...runs].sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
}

export const useRuns = createRunsStore(client);

let following = false;

/** Loads the runs of the open project and keeps following. Any screen that shows runs calls it; only the first call does something. */
export function followRuns(): void {
  if (following) return;
  following = true;
  client.subscribe((event: HostEvent) => {
    if (event.type === 'run' && useRuns.getState().phase === 'ready') useRuns.getState().put(event.run);
  });
  const turnTo = (path: string | null) => {
    useRuns.getState().clear();
    if (path !== null) void useRuns.getState().load();
  };
  turnTo(useProject.getState().project?.path ?? null);
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path) turnTo(state.project?.path ?? null);
  });
}
