/**
 * The open image as the person sees it: what the host has acknowledged plus every edit still on its way, with selection, tool
 * and what the save state may truthfully say.
 */
import { create } from 'zustand';
import type { Client, OpenedImage } from '../../shared/contract/requests.ts';
import { type BoxRecord, proposalsOf } from '../../shared/domain/box.ts';
import type { BoxChange } from '../../shared/domain/edit.ts';
import type { ImageRecord, ImageState } from '../../shared/domain/image.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { client } from '../bridge/client.ts';
import { editOf, type ImageDocument, withEdit } from './edits.ts';
import { useImages } from './images.ts';
import { reportProblem } from './notices.ts';
import { type EditAnswer, imageOf, type SaveOperation, SaveQueue, type SaveState } from './saveQueue.ts';

export type Tool = 'select' | 'draw';
export type History = OpenedImage['history'];

export interface CanvasState {
  readonly phase: 'none' | 'loading' | 'ready' | 'failed';
  readonly imageId: string | null;
  readonly image: ImageRecord | null;
  readonly boxes: readonly BoxRecord[];
  readonly history: History;
  /** Why the image could not be opened. */
  readonly problem: ProblemData | null;
  readonly selectedId: string | null;
  readonly tool: Tool;
  /** The class a new box gets; null where the project has none. */
  readonly classId: number | null;
  readonly areBoxesHidden: boolean;
  /** Proposals below this score are not shown and not accepted. */
  readonly minScore: number;
  readonly copied: BoxRecord | null;
  readonly save: SaveState;
  open(imageId: string | null): Promise<void>;
  /** Reads the open image's boxes again; edits on their way stay on top. */
  reload(): Promise<void>;
  /**
   * Changes boxes, and the image's state where given. Edits of one `gesture` (a name) that follow each other closely become one.
   */
  apply(label: string, changes: readonly BoxChange[], options?: ApplyOptions): void;
  undo(): void;
  redo(): void;
  retrySave(): void;
  discardUnsaved(): void;
  select(boxId: string | null): void;
  set(
    changes: Partial<Pick<CanvasState, 'tool' | 'classId' | 'areBoxesHidden' | 'minScore' | 'copied'>>,
  ): void;
}

export interface ApplyOptions {
  readonly state?: ImageState;
  readonly gesture?: string;
}

export interface CanvasSurroundings {
  readonly client: Client;
  after(ms: number, work: () => void): () => void;
  /** Hears of every image record that an acknowledgement brings. */
  onImage(image: ImageRecord): void;
  onProblem(error: unknown, context?: string): void;
}

const noHistory: History = { undo: null, redo: null };
const allSaved: SaveState = { status: 'saved', pending: 0, problem: null };

