/** Requests about weights that are not, or no longer, a run's: files, published checkpoints, exports. */
import { setImmediate } from 'node:timers/promises';
import type { Handlers } from '../../../shared/contract/requests.ts';
import type { WeightsSource } from '../../../shared/contract/schemas.ts';
import type { WeightsDescription } from '../../../shared/weights/description.ts';
import { openTensorFile } from '../../../shared/weights/model/openWeights.ts';
import { readTensorFile } from '../../../shared/weights/tensorFile.ts';
import type { Context } from '../context.ts';
import { fullPath } from '../projects/fullPath.ts';
import type { PublishedLibrary } from './publishedLibrary.ts';
import { readWeightsFile, type WeightsFile } from './readWeightsFile.ts';

type WeightsRequests = Extract<keyof Handlers, `weights.${string}`>;

export function weightsHandlers(
  context: Context,
  library: PublishedLibrary,
  version: string,
): Pick<Handlers, WeightsRequests> {
  const { jobs } = context;
  const read = async (source: WeightsSource): Promise<WeightsFile> =>
    readWeightsFile(source.kind === 'file' ? fullPath(source.path) : await library.readyPath(source.id));
  /** The job of each download that runs. */
  const downloads = new Map<string, string>();
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
    'weights.inspect': async ({ source }) => inspectWeights(await read(source)),
    'weights.read': async ({ source }) => {
      const file = await read(source);
      // Whatever else lies on this disk is nobody's business here.
      readTensorFile(file.bytes, file.name);
      return file;
    },
    'weights.export': async (params) => {
      const store = context.store();
      const runs = context.runs();
      const request = { ...params, dest: fullPath(params.dest) };
      return jobs.start('export-weights', async (job) => {
        const { exportRun } = await import('./exportWeights.ts');
        return exportRun(store, runs, request, job, version);
      });
    },
  };
}

/** What the file is, once every value of it has been looked at. Others are served between its tensors. */
export async function inspectWeights({
  name,
  bytes,
  meta,
}: Omit<WeightsFile, 'bytes'> & { readonly bytes: Uint8Array }): Promise<WeightsDescription> {
  const file = readTensorFile(bytes, name);
  const { description } = openTensorFile(file, { name, fileBytes: bytes.length, meta });
  for (const tensor of file.tensors) {
    tensor.read();
    await setImmediate();
  }
  return description;
}
