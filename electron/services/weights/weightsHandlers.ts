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
  _context: Context,
  library: PublishedLibrary,
): Pick<Handlers, WeightsRequests> {
  const read = async (source: WeightsSource): Promise<WeightsFile> =>
    readWeightsFile(source.kind === 'file' ? fullPath(source.path) : await library.readyPath(source.id));
  const later = () => new Problem('internal', 'Not yet.', 'Wait.');
  return {
    'weights.published': () => library.states(),
    'weights.download': async () => {
      throw later();
    },
    'weights.forget': async () => {
      throw later();
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