export function createCanvasStore({ client, after, onImage, onProblem }: CanvasSurroundings) {
  return create<CanvasState>()((set, get) => {
    /** The open image as last acknowledged. */
    let base: ImageDocument | null = null;
    let openings = 0;

    const queue = new SaveQueue({
      client,
      after,
      onState: (save) => set({ save }),
      onSaved: take,
      onRefused(operation, problem) {
        onProblem(problem, operation.kind === 'edit' ? `“${operation.edit.label}” was not saved` : undefined);
        if (imageOf(operation) === get().imageId) void get().reload();
      },
    });

    function take(operation: SaveOperation, answer: EditAnswer | OpenedImage) {
      onImage(answer.image);
      if (!base || base.image.id !== answer.image.id) return;
      const boxes =
        'boxes' in answer
          ? answer.boxes
          : operation.kind === 'edit'
            ? withEdit(base, operation.edit).boxes
            : base.boxes;
      base = { image: answer.image, boxes };
      if (queue.hasPending(answer.image.id)) show();
      else show(answer.history);
    }

    /** Draws the base with the edits still on their way. */
    function show(history: History = get().history) {
      if (!base) return;
      const document = queue.pendingEdits(base.image.id).reduce(withEdit, base);
      const { selectedId } = get();
      const isThere = selectedId !== null && document.boxes.some(({ id }) => id === selectedId);
      set({ ...document, history, selectedId: isThere ? selectedId : null });
    }

    async function read(imageId: string) {
      const opening = ++openings;
      try {
        const opened = await client.request('images.open', { imageId });
        if (opening !== openings) return;
        base = { image: opened.image, boxes: opened.boxes };
        set({ phase: 'ready', problem: null });
        show(opened.history);
      } catch (error) {
        if (opening !== openings) return;
        set({ phase: 'failed', problem: toProblemData(error), image: null, boxes: [] });
      }
    }

    return {
      phase: 'none',
      imageId: null,
      image: null,
      boxes: [],
      history: noHistory,
      problem: null,
      selectedId: null,
      tool: 'select',
      classId: null,
      areBoxesHidden: false,
      minScore: 0,
      copied: null,
      save: allSaved,

      async open(imageId) {
        base = null;
        openings++;
        const closed = { image: null, boxes: [], history: noHistory, selectedId: null, problem: null };
        set({ ...closed, imageId, phase: imageId === null ? 'none' : 'loading' });
        if (imageId !== null) await read(imageId);
      },
      async reload() {
        const { imageId } = get();
        if (imageId !== null) await read(imageId);
      },
      apply(label, changes, { state, gesture } = {}) {
        const { image, boxes, history } = get();
        if (!image || !base || (changes.length === 0 && state === undefined)) return;
        const edit = editOf({ image, boxes }, label, changes, state);
        if (edit.boxes.length === 0 && edit.state === null) return;
        queue.add({ kind: 'edit', edit, gesture: gesture ?? null });
        show({ ...history, undo: label, redo: null });
      },
      undo() {
        const { imageId, save, history } = get();
        if (imageId === null || (history.undo === null && save.pending === 0)) return;
        // While the host does not answer, an edit that never left can simply be forgotten.
        if (save.status === 'failed' && queue.takeBackUnsent(imageId)) show();
        else queue.add({ kind: 'undo', imageId });
      },
      redo() {
        const { imageId, history } = get();
        if (imageId !== null && history.redo !== null) queue.add({ kind: 'redo', imageId });
      },
      retrySave: () => queue.retryNow(),
      discardUnsaved() {
        queue.discard();
        void get().reload();
      },
      select: (selectedId) => set({ selectedId }),
      set: (changes) => set(changes),
    };
  });
}

export type CanvasStore = ReturnType<typeof createCanvasStore>;

export const useCanvas: CanvasStore = createCanvasStore({
  client,
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  onImage: (image) => useImages.getState().put([image]),
  onProblem: reportProblem,
});

/** Opens what the image list opens, and reads boxes again that were changed behind the canvas's back. */
export function followImageList(canvas: CanvasStore, images: typeof useImages): () => void {
  return images.subscribe((now, before) => {
    const { imageId, image, phase, save, open, reload } = canvas.getState();
    if (now.currentId !== imageId) {
      void open(now.currentId);
      return;
    }
    if (phase !== 'ready' || !image || imageId === null) return;
    if (now.refreshes !== before.refreshes) {
      void reload();
      return;
    }
    const listed = now.byId.get(imageId);
    if (!listed || listed === before.byId.get(imageId) || save.pending > 0) return;
    const isStale =
      listed.labelCount !== image.labelCount ||
      listed.proposalCount !== image.proposalCount ||
      listed.state !== image.state ||
      listed.split !== image.split;
    if (isStale) void reload();
  });
}

/** The proposals that are shown: what "accept all" takes. */
export function shownProposals(boxes: readonly BoxRecord[], minScore: number): BoxRecord[] {
  return proposalsOf(boxes).filter((box) => (box.score ?? 1) >= minScore);
}

/** Everything on the canvas: labels, and proposals that are sure enough. */
export function shownBoxes(boxes: readonly BoxRecord[], minScore: number): readonly BoxRecord[] {
  if (minScore <= 0) return boxes;
  return boxes.filter((box) => box.status === 'label' || (box.score ?? 1) >= minScore);
}

/** Where to go on once a proposal is taken or left: the next one shown, or the one before at the end. */
export function proposalAfter(
  boxes: readonly BoxRecord[],
  minScore: number,
  box: BoxRecord,
): BoxRecord | null {
  const proposals = shownProposals(boxes, minScore);
  const at = proposals.findIndex(({ id }) => id === box.id);
  return proposals[at + 1] ?? proposals[at - 1] ?? null;
}
