/** Requests about weights that are not, or no longer, a run's: files, published checkpoints, exports. */
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { WeightsSource } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Context } from '../context.ts';
import { fullPath } from '../projects/fullPath.ts';
import type { PublishedLibrary } from './publishedLibrary.ts';
import { readWeightsFile, type WeightsFile } from './readWeightsFile.ts';

type WeightsRequests = Extract<keyof Handlers, `weights.${string}`>;

export function weightsHandlers(
  context: Context,
  library: PublishedLibrary,
): Pick<Handlers, WeightsRequests> {
  const { jobs } = context;
  const read = async (source: WeightsSource): Promise<WeightsFile> =>
    readWeightsFile(source.kind === 'file' ? fullPath(source.path) : await library.readyPath(source.id));
  /** The job of each download that runs. */
  const downloads = new Map<string, string>();
  const later = () => new Problem('internal', 'Not yet.', 'Wait.');
  return {
    'weights.published': () => library.states(),
    'weights.download': async ({ id }) => {
      const running = downloads.get(id);
      if (running !== undefined) return jobs.get(running);
      library.find(id);
      const job = jobs.start('download-weights', async (handle) => {
        await library.download(id, handle).finally(() => downloads.delete(id));
        return null;
      });
      downloads.set(id, job.id);
      return job;
    },
    'weights.forget': async ({ id }) => {
      const running = downloads.get(id);
      if (running !== undefined) {
        jobs.cancel(running);
        await jobs.finished(running);
      }
      await library.forget(id);
      return {};
    },
    'weights.inspect': async () => {
      throw later();
    },
    'weights.read': ({ source }) => read(source),
    'weights.export': async () => {
      throw later();
    },
  };
}
