/** Pictures that several crops are cut from: fetched once, held while a crop shows them, and a few a little longer. */
import type { Client } from '../../shared/contract/requests.ts';
import { client } from '../bridge/client.ts';

interface Held {
  readonly url: Promise<string | 'failed'>;
  holders: number;
}

const keptUnheld = 4;

export function createPictures(
  client: Pick<Client, 'request'>,
  urls: Pick<typeof URL, 'createObjectURL' | 'revokeObjectURL'> = URL,
) {
  const held = new Map<string, Held>();

  async function load(imageId: string): Promise<string | 'failed'> {
    try {
      const { bytes, mime } = await client.request('images.derivative', { imageId, variant: 'display' });
      return urls.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mime }));
    } catch {
      held.delete(imageId);
      return 'failed';
    }
  }

  function letOldGo() {
    const unheld = [...held].filter(([, { holders }]) => holders === 0);
    for (const [imageId, { url }] of unheld.slice(0, Math.max(0, unheld.length - keptUnheld))) {
      held.delete(imageId);
      void url.then((made) => made !== 'failed' && urls.revokeObjectURL(made));
    }
  }

  return {
    /** Returns what lets go of it. */
    hold(imageId: string, onUrl: (url: string | 'failed') => void): () => void {
      const picture = held.get(imageId) ?? { url: load(imageId), holders: 0 };
      held.delete(imageId);
      held.set(imageId, picture);
      picture.holders++;
      void picture.url.then(onUrl);
      return () => {
        picture.holders--;
        letOldGo();
      };
    },
  };
}

export const pictures = createPictures(client);
