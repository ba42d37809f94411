/**
 * The one place that opens node:sqlite: its settings, its prepared statements, its transactions. Nothing else in the house
 * imports `node:sqlite`, so another SQLite can take its place behind this class.
 */
import {
  backup,
  DatabaseSync,
  type SQLInputValue,
  type SQLOutputValue,
  type StatementSync,
} from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Problem } from '../../../shared/domain/problem.ts';
import { asProblem } from './failures.ts';

export type Row = Record<string, SQLOutputValue>;

/** What must read back after the first transaction: some SQLite builds change `synchronous` only then. */
const settings: readonly (readonly [name: string, set: string, reads: string | number])[] = [
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', 'FULL', 2],
  ['fullfsync', '1', 1],
  ['checkpoint_fullfsync', '1', 1],
  ['trusted_schema', 'OFF', 0],
  ['cell_size_check', 'ON', 1],
  ['foreign_keys', 'ON', 1],
  ['busy_timeout', '5000', 5000],
];

export class Db {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, db: DatabaseSync) {
    this.path = path;
    this.#db = db;
  }

  /** For reading and writing, every commit synced to the disk. The caller holds the project's lock. */
  static openDurable(path: string): Db {
    assertSqliteVersion();
    const db = Db.#open(path, () => new DatabaseSync(path, { timeout: 5000 }));
    try {
      for (const [name, set] of settings) db.exec(`PRAGMA ${name}=${set}`);
      db.transaction(() => db.pragma('user_version'));
      db.#assertSettings();
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** For reading a file nobody writes: creates nothing beside it and takes no lock. */
  static openImmutable(path: string): Db {
    const url = pathToFileURL(path);
    url.search = '?mode=ro&immutable=1';
    return Db.#open(path, () => new DatabaseSync(url, { readOnly: true }));
  }

  /** For writing without a write-ahead log: a new file that no one knows yet, or a copy to look at. */
  static openPlain(path: string): Db {
    return Db.#open(path, () => new DatabaseSync(path));
  }

  static #open(path: string, open: () => DatabaseSync): Db {
    try {
      return new Db(path, open());
    } catch (error) {
      throw asProblem(error, path);
    }
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  exec(sql: string): void {
    this.#guard(() => this.#db.exec(sql));
  }

  all(sql: string, ...params: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...params));
  }

  get(sql: string, ...params: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...params));
  }

  /** Returns the row id of the last insert, and how many rows changed. */
  run(sql: string, ...params: SQLInputValue[]): { rowId: number; changes: number } {
    const result = this.#guard(() => this.#prepare(sql).run(...params));
    return { rowId: Number(result.lastInsertRowid), changes: Number(result.changes) };
  }

  pragma(name: string): SQLOutputValue {
    const row = this.#guard(() => this.#db.prepare(`PRAGMA ${name}`).get());
    return row ? (Object.values(row)[0] ?? null) : null;
  }

  /** All of `work` or nothing of it. A call inside another one joins it. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Copies the whole database while it stays in use. */
  async backup(path: string): Promise<void> {
    try {
      await backup(this.#db, path, { rate: 500 });
    } catch (error) {
      throw asProblem(error, path);
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#guard(() => this.#db.close());
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asProblem(error, this.path);
    }
  }

  #assertSettings(): void {
    for (const [name, , expected] of settings) {
      const found = this.pragma(name);
      if (found === expected) continue;
      throw new Problem(
        'internal',
        `${this.path} cannot be kept safe here: SQLite's ${name} is ${String(found)}, not ${expected}.`,
        'Move the project folder to a disk of this computer: network drives cannot keep a project.',
      );
    }
  }
}

/** Refuses SQLite versions that can corrupt a write-ahead log at its reset (3.7.0 to 3.51.2, but for two backports). */
export function isSafeSqliteVersion(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major !== 3) return major > 3;
  if (minor > 51) return true;
  return (minor === 51 && patch >= 3) || (minor === 50 && patch >= 7) || (minor === 44 && patch >= 6);
}

function assertSqliteVersion(): void {
  const version = process.versions.sqlite ?? '0';
  if (isSafeSqliteVersion(version)) return;
  throw new Problem(
    'internal',
    `This Node.js brings SQLite ${version}, which can damage a project.`,
    'Use Node.js 24.15 or newer.',
  );
}
