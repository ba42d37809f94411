/** The folder of a project: finding it, making it, and the database's first moment. */
import { existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import { Db } from './db.ts';
import { asProblem } from './failures.ts';
import { makeFolders } from './folders.ts';
import { migrate } from './schema.ts';

export const databaseName = 'project.db';

/** The real path of a folder that holds a project. Throws `not-found`. */
export function findProjectFolder(path: string): string {
  try {
    if (statSync(join(path, databaseName)).isFile()) return realpathSync(path);
  } catch (error) {
    const problem = asProblem(error, path);
    if (problem.kind !== 'not-found') throw problem;
  }
  throw new Problem(
    'not-found',
    `There is no Boxwright project in ${resolve(path)}.`,
    'Choose a folder that holds a project.db, or create a project there.',
  );
}

/** The real path of a new or existing folder. Throws `not-found`, `read-only`, `disk-full`, `bad-input`. */
export function makeFolder(path: string): string {
  try {
    makeFolders(resolve(path));
    return realpathSync(path);
  } catch (error) {
    const problem = asProblem(error, path);
    if (problem.kind !== 'not-found') throw problem;
    throw new Problem(
      'not-found',
      `The folder ${resolve(path)} cannot be made there.`,
      'Choose a place on a disk you can write to.',
      problem.detail,
    );
  }
}

export function projectThere(folder: string): Problem {
  return new Problem(
    'conflict',
    `There is already a project in ${folder}.`,
    'Open it, or choose another folder.',
  );
}

/** Under another name first: whoever finds `project.db` finds a whole one. The caller holds the project's lock. */
export function writeNewDatabase(folder: string, meta: Readonly<Record<string, string>>): void {
  const file = join(folder, databaseName);
  if (existsSync(file)) {
    throw projectThere(folder);
  }
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const db = Db.openPlain(draft);
  try {
    migrate(db);
    db.transaction(() => {
      for (const [key, value] of Object.entries(meta)) {
        db.run('INSERT INTO meta (key, value) VALUES (?, ?)', key, value);
      }
    });
  } finally {
    db.close();
  }
  renameSync(draft, file);
}
