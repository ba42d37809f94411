/** Decoded images ready to draw: the open one and its neighbours, so that going on takes no time. */
import type { Client } from '../../../shared/contract/requests.ts';

export interface BitmapCache {
  /** The bitmap where it is there already: no flash when going on. */
  ready(imageId: string): ImageBitmap | null;
  get(imageId: string): Promise<ImageBitmap>;
  /** Gets these one after another, quietly; drops what is neither among them nor recent. */
  prefetch(imageIds: readonly string[]): void;
  clear(): void;
}

interface Entry {
  readonly promise: Promise<ImageBitmap>;
  bitmap: ImageBitmap | null;
}

const keptBitmaps = 7;

export function createBitmapCache(
  client: Client,
  decode: (blob: Blob) => Promise<ImageBitmap> = (blob) => createImageBitmap(blob),
): BitmapCache {
  /** Oldest use first. */
  const entries = new Map<string, Entry>();

  function use(imageId: string): Entry {
    const known = entries.get(imageId);
    if (known) {
      entries.delete(imageId);
      entries.set(imageId, known);
      return known;
    }
    const promise = load(imageId);
    const entry: Entry = { promise, bitmap: null };
    entries.set(imageId, entry);
    promise.then(
      (bitmap) => {
        entry.bitmap = bitmap;
        if (entries.get(imageId) !== entry) bitmap.close();
      },
      () => {
        // A failure is not kept: the file may be back the next time.
        if (entries.get(imageId) === entry) entries.delete(imageId);
      },
    );
    trim();
    return entry;
  }

  async function load(imageId: string): Promise<ImageBitmap> {
    const { bytes, mime } = await client.request('images.derivative', { imageId, variant: 'display' });
    return decode(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mime }));
  }

  function trim() {
    for (const [imageId, entry] of entries) {
      if (entries.size <= keptBitmaps) return;
      entries.delete(imageId);
      entry.bitmap?.close();
    }
  }

  return {
    ready: (imageId) => entries.get(imageId)?.bitmap ?? null,
    get: (imageId) => use(imageId).promise,
    prefetch(imageIds) {
      void (async () => {
        for (const imageId of imageIds) {
          if (!entries.has(imageId)) await use(imageId).promise.catch(() => null);
        }
      })();
    },
    clear() {
      for (const entry of entries.values()) entry.bitmap?.close();
      entries.clear();
    },
  };
}
