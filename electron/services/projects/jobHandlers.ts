/** Requests that start long work on the project. */
import { resolve } from 'node:path';
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { Context } from '../context.ts';
import { addFolder, findMoved, type ImagesListener } from './addFolder.ts';

type JobRequests =
  | 'images.addFolder'
  | 'images.findMoved'
  | 'import.start'
  | 'export.start'
  | 'jobs.list'
  | 'jobs.cancel';

export function jobHandlers(context: Context): Pick<Handlers, JobRequests> {
  const { events, jobs } = context;
  const changed: ImagesListener = (images) => events.imagesChanged(images);
  return {
    'images.addFolder': async ({ path }) => {
      const store = context.store();
      return jobs.start('add-images', (job) => addFolder(store, resolve(path), job, changed));
    },
    'images.findMoved': async ({ path }) => {
      const store = context.store();
      return jobs.start('find-moved', (job) => findMoved(store, resolve(path), job, changed));
    },
    'import.start': async (request) => {
      const store = context.store();
      return jobs.start('import', async (job) => {
        // The formats' parsers are loaded when somebody first needs them.
        const { importInto } = await import('../interchange/import.ts');
        try {
          return await importInto(store, request, job);
        } finally {
          // An import that failed or was cancelled may have added something as well.
          if (store.isOpen && !request.dryRun) {
            events.emit({ type: 'classes', classes: store.classes() });
            changed(store.images());
          }
        }
      });
    },
    'export.start': async (request) => {
      const store = context.store();
      return jobs.start('export', async (job) => {
        const { exportFrom } = await import('../interchange/export.ts');
        return exportFrom(store, request, job);
      });
    },
    'jobs.list': async () => jobs.list(),
    'jobs.cancel': async ({ jobId }) => {
      jobs.cancel(jobId);
      return {};
    },
  };
}
