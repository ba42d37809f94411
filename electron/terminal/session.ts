/** What a command works with: a project held for as long as the work takes, and a job that reports to the terminal. */
import { basename, resolve } from 'node:path';
import type { ImportProblem } from '../../shared/contract/schemas.ts';
import type { JobHandle } from '../services/jobs.ts';
import { isProjectFolder, ProjectStore } from '../services/store/projectStore.ts';
import type { Output } from './output.ts';

/** Opens the project, does the work and closes it again, whatever happens. `create` makes a project where there is none. */
export async function withProject<T>(
  path: string,
  work: (store: ProjectStore) => Promise<T>,
  { create = false }: { create?: boolean } = {},
): Promise<T> {
  const store = openProject(path, create);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

function openProject(path: string, create: boolean): ProjectStore {
  if (!create || isProjectFolder(path)) return ProjectStore.open(path, { shell: 'terminal' });
  return ProjectStore.create(path, basename(resolve(path)), { shell: 'terminal' });
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
