/** Looks at a project's database before anything is written: a newer or damaged file is told apart and left as it is. */
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import { Db } from './db.ts';
import { asProblem, damaged } from './failures.ts';
import { applicationId, migrations } from './schema.ts';

const headerMagic = 'SQLite format 3\0';

/**
 * Up to this size every index is compared with its table (a quarter of a second); in a larger file only the pages and the values are
 * checked, so that a project of 100,000 images opens in a second.
 */
const thoroughBytes = 64 * 1024 * 1024;

/**
 * The schema version of a whole, known database. Throws a Problem: `not-found`, `damaged`, `newer-version`. The caller
 * holds the project's lock: closing a file SQLite has open elsewhere in this process would drop SQLite's own locks.
 */
export function inspectDatabase(path: string): number {
  assertHeader(path);
  const walLength = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  if (walLength === 0) return checked(Db.openImmutable(path), path);
  // A crash left committed pages in the log. Reading them in place would write; a copy may be written.
  const scratch = mkdtempSync(join(tmpdir(), 'boxwright-check-'));
  try {
    const copy = join(scratch, 'project.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    return checked(Db.openPlain(copy), path);
  } catch (error) {
    throw asProblem(error, path);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function assertHeader(path: string): void {
  const header = Buffer.alloc(100);
  try {
    const file = openSync(path, 'r');
    try {
      const length = readSync(file, header, 0, header.length, 0);
      if (length < header.length) throw damaged(path, `only ${length} bytes long`);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw asProblem(error, path);
  }
  if (header.toString('latin1', 0, 16) !== headerMagic) throw damaged(path, 'not an SQLite database');
}

function checked(db: Db, path: string): number {
  try {
    const version = Number(db.pragma('user_version'));
    if (db.pragma('application_id') !== applicationId) throw damaged(path, 'not a Boxwright project');
    if (version > migrations.length) throw newerVersion(path, version);
    if (version < 1) throw damaged(path, `schema version ${version}`);
    const check = statSync(path).size <= thoroughBytes ? 'integrity_check' : 'quick_check';
    const verdict = db.pragma(`${check}(1)`);
    if (verdict !== 'ok') throw damaged(path, String(verdict));
    const orphan = db.pragma('foreign_key_check');
    if (orphan !== null) throw damaged(path, `a row of ${String(orphan)} belongs to nothing`);
    return version;
  } catch (error) {
    const problem = asProblem(error, path);
    // Whatever SQLite stumbles over while it only reads a file that is all ours is damage.
    const known = problem.kind === 'newer-version' || problem.kind === 'damaged';
    throw known ? problem : damaged(path, problem.detail || problem.message);
  } finally {
    db.close();
  }
}

function newerVersion(path: string, version: number): Problem {
  return new Problem(
    'newer-version',
    `${path} was written by a newer Boxwright (format ${version}; this one reads up to ${migrations.length}) and was left untouched.`,
    'Update Boxwright, then open the project again.',
  );
}
