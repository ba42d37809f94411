/** What the disk and SQLite throw, as Problems: a sentence that names the file and says what to do. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';

/** SQLite's primary result codes that a user can do something about. */
const sqliteBusy = 5;
const sqliteLocked = 6;
const sqliteReadOnly = 8;
const sqliteIo = 10;
const sqliteCorrupt = 11;
const sqliteFull = 13;
const sqliteCannotOpen = 14;
const sqliteNotADatabase = 26;

interface Coded {
  readonly code?: unknown;
  readonly errcode?: unknown;
}

/** The Problem behind anything thrown while working with `path`; a Problem comes back as it is. */
export function asProblem(error: unknown, path: string): Problem {
  if (error instanceof Problem) return error;
  const { code, errcode } = (typeof error === 'object' && error !== null ? error : {}) as Coded;
  const detail =
    error instanceof Error ? `${error.message}${code ? ` (${String(code)})` : ''}` : String(error);
  const known =
    typeof errcode === 'number'
      ? sqliteProblem(errcode & 0xff, path, detail)
      : fileProblem(code, path, detail);
  return (
    known ??
    new Problem(
      'internal',
      `Boxwright could not work with ${path}: ${detail}`,
      'Nothing saved is lost. Try again; if it happens again, report it with the detail below.',
      error instanceof Error ? (error.stack ?? detail) : detail,
    )
  );
}

function sqliteProblem(primaryCode: number, path: string, detail: string): Problem | null {
  switch (primaryCode) {
    case sqliteFull:
      return diskFull(path, detail);
    case sqliteReadOnly:
    case sqliteCannotOpen:
      return readOnly(path, detail);
    case sqliteCorrupt:
    case sqliteNotADatabase:
      return damaged(path, detail);
    case sqliteBusy:
    case sqliteLocked:
      return new Problem(
        'already-open',
        `Another program is using ${path}.`,
        'Close the other program, then open the project again.',
        detail,
      );
    case sqliteIo:
      return new Problem(
        'internal',
        `The disk did not read or write ${path}.`,
        'Check that the disk is connected and healthy, then try again. What was saved before is kept.',
        detail,
      );
    default:
      return null;
  }
}

function fileProblem(code: unknown, path: string, detail: string): Problem | null {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path, detail);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return readOnly(path, detail);
    case 'EEXIST':
      return new Problem('bad-input', `${path} is a file, not a folder.`, 'Choose another folder.', detail);
    case 'ENOENT':
    case 'ENOTDIR':
      return new Problem(
        'not-found',
        `There is nothing at ${path}.`,
        'Check the path, or choose another folder.',
        detail,
      );
    default:
      return null;
  }
}

export function diskFull(path: string, detail = ''): Problem {
  return new Problem(
    'disk-full',
    `The disk is full: ${path} could not be written.`,
    'Free some space on this disk, then try again. Everything saved before is kept.',
    detail,
  );
}

export function readOnly(path: string, detail = ''): Problem {
  return new Problem(
    'read-only',
    `Boxwright may not write to ${path}.`,
    'Choose a folder you can write to, or copy the project folder there and open the copy.',
    detail,
  );
}

export function damaged(path: string, detail = ''): Problem {
  const backups = join(dirname(path), 'backups');
  return new Problem(
    'damaged',
    `${path} is damaged and was left untouched.`,
    existsSync(backups)
      ? // A log left beside the restored file would be written into it.
        `Move it and the project.db-wal and project.db-shm beside it, where there are any, elsewhere; then copy the newest file of ${backups} there as project.db.`
      : 'Put a copy of the project folder from your own backup in its place, or keep the file and report it.',
    detail,
  );
}
