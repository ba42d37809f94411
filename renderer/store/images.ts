/** The project's images: all of them by id, their order, which are shown, and which one is open. */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import { type ImageRecord, type ImageState, isReviewed, type Split } from '../../shared/domain/image.ts';
import { client } from '../bridge/client.ts';
import { reportProblem } from './notices.ts';

export type StateFilter = 'all' | 'to-do' | ImageState;

export interface ImageFilter {
  readonly state: StateFilter;
  readonly withProposals: boolean;
  readonly split: Split | 'none' | 'all';
  /** Part of the path, any case. */
  readonly text: string;
}

export const noFilter: ImageFilter = { state: 'all', withProposals: false, split: 'all', text: '' };

export interface ImagesState {
  readonly phase: 'empty' | 'loading' | 'ready' | 'failed';
  readonly byId: ReadonlyMap<string, ImageRecord>;
  /** Ids in the project's order. */
  readonly order: readonly string[];
  readonly filter: ImageFilter;
  /** Ids that pass the filter, in order. The open image stays among them until another is opened. */
  readonly visible: readonly string[];
  readonly currentId: string | null;
  /** Grows whenever an image's boxes changed behind the canvas's back; the canvas then reads them again. */
  readonly refreshes: number;
  /** `wantedId`: the image to open where none is open yet; else the first. */
  load(wantedId?: string): Promise<void>;
  clear(): void;
  setFilter(changes: Partial<ImageFilter>): void;
  openImage(id: string): void;
  /** Tells the canvas that boxes were changed elsewhere (proposals replaced, labels imported). */
  refresh(imageId?: string): void;
  put(images: readonly ImageRecord[]): void;
  /** The neighbour among the shown images, or null at the end. */
  neighbour(step: 1 | -1, wanted?: (image: ImageRecord) => boolean): string | null;
  setSplit(ids: readonly string[], split: Split | null): Promise<void>;
}

export function passes(image: ImageRecord, filter: ImageFilter): boolean {
  if (
    filter.state === 'to-do'
      ? isReviewed(image.state)
      : filter.state !== 'all' && image.state !== filter.state
  ) {
    return false;
  }
  if (filter.withProposals && image.proposalCount === 0) return false;
  if (filter.split !== 'all' && (image.split ?? 'none') !== filter.split) return false;
  return filter.text === '' || image.relativePath.toLowerCase().includes(filter.text.toLowerCase());
}

export function needsReview(image: ImageRecord): boolean {
  return !isReviewed(image.state);
}

function visibleOf(state: Pick<ImagesState, 'byId' | 'order' | 'filter' | 'currentId'>): readonly string[] {
  const { byId, order, filter, currentId } = state;
  if (filter === noFilter) return order;
  return order.filter((id) => id === currentId || passes(byId.get(id)!, filter));
}

export function createImagesStore(client: Client) {
  return create<ImagesState>()((set, get) => ({
    phase: 'empty',
    byId: new Map(),
    order: [],
    filter: noFilter,
    visible: [],
    currentId: null,
    refreshes: 0,

    async load(wantedId) {
      if (get().order.length === 0) set({ phase: 'loading' });
      try {
        const images = await client.request('images.list', {});
        const byId = new Map(images.map((image) => [image.id, image]));
        const order = images.map(({ id }) => id);
        const { currentId, filter } = get();
        const kept = [currentId, wantedId].find((id) => id != null && byId.has(id)) ?? order[0] ?? null;
        set({ phase: 'ready', byId, order, currentId: kept });
        set({ visible: visibleOf({ byId, order, filter, currentId: kept }) });
      } catch (error) {
        set({ phase: 'failed' });
        reportProblem(error);
      }
    },
    clear() {
      set({
        phase: 'empty',
        byId: new Map(),
        order: [],
        visible: [],
        currentId: null,
        filter: noFilter,
      });
    },
    setFilter(changes) {
      const merged = { ...get().filter, ...changes };
      const isNone = (Object.keys(noFilter) as (keyof ImageFilter)[]).every(
        (key) => merged[key] === noFilter[key],
      );
      const filter = isNone ? noFilter : merged;
      set({ filter, visible: visibleOf({ ...get(), filter }) });
    },
    openImage(id) {
      if (!get().byId.has(id) || id === get().currentId) return;
      set({ currentId: id, visible: visibleOf({ ...get(), currentId: id }) });
    },
    refresh(imageId) {
      if (imageId === undefined || imageId === get().currentId) set({ refreshes: get().refreshes + 1 });
    },
    put(images) {
      if (images.length === 0) return;
      const byId = new Map(get().byId);
      const added: string[] = [];
      for (const image of images) {
        if (!byId.has(image.id)) added.push(image.id);
        byId.set(image.id, image);
      }
      const order = added.length > 0 ? [...get().order, ...added] : get().order;
      const currentId = get().currentId ?? order[0] ?? null;
      const visible = visibleOf({ byId, order, filter: get().filter, currentId });
      set({ byId, order, currentId, visible, phase: 'ready' });
    },
    neighbour(step, wanted = () => true) {
      const { visible, byId, currentId } = get();
      const start = currentId === null ? -1 : visible.indexOf(currentId);
      for (let index = start + step; index >= 0 && index < visible.length; index += step) {
        const id = visible[index]!;
        if (wanted(byId.get(id)!)) return id;
      }
      return null;
    },
    async setSplit(ids, split) {
      try {
        await client.request('images.setSplit', { imageIds: [...ids], split });
        const { byId, put } = get();
        put(ids.flatMap((id) => (byId.has(id) ? [{ ...byId.get(id)!, split }] : [])));
      } catch (error) {
        reportProblem(error);
      }
    },
  }));
}

export const useImages = createImagesStore(client);

export function followImages(store: typeof useImages, client: Client): () => void {
  return client.subscribe((event) => {
    if (event.type === 'images') store.getState().put(event.images);
    // A finished job may have added images in another order than they were announced in.
    if (event.type === 'job' && event.job.state !== 'running' && event.job.kind !== 'export') {
      if (store.getState().phase === 'ready') void store.getState().load();
    }
  });
}
