/** Long work the host does: adding folders, importing, exporting. Newest first. */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { Job } from '../../shared/contract/schemas.ts';
import { client } from '../bridge/client.ts';
import { reportProblem } from './notices.ts';

export interface JobsState {
  readonly jobs: readonly Job[];
  /** Jobs whose end the person has seen and put away. */
  readonly dismissed: ReadonlySet<string>;
  load(): Promise<void>;
  put(job: Job): void;
  cancel(jobId: string): Promise<void>;
  dismiss(jobId: string): void;
}

export function createJobsStore(client: Client) {
  return create<JobsState>()((set, get) => ({
    jobs: [],
    dismissed: new Set(),
    async load() {
      try {
        const jobs = await client.request('jobs.list', {});
        set({ jobs: [...jobs].reverse() });
        // What ended before this page was opened is no news.
        const ended = jobs.filter(({ state }) => state !== 'running').map(({ id }) => id);
        set({ dismissed: new Set([...get().dismissed, ...ended]) });
      } catch (error) {
        reportProblem(error);
      }
    },
    put(job) {
      const { jobs } = get();
      const known = jobs.find(({ id }) => id === job.id);
      // The event of a short job's end may arrive before the answer that says it has started.
      if (known && known.state !== 'running' && job.state === 'running') return;
      set({ jobs: known ? jobs.map((other) => (other.id === job.id ? job : other)) : [job, ...jobs] });
    },
    async cancel(jobId) {
      try {
        await client.request('jobs.cancel', { jobId });
      } catch (error) {
        reportProblem(error);
      }
    },
    dismiss(jobId) {
      set({ dismissed: new Set([...get().dismissed, jobId]) });
    },
  }));
}

export const useJobs = createJobsStore(client);

export function followJobs(store: typeof useJobs, client: Client): () => void {
  return client.subscribe((event) => {
    if (event.type === 'job') store.getState().put(event.job);
  });
}

export function isSampleRunning({ kind, state }: Job): boolean {
  return kind === 'sample' && state === 'running';
}

/** Share done, 0..1, or null while the total is not known. */
export function jobShare(job: Job): number | null {
  return job.total === null || job.total === 0 ? null : Math.min(1, job.done / job.total);
}
