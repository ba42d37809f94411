/** Work that takes a while: it tells how far it is, lists what went wrong on the way, and can be cancelled. */
import { randomUUID } from 'node:crypto';
import type { ImportProblem, Job } from '../../shared/contract/schemas.ts';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';

/** What a running job is given. */
export interface JobHandle {
  /** Aborted when the user cancels. */
  readonly signal: AbortSignal;
  /** `total` null: not known yet. `message` is for people: a file's name. */
  progress(done: number, total: number | null, message: string): void;
  /** Something that did not stop the job: a file that could not be read. */
  problem(problem: ImportProblem): void;
}

/** How often listeners hear of a running job, at most. */
const quietMs = 100;
const keptJobs = 50;
/** Beyond these a job only counts its problems: every progress event carries them all. */
const keptProblems = 500;

export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Map<string, { controller: AbortController; finished: Promise<void> }>();
  readonly #listener: (job: Job) => void;

  constructor(listener: (job: Job) => void = () => {}) {
    this.#listener = listener;
  }

  /** Newest last. */
  list(): Job[] {
    return [...this.#jobs.values()];
  }

  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (job) return job;
    throw new Problem('not-found', `There is no job ${JSON.stringify(id)}.`, 'It may have ended long ago.');
  }

  /** Starts the work and returns at once. What it throws ends the job as `failed`, or as `cancelled` after a cancel. */
  start(kind: Job['kind'], work: (job: JobHandle) => Promise<Job['report']>): Job {
    const job: Job = {
      ...{ id: randomUUID(), kind, state: 'running', done: 0, total: null, message: '' },
      ...{ problems: [], error: null, report: null },
    };
    const controller = new AbortController();
    this.#jobs.set(job.id, job);
    this.#listener(job);
    const finished = this.#run(job.id, controller.signal, work);
    this.#running.set(job.id, { controller, finished });
    this.#forgetOldest();
    return job;
  }

  cancel(id: string): void {
    this.get(id);
    this.#running.get(id)?.controller.abort();
  }

  /** Resolves to the job once it has ended. */
  async finished(id: string): Promise<Job> {
    await this.#running.get(id)?.finished;
    return this.get(id);
  }

  async cancelAll(which: (job: Job) => boolean = () => true): Promise<void> {
    const running = [...this.#running].flatMap(([id, job]) => (which(this.get(id)) ? job : []));
    for (const { controller } of running) controller.abort();
    await Promise.all(running.map(({ finished }) => finished));
  }

  async #run(
    id: string,
    signal: AbortSignal,
    work: (job: JobHandle) => Promise<Job['report']>,
  ): Promise<void> {
    const handle = this.#handle(id, signal);
    // The caller gets its answer before the first piece of work.
    await Promise.resolve();
    try {
      const report = await work(handle);
      this.#set(id, signal.aborted ? { state: 'cancelled', report } : { state: 'done', report }, true);
    } catch (error) {
      const ended = signal.aborted
        ? ({ state: 'cancelled' } as const)
        : ({ state: 'failed', error: toProblemData(error) } as const);
      this.#set(id, ended, true);
    } finally {
      this.#running.delete(id);
    }
  }

  #handle(id: string, signal: AbortSignal): JobHandle {
    let toldAt = 0;
    const tell = (change: Partial<Job>) => {
      const now = performance.now();
      const loud = now - toldAt >= quietMs;
      if (loud) toldAt = now;
      this.#set(id, change, loud);
    };
    let problemCount = 0;
    return {
      signal,
      progress: (done, total, message) => tell({ done, total, message }),
      problem: (problem) => {
        problemCount++;
        const problems = this.get(id).problems.slice(0, keptProblems);
        const over = problemCount - keptProblems;
        const rest = { file: '', kind: 'more', detail: `${over} more problems are not listed.` };
        tell({ problems: over > 0 ? [...problems, rest] : [...problems, problem] });
      },
    };
  }

  #set(id: string, change: Partial<Job>, loud: boolean): void {
    const job = { ...this.get(id), ...change };
    this.#jobs.set(id, job);
    if (loud) this.#listener(job);
  }

  #forgetOldest(): void {
    for (const [id, job] of this.#jobs) {
      if (this.#jobs.size <= keptJobs) return;
      if (job.state !== 'running') this.#jobs.delete(id);
    }
  }
}

/** Throws `cancelled` where the job's signal is aborted: a step of work begins with it. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Problem('cancelled', 'Cancelled.', 'What was done so far is kept.');
}
