/** The published checkpoints: what is on this machine of each, and how its download goes. */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { Job, PublishedState } from '../../shared/contract/schemas.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { type PublishedWeights, publishedWeights } from '../../shared/weights/published.ts';
import { client } from '../bridge/client.ts';
import { type JobsState, useJobs } from './jobs.ts';

/** So many bytes were there at that time. */
export interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export interface PublishedStore {
  /** By id; empty until the host has been asked. */
  readonly states: Readonly<Record<string, PublishedState>>;
  /** The newest download of each, by the checkpoint's id. */
  readonly jobIds: Readonly<Record<string, string>>;
  /** The last seconds of each download, oldest first, by the job's id. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  /** Why the last request was refused, by the checkpoint's id; a download's own failure is its job's. */
  readonly problems: Readonly<Record<string, ProblemData>>;
  load(): Promise<void>;
  download(id: string): Promise<void>;
  forget(id: string): Promise<void>;
  hear(job: Job): void;
}

interface Tools {
  readonly client: Pick<Client, 'request'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly jobs: () => Pick<JobsState, 'put'>;
}

/** A rate is taken over so much of the past: long enough to be steady, short enough to be true. */
const rateWindowMs = 10_000;

export function createPublishedStore({ client, now, jobs }: Tools) {
  return create<PublishedStore>()((set, get) => {
    const refuse = (id: string, error: unknown) =>
      set({ problems: { ...get().problems, [id]: toProblemData(error) } });
    const ask = async (id: string, request: () => Promise<void>) => {
      const { [id]: _old, ...problems } = get().problems;
      set({ problems });
      try {
        await request();
      } catch (error) {
        refuse(id, error);
      }
    };
    return {
      states: {},
      jobIds: {},
      samples: {},
      problems: {},

      async load() {
        try {
          const states = await client.request('weights.published', {});
          set({ states: Object.fromEntries(states.map((state) => [state.id, state])) });
        } catch (error) {
          for (const { id } of publishedWeights) refuse(id, error);
        }
      },
      download: (id) =>
        ask(id, async () => {
          const job = await client.request('weights.download', { id });
          set({ jobIds: { ...get().jobIds, [id]: job.id } });
          jobs().put(job);
        }),
      forget: (id) =>
        ask(id, async () => {
          await client.request('weights.forget', { id });
          // What became of the last download is no news of what is no longer there.
          const { [id]: _job, ...jobIds } = get().jobIds;
          set({ jobIds });
          await get().load();
        }),
      hear(job) {
        if (job.kind !== 'download-weights') return;
        const id = publishedOf(job)?.id;
        if (id !== undefined) set({ jobIds: { ...get().jobIds, [id]: job.id } });
        if (job.state !== 'running') {
          void get().load();
          return;
        }
        const atMs = now();
        const recent = (get().samples[job.id] ?? []).filter((sample) => atMs - sample.atMs < rateWindowMs);
        set({ samples: { ...get().samples, [job.id]: [...recent, { atMs, bytes: job.done }] } });
      },
    };
  });
}

/** Bytes a second over the samples; null while there is too little to tell. */
export function rateOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs - first.atMs < 500 || last.bytes <= first.bytes) return null;
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
}

/** The checkpoint that a job downloads: its message names the file. */
function publishedOf({ message }: Job): PublishedWeights | undefined {
  return publishedWeights.find(({ fileName }) => message.includes(fileName));
}

export const usePublished = createPublishedStore({
  client,
  now: () => performance.now(),
  jobs: () => useJobs.getState(),
});

let following = false;

/** Follows what downloads there are. Only the first call does something. */
export function followPublished(): void {
  if (following) return;
  following = true;
  // How a download ended before this page was opened is no news.
  for (const job of useJobs.getState().jobs) if (job.state === 'running') usePublished.getState().hear(job);
  client.subscribe((event) => {
    if (event.type === 'job') usePublished.getState().hear(event.job);
  });
}
