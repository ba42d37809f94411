/**
 * One writer per project. The lock is the kernel's, on `project.lock`, held through SQLite (Node has no flock): it dies with
 * its process, so a crash leaves nothing stale. `project.holder.json` only tells who holds it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { Problem } from '../../../shared/domain/problem.ts';
import { Db } from './db.ts';
import { asProblem } from './failures.ts';

const holderSchema = z.object({ pid: z.number(), host: z.string(), shell: z.string(), since: z.string() });
export type Holder = z.infer<typeof holderSchema>;

/** Long enough for a process that is just closing the project, short enough not to keep a person waiting. */
const patienceMs = 300;

export class ProjectLock {
  readonly #db: Db;
  readonly #holderPath: string;

  private constructor(db: Db, holderPath: string) {
    this.#db = db;
    this.#holderPath = holderPath;
  }

  /** Throws a Problem: `already-open` naming the holder, `read-only` or `disk-full`. */
  static acquire(folder: string, shell: string, since: string): ProjectLock {
    const holderPath = join(folder, 'project.holder.json');
    let db: Db | null = null;
    try {
      db = lockFile(join(folder, 'project.lock'));
      const holder: Holder = { pid: process.pid, host: hostname(), shell, since };
      writeFileSync(holderPath, `${JSON.stringify(holder)}\n`);
      return new ProjectLock(db, holderPath);
    } catch (error) {
      db?.close();
      const problem = asProblem(error, folder);
      throw problem.kind === 'already-open' ? alreadyOpen(folder, readHolder(holderPath)) : problem;
    }
  }

  release(): void {
    if (!this.#db.isOpen) return;
    rmSync(this.#holderPath, { force: true });
    this.#db.close();
  }
}

/** The kernel's lock on a file, held until the Db is closed. Throws a Problem: `already-open` where another holds it. */
export function lockFile(path: string): Db {
  const db = Db.openPlain(path);
  try {
    db.exec(`PRAGMA busy_timeout=${patienceMs}`);
    db.exec('PRAGMA journal_mode=MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw asProblem(error, path);
  }
}

function readHolder(path: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

function alreadyOpen(folder: string, holder: Holder | null): Problem {
  const who = holder
    ? `in Boxwright's ${holder.shell} shell (process ${holder.pid} on ${holder.host}, since ${holder.since})`
    : 'in another Boxwright';
  return new Problem(
    'already-open',
    `The project ${folder} is already open ${who}.`,
    'Close it there, then open it here: one project has one writer.',
    holder ? JSON.stringify(holder) : '',
  );
}
