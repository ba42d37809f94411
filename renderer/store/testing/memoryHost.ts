/** A host in memory for tests: images, boxes, journal and classes as the contract promises them, and faults on demand. */
import type { HostEvent } from '../../../shared/contract/events.ts';
import type {
  Client,
  OpenedImage,
  RequestName,
  RequestParams,
  RequestResult,
} from '../../../shared/contract/requests.ts';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { ClassRecord } from '../../../shared/domain/classes.ts';
import { applyEdit, type Edit, reverseEdit } from '../../../shared/domain/edit.ts';
import type { ImageRecord } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { createEmitter } from '../../bridge/emitter.ts';
import { withEdit } from '../edits.ts';

interface Kept {
  image: ImageRecord;
  boxes: readonly BoxRecord[];
  undo: Edit[];
  redo: Edit[];
}

export function testImage(id: string, changes: Partial<ImageRecord> = {}): ImageRecord {
  return {
    id,
    relativePath: `${id}.jpg`,
    contentHash: id,
    widthPx: 640,
    heightPx: 480,
    state: 'unlabelled',
    split: null,
    missing: false,
    labelCount: 0,
    proposalCount: 0,
    ...changes,
  };
}

export function testBox(id: string, imageId: string, changes: Partial<BoxRecord> = {}): BoxRecord {
  return {
    id,
    imageId,
    classId: 1,
    boxPx: [10, 20, 110, 80],
    status: 'label',
    origin: 'person',
    score: null,
    runId: null,
    ignore: false,
    difficult: false,
    occluded: false,
    truncated: false,
    ...changes,
  };
}

export class MemoryHost implements Client {
  readonly images = new Map<string, Kept>();
  classes: ClassRecord[] = [
    { id: 1, name: 'RBC', color: '#e69f00', order: 0 },
    { id: 2, name: 'WBC', color: '#56b4e9', order: 1 },
  ];
  /** Names of the requests in order. */
  readonly asked: RequestName[] = [];
  /** Thrown instead of answering, until it is null again. */
  fault: Problem | null = null;
  /** Does the work, then loses the answer. */
  losesAnswers = false;
  readonly #events = createEmitter<HostEvent>();

  add(image: ImageRecord, boxes: readonly BoxRecord[] = []): void {
    const labelCount = boxes.filter(({ status }) => status === 'label').length;
    const counted = { ...image, labelCount, proposalCount: boxes.length - labelCount };
    this.images.set(image.id, { image: counted, boxes, undo: [], redo: [] });
  }

  emit(event: HostEvent): void {
    this.#events.emit(event);
  }

  subscribe(listener: (event: HostEvent) => void): () => void {
    return this.#events.on(listener);
  }

  async request<N extends RequestName>(name: N, params: RequestParams<N>): Promise<RequestResult<N>> {
    this.asked.push(name);
    await Promise.resolve();
    if (this.fault) throw this.fault;
    const answer = this.#answer(name, params as never);
    if (this.losesAnswers) throw new Problem('offline', 'No answer.', 'Wait.');
    return structuredClone(answer) as RequestResult<N>;
  }

  #answer(name: RequestName, params: { imageId: string; edit: Edit; name: string }): unknown {
    switch (name) {
      case 'images.list':
        return [...this.images.values()].map(({ image }) => image);
      case 'images.open':
        return this.#opened(this.#kept(params.imageId));
      case 'edits.apply':
        return this.#apply(params.edit);
      case 'edits.undo':
      case 'edits.redo':
        return this.#replay(this.#kept(params.imageId), name === 'edits.undo');
      case 'classes.list':
        return this.classes;
      case 'classes.add': {
        const order = this.classes.length;
        const record = { id: order + 1, name: params.name, color: '#009e73', order };
        this.classes.push(record);
        return record;
      }
      default:
        throw new Problem('bad-input', `The memory host knows no ${name}.`, 'Teach it.');
    }
  }

  #kept(imageId: string): Kept {
    const kept = this.images.get(imageId);
    if (!kept) throw new Problem('not-found', `There is no image ${imageId}.`, 'Reload.');
    return kept;
  }

  #apply(edit: Edit) {
    const kept = this.#kept(edit.imageId);
    for (const { before, after } of edit.boxes) {
      const found = kept.boxes.find(({ id }) => id === (before ?? after)!.id) ?? null;
      if (JSON.stringify(found) !== JSON.stringify(before)) {
        throw new Problem('conflict', 'The box was changed elsewhere.', 'Repeat the edit.');
      }
    }
    if (edit.state && edit.state.before !== kept.image.state) {
      throw new Problem('conflict', 'The state was changed elsewhere.', 'Repeat the edit.');
    }
    this.#put(kept, edit);
    kept.undo.push(edit);
    kept.redo = [];
    return { image: kept.image, history: historyOf(kept) };
  }

  #put(kept: Kept, edit: Edit) {
    kept.image = withEdit(kept, edit).image;
    kept.boxes = applyEdit(kept.boxes, edit);
  }

  #replay(kept: Kept, isUndo: boolean): OpenedImage {
    const edit = (isUndo ? kept.undo : kept.redo).pop();
    if (edit) {
      this.#put(kept, isUndo ? reverseEdit(edit) : edit);
      (isUndo ? kept.redo : kept.undo).push(edit);
    }
    return this.#opened(kept);
  }

  #opened(kept: Kept): OpenedImage {
    const { image, boxes } = kept;
    return { image, boxes: structuredClone(boxes) as OpenedImage['boxes'], history: historyOf(kept) };
  }
}

function historyOf({ undo, redo }: Kept): OpenedImage['history'] {
  return { undo: undo.at(-1)?.label ?? null, redo: redo.at(-1)?.label ?? null };
}

/** A clock that goes only when told to. */
export class ManualClock {
  #waiting: { at: number; work: () => void }[] = [];
  #now = 0;

  readonly after = (ms: number, work: () => void): (() => void) => {
    const entry = { at: this.#now + ms, work };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  };

  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { work } of due) work();
    await settled();
  }
}

/** Lets every promise that can settle do so. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
