/** Which project is open: opening, creating, closing, the sample. One at a time, and one change after another. */
import { join, resolve } from 'node:path';
import { Problem, toProblemData } from '../../../shared/domain/problem.ts';
import type { ProjectSummary } from '../../../shared/domain/project.ts';
import type { EventHub } from '../eventHub.ts';
import type { JobHandle, Jobs } from '../jobs.ts';
import { Runs } from '../runs/runs.ts';
import { drawSample, sampleDefaults } from '../sample/sample.ts';
import { projectThere } from '../store/projectFolder.ts';
import { isProjectFolder, ProjectStore } from '../store/projectStore.ts';
import { refreshMissing } from './addFolder.ts';
import { backUp } from './dailyBackup.ts';
import { Recents } from './recents.ts';

interface Open {
  readonly store: ProjectStore;
  readonly runs: Runs;
  /** What goes on behind: the day's backup. */
  readonly chores: Promise<void>;
}

export interface ProjectsOptions {
  readonly shell: string;
  readonly dataPath: string;
  readonly jobs: Jobs;
}

export class Projects {
  readonly recents: Recents;
  readonly #options: ProjectsOptions;
  readonly #samplePath: string;
  #events: EventHub | null = null;
  #open: Open | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProjectsOptions) {
    this.#options = options;
    this.#samplePath = join(options.dataPath, 'sample');
    this.recents = new Recents(options.dataPath);
  }

  /** Who is told when another project is open. */
  tell(events: EventHub): void {
    this.#events = events;
  }

  get current(): ProjectStore | null {
    return this.#open?.store ?? null;
  }

  get currentRuns(): Runs | null {
    return this.#open?.runs ?? null;
  }

  summary(): ProjectSummary | null {
    const store = this.current;
    if (!store) return null;
    const summary = store.summary();
    return { ...summary, isSample: summary.isSample || store.path === this.#samplePath };
  }

  create(path: string, name: string): Promise<ProjectSummary> {
    return this.#inTurn(async () => {
      // Before its lock is asked for, which we may hold ourselves.
      if (isProjectFolder(path)) throw projectThere(path);
      return this.#switchTo(ProjectStore.create(resolve(path), name, { shell: this.#options.shell }));
    });
  }

  open(path: string): Promise<ProjectSummary> {
    return this.#inTurn(() => this.#openNow(resolve(path)));
  }

  /** Draws the sample first where it does not exist yet. */
  openSample(): Promise<ProjectSummary> {
    return this.#inTurn(async () => {
      if (!isProjectFolder(this.#samplePath)) await this.#drawSample();
      return this.#openNow(this.#samplePath);
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#closeNow();
      this.#events?.projectChanged();
    });
  }

  async #openNow(path: string): Promise<ProjectSummary> {
    const current = this.summary();
    if (current?.path === path) return current;
    return this.#switchTo(ProjectStore.open(path, { shell: this.#options.shell }));
  }

  /** Only once the new one is open: a project that cannot be opened leaves the old one as it was. */
  async #switchTo(store: ProjectStore): Promise<ProjectSummary> {
    await this.#closeNow();
    this.#open = { store, runs: new Runs(store), chores: backUp(store) };
    const summary = this.summary()!;
    await this.recents.add({ name: summary.name, path: summary.path });
    this.#events?.projectChanged();
    void this.#lookForMissing(store);
    return summary;
  }

  async #closeNow(): Promise<void> {
    if (!this.#open) return;
    // A download belongs to the machine, not to the project.
    await this.#options.jobs.cancelAll(({ kind }) => kind !== 'download-weights');
    await this.#open.chores;
    this.#open.store.close();
    this.#open = null;
  }

  async #lookForMissing(store: ProjectStore): Promise<void> {
    try {
      this.#events?.imagesChanged(await refreshMissing(store));
    } catch (error) {
      // A project closed in the meantime has nothing to look for.
      if (store.isOpen) console.error(`Could not look for missing images: ${toProblemData(error).message}`);
    }
  }

  async #drawSample(): Promise<void> {
    const draw = async (job: JobHandle) => {
      await drawSample(this.#samplePath, sampleDefaults, job);
      return null;
    };
    const started = this.#options.jobs.start('sample', draw);
    const ended = await this.#options.jobs.finished(started.id);
    if (ended.state === 'cancelled')
      throw new Problem('cancelled', 'Cancelled.', 'Open the sample again any time.');
    if (ended.error) {
      const { kind, message, remedy, detail } = ended.error;
      throw new Problem(kind, message, remedy, detail);
    }
  }

  /** Two windows that open something at once must not both win. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => {});
    return next;
  }
}
