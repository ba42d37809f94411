/** A project for tests: a folder of its own, images that need no files, edits in one line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ProjectStore } from '../../electron/services/store/projectStore.ts';
import type { BoxPx, BoxRecord } from '../../shared/domain/box.ts';
import type { BoxChange, Edit, StateChange } from '../../shared/domain/edit.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { Problem, type ProblemKind } from '../../shared/domain/problem.ts';

/** A folder that is removed when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestProject {
  readonly store: ProjectStore;
  readonly path: string;
  readonly image: ImageRecord;
  readonly classId: number;
}

/** One class, one image of 100 x 80 px that has no file. Closed when the test ends. */
export function testProject(path = join(scratchFolder(), 'project')): TestProject {
  const store = ProjectStore.create(path, 'Test');
  onTestFinished(() => store.close());
  const classId = store.addClass('RBC').id;
  const [image] = store.addImages([newImage(join(path, 'images'), 'one.png')]);
  return { store, path: store.path, image: image!, classId };
}

export function newImage(rootPath: string, relativePath: string, contentHash = 'ab'.repeat(32)) {
  return { rootPath, relativePath, contentHash, widthPx: 100, heightPx: 80, split: null };
}

export function labelBox(imageId: string, classId: number, id: string, boxPx: BoxPx): BoxRecord {
  return {
    ...{ id, imageId, classId, boxPx, status: 'label', origin: 'person', score: null, runId: null },
    ...{ ignore: false, difficult: false, occluded: false, truncated: false },
  };
}

export function edit(
  imageId: string,
  label: string,
  boxes: readonly BoxChange[],
  state: StateChange | null = null,
): Edit {
  return { imageId, label, boxes, state };
}

export const added = (after: BoxRecord): BoxChange => ({ before: null, after });
export const removed = (before: BoxRecord): BoxChange => ({ before, after: null });
export const changed = (before: BoxRecord, after: BoxRecord): BoxChange => ({ before, after });

/** The Problem that `work` throws; fails the test where it throws none. */
export function problemIn(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('no Problem was thrown');
}

export async function problemOfAsync(work: Promise<unknown>): Promise<Problem> {
  const outcome = await work.then(
    () => new Error('no Problem was thrown'),
    (error: unknown) => error,
  );
  if (outcome instanceof Problem) return outcome;
  throw outcome;
}

export function kindOf(work: () => unknown): ProblemKind {
  return problemIn(work).kind;
}
