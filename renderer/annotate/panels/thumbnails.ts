/** Small pictures for the list: fetched when a row comes into sight, few at a time, the oldest let go. */
import { useEffect, useState } from 'react';
import type { Client } from '../../../shared/contract/requests.ts';
import { client } from '../../bridge/client.ts';

export interface ThumbnailCache {
  ready(key: string): string | null;
  /** Resolves with an object URL; rejects where the image cannot be read or nobody waits any more. */
  get(key: string, imageId: string, signal: AbortSignal): Promise<string>;
}

interface Waiting {
  readonly key: string;
  readonly imageId: string;
  readonly signal: AbortSignal;
  resolve(url: string): void;
  reject(error: unknown): void;
}

const keptUrls = 400;
const fetchesAtOnce = 4;

export function createThumbnailCache(
  client: Client,
  urls: Pick<typeof URL, 'createObjectURL' | 'revokeObjectURL'> = URL,
): ThumbnailCache {
  const known = new Map<string, string>();
  const waiting: Waiting[] = [];
  let fetching = 0;

  function keep(key: string, url: string) {
    known.set(key, url);
    for (const [oldest, oldUrl] of known) {
      if (known.size <= keptUrls) return;
      known.delete(oldest);
      urls.revokeObjectURL(oldUrl);
    }
  }

  /** The latest wish first: it is for a row that is in sight now. */
  function fetchNext() {
    while (fetching < fetchesAtOnce) {
      const next = waiting.pop();
      if (!next) return;
      if (next.signal.aborted) continue;
      fetching++;
      void load(next).finally(() => {
        fetching--;
        fetchNext();
      });
    }
  }

  async function load({ key, imageId, resolve, reject }: Waiting) {
    try {
      const already = known.get(key);
      if (!already) {
        const { bytes, mime } = await client.request('images.derivative', { imageId, variant: 'thumb' });
        const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mime });
        keep(key, urls.createObjectURL(blob));
      }
      resolve(known.get(key)!);
    } catch (error) {
      reject(error);
    }
  }

  return {
    ready(key) {
      const url = known.get(key);
      if (url === undefined) return null;
      known.delete(key);
      known.set(key, url);
      return url;
    },
    get: (key, imageId, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ key, imageId, signal, resolve, reject });
        fetchNext();
      }),
  };
}

const cache = createThumbnailCache(client);

/** The object URL of an image's thumbnail; null until it is there, `failed` where it cannot be made. */
export function useThumbnail(imageId: string, contentHash: string): string | null | 'failed' {
  const key = `${contentHash}:${imageId}`;
  const [loaded, setLoaded] = useState<{ key: string; url: string | 'failed' } | null>(null);
  useEffect(() => {
    if (cache.ready(key)) return;
    const abort = new AbortController();
    cache.get(key, imageId, abort.signal).then(
      (url) => !abort.signal.aborted && setLoaded({ key, url }),
      () => !abort.signal.aborted && setLoaded({ key, url: 'failed' }),
    );
    return () => abort.abort();
  }, [key, imageId]);
  return cache.ready(key) ?? (loaded?.key === key ? loaded.url : null);
}
