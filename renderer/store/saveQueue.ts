/**
 * Edits on their way to the disk, one after another in the order they were made. What has not been acknowledged stays here, is
 * tried again, and is never called saved.
 */
import type { Client, OpenedImage, RequestParams, RequestResult } from '../../shared/contract/requests.ts';
import { boxSchema } from '../../shared/contract/schemas.ts';
import type { Edit } from '../../shared/domain/edit.ts';
import { type ProblemData, type ProblemKind, toProblemData } from '../../shared/domain/problem.ts';
import { mergeEdits } from './edits.ts';

export type SaveOperation =
  | { readonly kind: 'edit'; readonly edit: Edit; readonly gesture: string | null }
  | { readonly kind: 'undo' | 'redo'; readonly imageId: string };

export type EditAnswer = RequestResult<'edits.apply'>;

export interface SaveState {
  readonly status: 'saved' | 'saving' | 'failed';
  /** Operations not acknowledged. */
  readonly pending: number;
  /** Why the last attempt failed. */
  readonly problem: ProblemData | null;
}

export interface SaveQueueOptions {
  readonly client: Client;
  /** Runs `work` later; the answer cancels it. */
  after(ms: number, work: () => void): () => void;
  onState(state: SaveState): void;
  onSaved(operation: SaveOperation, answer: EditAnswer | OpenedImage): void;
  /** The host will never take this operation; it and the later ones of its image have left the queue. */
  onRefused(operation: SaveOperation, problem: ProblemData): void;
}

/** What trying again cannot change. */
const refusals: readonly ProblemKind[] = ['conflict', 'not-found', 'bad-input'];
const gesturePauseMs = 350;
const firstRetryMs = 1000;
const longestRetryMs = 15_000;

export class SaveQueue {
  readonly #options: SaveQueueOptions;
  #operations: SaveOperation[] = [];
  #inFlight = false;
  /** An attempt that failed may have reached the disk all the same: only its answer was lost. */
  #headWasSent = false;
  #problem: ProblemData | null = null;
  #retryMs = firstRetryMs;
  #cancelTimer: (() => void) | null = null;

  constructor(options: SaveQueueOptions) {
    this.#options = options;
  }

  get state(): SaveState {
    const pending = this.#operations.length;
    const status = pending === 0 ? 'saved' : this.#problem ? 'failed' : 'saving';
    return { status, pending, problem: this.#problem };
  }

  /** Edits of an image that are not acknowledged, oldest first. */
  pendingEdits(imageId: string): Edit[] {
    return this.#operations.flatMap((operation) =>
      operation.kind === 'edit' && operation.edit.imageId === imageId ? [operation.edit] : [],
    );
  }

  hasPending(imageId: string): boolean {
    return this.#operations.some((operation) => imageOf(operation) === imageId);
  }

  add(operation: SaveOperation): void {
    const last = this.#operations.at(-1);
    const canMerge = this.#operations.length > (this.#headWasSent ? 1 : 0);
    const merged = last && canMerge ? mergedGesture(last, operation) : null;
    if (merged) {
      this.#operations[this.#operations.length - 1] = merged;
      this.#stopTimer();
    } else this.#operations.push(operation);
    this.#tell();
    if (!this.#problem) this.#pump();
  }

  /** Takes back the newest edit of the image where it was never sent. Null: there is none; ask the host to undo. */
  takeBackUnsent(imageId: string): Edit | null {
    const last = this.#operations.at(-1);
    if (last?.kind !== 'edit' || last.edit.imageId !== imageId) return null;
    if (this.#operations.length === 1 && this.#headWasSent) return null;
    this.#operations.pop();
    this.#settle();
    return last.edit;
  }

  /** Tries at once what failed. */
  retryNow(): void {
    this.#stopTimer();
    this.#pump(true);
  }

  /** Gives up everything that is not saved: only when the person says so. */
  discard(): void {
    this.#stopTimer();
    this.#operations = this.#inFlight ? this.#operations.slice(0, 1) : [];
    this.#settle();
  }

  #settle(): void {
    if (this.#operations.length === 0) {
      this.#problem = null;
      this.#headWasSent = false;
    }
    this.#tell();
  }

  #tell(): void {
    this.#options.onState(this.state);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #pump(isRetry = false): void {
    if (this.#inFlight) return;
    const head = this.#operations[0];
    if (!head) return;
    const isOpenGesture = head.kind === 'edit' && head.gesture !== null && this.#operations.length === 1;
    this.#stopTimer();
    if (isOpenGesture && !isRetry) {
      this.#cancelTimer = this.#options.after(gesturePauseMs, () => this.#pump(true));
      return;
    }
    this.#inFlight = true;
    this.#headWasSent = true;
    const wasTried = this.#problem !== null;
    this.#send(head, wasTried).then(
      (answer) => this.#succeeded(head, answer),
      (error: unknown) => this.#failed(head, toProblemData(error)),
    );
  }

