/** What a command works with: a project held for as long as the work takes, and a job that reports to the terminal. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ImportProblem } from '../../shared/contract/schemas.ts';
import type { JobHandle } from '../services/jobs.ts';
import { backUp } from '../services/projects/dailyBackup.ts';
import { isProjectFolder, ProjectStore } from '../services/store/projectStore.ts';
import type { Output } from './output.ts';

/**
 * Opens the project, does the work and closes it again, whatever happens. `create` makes a project where there is none, and
 * takes it away again where no image has come into it.
 */
export async function withProject<T>(
  path: string,
  work: (store: ProjectStore) => Promise<T>,
  { create = false }: { create?: boolean } = {},
): Promise<T> {
  if (create && !isProjectFolder(path)) return withNewProject(path, work);
  const store = ProjectStore.open(path, { shell: 'terminal' });
  try {
    await backUp(store);
    return await work(store);
  } finally {
    store.close();
  }
}

/** The same where a project is named; else the work is done without one. */
export function withNamedProject<T>(
  path: string | undefined,
  work: (store: ProjectStore | null) => Promise<T>,
): Promise<T> {
  return path === undefined ? work(null) : withProject(path, work);
}

async function withNewProject<T>(path: string, work: (store: ProjectStore) => Promise<T>): Promise<T> {
  const before = existsSync(path) ? readdirSync(path) : null;
  const store = ProjectStore.create(path, basename(resolve(path)), { shell: 'terminal' });
  try {
    return await work(store);
  } finally {
    const isEmpty = store.summary().imageCount === 0;
    store.close();
    if (isEmpty) removeProject(store.path, before);
  }
}

/** `before`: what was in the folder already, which stays; null: the folder is new. */
function removeProject(folder: string, before: readonly string[] | null): void {
  const ours = readdirSync(folder).filter((name) => name.startsWith('project.') && !before?.includes(name));
  for (const name of ours) rmSync(join(folder, name));
  if (before === null && readdirSync(folder).length === 0) rmdirSync(folder);
}

/** A job whose progress is lines on standard error; Ctrl+C cancels it between two files. */
export async function withJob<T>(
  output: Output,
  verb: string,
  work: (job: JobHandle) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once('SIGINT', cancel);
  process.once('SIGTERM', cancel);
  try {
    return await work({
      signal: abort.signal,
      progress(done: number, total: number | null, message: string) {
        output.progress(() => `${verb} ${done}${total === null ? '' : ` of ${total}`} ${message}`);
      },
      problem(_problem: ImportProblem) {
        // Listed in the report at the end, once, where a person looks for them.
      },
    });
  } finally {
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}
