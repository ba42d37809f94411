/** The project's training runs: a row in the database, and `runs/ID` with its config, its events and its checkpoints. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRecord } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { isMilestone, type RunEvent } from '../../../shared/training/events.ts';
import { writeFileAtomically } from '../store/atomicFile.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import type { NewRun, RunChange } from '../store/runTable.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoints.ts';
import { EventLog, type EventPage } from './eventLog.ts';

export class Runs {
  readonly #store: ProjectStore;
  readonly #logs = new Map<string, EventLog>();

  constructor(store: ProjectStore) {
    this.#store = store;
  }

  async create(run: NewRun): Promise<RunRecord> {
    const created = this.#store.addRun(run);
    await this.#describe(created);
    return created;
  }

  async update(id: string, change: RunChange): Promise<RunRecord> {
    const updated = this.#store.updateRun(id, change);
    await this.#describe(updated);
    return updated;
  }

  async remove(id: string): Promise<void> {
    const run = this.#store.run(id);
    if (run.status === 'running' || run.status === 'paused') {
      throw new Problem('conflict', `"${run.name}" is still training.`, 'Stop it first.');
    }
    this.#store.removeRun(id);
    this.#logs.delete(id);
    await rm(this.#folder(id), { recursive: true, force: true });
  }

  /** Resolves when the events are on the disk; the run's row follows them. */
  async append(id: string, events: readonly RunEvent[]): Promise<RunRecord> {
    const run = this.#store.run(id);
    await this.#log(id).append(events);
    const change = progressOf(events);
    return Object.keys(change).length > 0 ? this.#store.updateRun(id, change) : run;
  }

  /** A page of the run's log, as `runs.events` hands it over. */
  async events(id: string, from = 0): Promise<EventPage> {
    return this.#log(this.#store.run(id).id).read(from);
  }

  async *eventPages(id: string): AsyncGenerator<RunEvent[]> {
    for (let from: number | null = 0; from !== null; ) {
      const page: EventPage = await this.events(id, from);
      yield page.events;
      from = page.next;
    }
  }

  /** The log without its steps and statistics. */
  async milestones(id: string): Promise<RunEvent[]> {
    const found: RunEvent[] = [];
    for await (const events of this.eventPages(id)) found.push(...events.filter(isMilestone));
    return found;
  }

  /** Resolves to the weights' path inside the project, with forward slashes. */
  async saveCheckpoint(id: string, checkpoint: Checkpoint): Promise<{ path: string; run: RunRecord }> {
    this.#store.run(id);
    const file = await writeCheckpoint(this.#folder(id), checkpoint);
    const { step } = checkpoint;
    const run = this.#store.updateRun(id, { checkpointStep: step, step });
    return { path: `runs/${id}/${file}`, run };
  }

  loadCheckpoint(id: string, step?: number): Promise<Checkpoint> {
    return readCheckpoint(this.#folder(this.#store.run(id).id), step);
  }

  /** Ids come from the table, so they are folder names and nothing else. */
  #folder(id: string): string {
    return join(this.#store.path, 'runs', id);
  }

  #log(id: string): EventLog {
    let log = this.#logs.get(id);
    if (!log) {
      log = new EventLog(join(this.#folder(id), 'events.jsonl'));
      this.#logs.set(id, log);
    }
    return log;
  }

  /** For people and scripts that look into the folder; Boxwright itself reads the row. */
  async #describe(run: RunRecord): Promise<void> {
    await writeFileAtomically(join(this.#folder(run.id), 'run.json'), `${JSON.stringify(run, null, 2)}\n`);
  }
}

/** How far the events say the run is, by what training measured. */
function progressOf(events: readonly RunEvent[]): RunChange {
  const change: { step?: number; AP50?: number } = {};
  for (const event of events) {
    if (event.event === 'step') change.step = event.step;
    const measured = event.event === 'done' || (event.event === 'evaluation' && !event.onDemand);
    if (measured && event.AP50 !== null) change.AP50 = event.AP50;
  }
  return change;
}
