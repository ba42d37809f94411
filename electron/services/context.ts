/** What the services' handlers share. */
import type { EventHub } from './eventHub.ts';
import type { Jobs } from './jobs.ts';
import type { Runs } from './runs/runs.ts';
import type { ProjectStore } from './store/projectStore.ts';

export interface Context {
  readonly events: EventHub;
  readonly jobs: Jobs;
  /** Throws `not-found` where no project is open. */
  store(): ProjectStore;
  runs(): Runs;
}
