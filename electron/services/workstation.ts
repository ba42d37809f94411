/** Everything behind the contract, without a transport: what every shell serves and the terminal uses. */
import { homedir } from 'node:os';
import type { HostEvent } from '../../shared/contract/events.ts';
import type { Handlers } from '../../shared/contract/requests.ts';
import { Problem } from '../../shared/domain/problem.ts';
import type { Context } from './context.ts';
import { EventHub } from './eventHub.ts';
import { imageHandlers } from './images/imageHandlers.ts';
import { Jobs } from './jobs.ts';
import { listFolder } from './projects/folders.ts';
import { fullPath } from './projects/fullPath.ts';
import { jobHandlers } from './projects/jobHandlers.ts';
import { Projects } from './projects/projects.ts';
import { raceHandlers } from './races/raceHandlers.ts';
import { runHandlers } from './runs/runHandlers.ts';
import { labelHandlers } from './store/labelHandlers.ts';
import type { ProjectStore } from './store/projectStore.ts';
import { Tunings } from './tunings.ts';
import { PublishedLibrary } from './weights/publishedLibrary.ts';
import { weightsHandlers } from './weights/weightsHandlers.ts';

export interface WorkstationOptions {
  readonly shell: 'web' | 'desktop';
  /** The user's own data folder: recent projects, the sample. */
  readonly dataPath: string;
  readonly version: string;
  /** Where published weights are downloaded from instead of their own address, for tests. */
  readonly downloadBase?: string | undefined;
}

export interface Workstation {
  readonly handlers: Handlers;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: HostEvent) => void): () => void;
  /** The open project, if any. */
  store(): ProjectStore | null;
  /** Ends jobs and closes the project. */
  close(): Promise<void>;
}

export function createWorkstation(options: WorkstationOptions): Workstation {
  const jobs = new Jobs((job) => {
    // Whoever hears that a job has ended has heard of all it did.
    if (job.state !== 'running') events.flush();
    events.emit({ type: 'job', job });
  });
  const projects = new Projects({ shell: options.shell, dataPath: options.dataPath, jobs });
  const events = new EventHub(() => projects.summary());
  projects.tell(events);
  const context: Context = {
    events,
    jobs,
    store: () => projects.current ?? noProject(),
    runs: () => projects.currentRuns ?? noProject(),
  };
  return {
    handlers: {
      ...appHandlers(options, projects),
      ...imageHandlers(context),
      ...labelHandlers(context),
      ...jobHandlers(context),
      ...runHandlers(context),
      ...raceHandlers(context),
      ...weightsHandlers(context, new PublishedLibrary(options), options.version),
    },
    subscribe: (listener) => events.subscribe(listener),
    store: () => projects.current,
    close: async () => {
      await jobs.cancelAll();
      await projects.close();
      events.close();
    },
  };
}

type AppRequests = Extract<
  keyof Handlers,
  `app.${string}` | `tunings.${string}` | `projects.${string}` | `folders.${string}`
>;

function appHandlers(options: WorkstationOptions, projects: Projects): Pick<Handlers, AppRequests> {
  const { version, shell } = options;
  const tunings = new Tunings(options.dataPath);
  return {
    'app.info': async () => ({ version, shell, platform: process.platform, homePath: homedir() }),
    'tunings.read': async ({ key }) => ({ text: await tunings.read(key) }),
    'tunings.write': async ({ key, text }) => {
      await tunings.write(key, text);
      return {};
    },
    'projects.recent': () => projects.recents.list(),
    'projects.current': async () => projects.summary(),
    'projects.create': async ({ path, name }) => projects.create(fullPath(path), name),
    'projects.open': async ({ path }) => projects.open(fullPath(path)),
    'projects.openSample': () => projects.openSample(),
    'projects.close': async () => {
      await projects.close();
      return {};
    },
    'folders.list': async ({ path, files }) => listFolder(path === null ? null : fullPath(path), files),
  };
}

function noProject(): never {
  throw new Problem('not-found', 'No project is open.', 'Open or create a project first.');
}
