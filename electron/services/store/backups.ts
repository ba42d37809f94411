/** Copies of the database in the project's own `backups`: one a day, the newest three kept, and one before every migration. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Db } from './db.ts';

const keptDays = 3;
const dailyName = /^project-\d{4}-\d{2}-\d{2}\.db$/;

/** Copies the database as it is, without stopping work on it, unless today's copy exists. `today`: ISO 8601. */
export async function backUpDaily(db: Db, projectPath: string, today: string): Promise<void> {
  const folder = backupFolder(projectPath);
  const copy = join(folder, `project-${today.slice(0, 10)}.db`);
  if (existsSync(copy)) return;
  const draft = `${copy}.part`;
  try {
    await db.backup(draft);
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  const daily = readdirSync(folder).filter((name) => dailyName.test(name));
  for (const name of daily.sort().slice(0, -keptDays)) rmSync(join(folder, name));
}

export function backUpBeforeMigration(db: Db, projectPath: string, version: number): void {
  const copy = join(backupFolder(projectPath), `project-format-${version}.db`);
  if (!existsSync(copy)) db.run('VACUUM INTO ?', copy);
}

function backupFolder(projectPath: string): string {
  const folder = join(projectPath, 'backups');
  mkdirSync(folder, { recursive: true });
  return folder;
}
