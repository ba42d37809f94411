/** The rows of a project's training runs; their files lie in `runs/ID`. */
import * as z from 'zod';
import { problemSchema, type RunRecord } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { runStatuses } from '../../../shared/domain/project.ts';
import { type TrainConfig, trainConfigSchema } from '../../../shared/training/config.ts';
import type { Db, Row } from './db.ts';
import { json, number, numberOrNull, oneOf, text } from './rows.ts';

export interface NewRun {
  readonly config: TrainConfig;
  readonly classIds: readonly number[];
  readonly classNames: readonly string[];
}

export type RunChange = Partial<
  Pick<RunRecord, 'name' | 'status' | 'config' | 'problem' | 'step' | 'checkpointStep' | 'AP50'>
>;

const ids = z.array(z.number().int());
const names = z.array(z.string());

export class RunTable {
  readonly #db: Db;
  readonly #now: () => string;

  constructor(db: Db, now: () => string) {
    this.#db = db;
    this.#now = now;
  }

  /** Newest first. */
  list(): RunRecord[] {
    return this.#db.all('SELECT * FROM runs ORDER BY number DESC').map(toRun);
  }

  get(id: string): RunRecord {
    const row = this.#db.get('SELECT * FROM runs WHERE number = ?', runNumber(id) ?? -1);
    if (row) return toRun(row);
    throw new Problem(
      'not-found',
      `There is no run ${JSON.stringify(id)} in this project.`,
      'Choose one of the runs in the list.',
    );
  }

  add(run: NewRun): RunRecord {
    const { rowId } = this.#db.run(
      `INSERT INTO runs (name, created_at, status, config, class_ids, class_names)
       VALUES ('', ?, 'running', ?, ?, ?)`,
      this.#now(),
      JSON.stringify(run.config),
      JSON.stringify(run.classIds),
      JSON.stringify(run.classNames),
    );
    this.#db.run('UPDATE runs SET name = ? WHERE number = ?', `Run ${rowId}`, rowId);
    return this.get(runId(rowId));
  }

  update(id: string, change: RunChange): RunRecord {
    const run = { ...this.get(id), ...definedOnly(change) };
    this.#db.run(
      `UPDATE runs SET name = ?, status = ?, config = ?, problem = ?, step = ?, checkpoint_step = ?, ap50 = ?
       WHERE number = ?`,
      run.name,
      run.status,
      JSON.stringify(run.config),
      run.problem && JSON.stringify(run.problem),
      run.step,
      run.checkpointStep,
      run.AP50,
      runNumber(id)!,
    );
    return this.get(id);
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM runs WHERE number = ?', runNumber(this.get(id).id)!);
  }

  /** A run whose process is gone is neither running nor paused. */
  interruptAll(): void {
    this.#db.run("UPDATE runs SET status = 'interrupted' WHERE status IN ('running', 'paused')");
  }
}

/** Short, for typing, and never given twice. */
function runId(value: number): string {
  return `run-${String(value).padStart(4, '0')}`;
}

function runNumber(id: string): number | null {
  const match = /^run-(\d{4,15})$/.exec(id);
  return match ? Number(match[1]) : null;
}

function definedOnly<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>;
}

function toRun(row: Row): RunRecord {
  return {
    id: runId(number(row, 'number')),
    name: text(row, 'name'),
    createdAt: text(row, 'created_at'),
    status: oneOf(row, 'status', runStatuses),
    config: json(row, 'config', (value) => trainConfigSchema.parse(value)),
    classIds: json(row, 'class_ids', (value) => ids.parse(value)),
    classNames: json(row, 'class_names', (value) => names.parse(value)),
    step: number(row, 'step'),
    checkpointStep: numberOrNull(row, 'checkpoint_step'),
    AP50: numberOrNull(row, 'ap50'),
    problem: row.problem === null ? null : json(row, 'problem', (value) => problemSchema.parse(value)),
  };
}
