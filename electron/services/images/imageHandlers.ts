/** Requests about images. */
import { join } from 'node:path';
import type { Handlers } from '../../../shared/contract/requests.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Context } from '../context.ts';
import { openedImage } from '../store/labelHandlers.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import { readUprightRgb8 } from './decode.ts';
import { readDerivative } from './derivatives.ts';
import { openableImagePath } from './files.ts';

type ImageRequests =
  | 'images.list'
  | 'images.open'
  | 'images.setSplit'
  | 'images.pixels'
  | 'images.derivative';

export function imageHandlers(context: Context): Pick<Handlers, ImageRequests> {
  return {
    'images.list': async () => context.store().images(),
    'images.open': async ({ imageId }) => openedImage(context.store(), imageId),
    'images.setSplit': async ({ imageIds, split }) => {
      context.events.imagesChanged(context.store().setSplit(imageIds, split));
      return {};
    },
    'images.pixels': async ({ imageId }) => {
      const store = context.store();
      const path = await imageFile(context, store, imageId);
      const pixels = await readUprightRgb8(path, 'training');
      const { widthPx, heightPx, relativePath } = store.image(imageId);
      if (pixels.widthPx !== widthPx || pixels.heightPx !== heightPx) {
        throw new Problem(
          'conflict',
          `${relativePath} is ${pixels.widthPx} x ${pixels.heightPx} now, but was ${widthPx} x ${heightPx} when it was added.`,
          'Put the original file back, or add the new one under another name: its boxes would not fit.',
        );
      }
      return pixels;
    },
    'images.derivative': async ({ imageId, variant }) => {
      const store = context.store();
      const path = await imageFile(context, store, imageId);
      const { contentHash } = store.image(imageId);
      return readDerivative(path, contentHash, join(store.path, 'cache'), variant);
    },
  };
}

/** The image's file, to be opened; one that is gone, or is back, is noted. */
async function imageFile(context: Context, store: ProjectStore, imageId: string): Promise<string> {
  const image = store.image(imageId);
  const note = (missing: boolean) => {
    if (image.missing !== missing && store.isOpen) {
      context.events.imagesChanged(store.setMissing([imageId], missing));
    }
  };
  try {
    const path = await openableImagePath(store.rootPath(imageId), store.absolutePath(imageId));
    note(false);
    return path;
  } catch (error) {
    if (error instanceof Problem && error.kind === 'not-found') note(true);
    throw error;
  }
}