  async #send(operation: SaveOperation, wasTried: boolean): Promise<EditAnswer | OpenedImage> {
    const { client } = this.#options;
    if (operation.kind !== 'edit') {
      return client.request(`edits.${operation.kind}`, { imageId: operation.imageId });
    }
    const { edit } = operation;
    try {
      return await client.request('edits.apply', { edit: wireEdit(edit) });
    } catch (error) {
      // The first attempt may have arrived and only its answer been lost: then the second meets its own work.
      if (!wasTried || toProblemData(error).kind !== 'conflict') throw error;
      const opened = await client.request('images.open', { imageId: edit.imageId });
      if (!isContained(edit, opened)) throw error;
      return opened;
    }
  }

  #succeeded(operation: SaveOperation, answer: EditAnswer | OpenedImage): void {
    this.#inFlight = false;
    this.#operations.shift();
    this.#headWasSent = false;
    this.#problem = null;
    this.#retryMs = firstRetryMs;
    this.#options.onSaved(operation, answer);
    this.#tell();
    this.#pump();
  }

  #failed(operation: SaveOperation, problem: ProblemData): void {
    this.#inFlight = false;
    if (refusals.includes(problem.kind)) {
      const imageId = imageOf(operation);
      this.#operations = this.#operations.filter((other) => imageOf(other) !== imageId);
      this.#problem = null;
      this.#headWasSent = false;
      this.#options.onRefused(operation, problem);
      this.#tell();
      this.#pump();
      return;
    }
    this.#problem = problem;
    this.#tell();
    this.#cancelTimer = this.#options.after(this.#retryMs, () => this.#pump(true));
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
  }
}

export function imageOf(operation: SaveOperation): string {
  return operation.kind === 'edit' ? operation.edit.imageId : operation.imageId;
}

/** Whether an image already is as the edit would leave it. */
function isContained(edit: Edit, { image, boxes }: OpenedImage): boolean {
  const byId = new Map(boxes.map((box) => [box.id, JSON.stringify(boxSchema.parse(box))]));
  const isStateThere = edit.state === null || edit.state.after === image.state;
  return (
    isStateThere &&
    edit.boxes.every(({ before, after }) =>
      after ? byId.get(after.id) === JSON.stringify(boxSchema.parse(after)) : !byId.has(before?.id ?? ''),
    )
  );
}

function mergedGesture(last: SaveOperation, next: SaveOperation): SaveOperation | null {
  if (last.kind !== 'edit' || next.kind !== 'edit') return null;
  if (last.gesture === null || last.gesture !== next.gesture) return null;
  if (last.edit.imageId !== next.edit.imageId) return null;
  return { ...last, edit: mergeEdits(last.edit, next.edit) };
}

/** The contract's arrays are mutable by type; the domain's are not. Nobody writes to either. */
function wireEdit(edit: Edit) {
  return edit as RequestParams<'edits.apply'>['edit'];
}
