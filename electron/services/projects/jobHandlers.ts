/** Requests that start long work on the project. */
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { Context } from '../context.ts';
import { addFolder, findMoved, type ImagesListener } from './addFolder.ts';
import { fullPath } from './fullPath.ts';

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
      const folder = fullPath(path);
      return jobs.start('add-images', (job) => addFolder(store, folder, job, changed));
    },
    'images.findMoved': async ({ path }) => {
      const store = context.store();
      const folder = fullPath(path);
      return jobs.start('find-moved', (job) => findMoved(store, folder, job, changed));
    },
    'import.start': async (params) => {
      const store = context.store();
      const { imagesPath } = params;
      const request = {
        ...params,
        source: fullPath(params.source),
        imagesPath: imagesPath === undefined ? undefined : fullPath(imagesPath),
      };
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
    'export.start': async (params) => {
      const store = context.store();
      const request = { ...params, dest: fullPath(params.dest) };
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
