/** A run's data and files, from and to the open project. */

import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import type { RunFiles, TrainingData, TrainingImage } from '../../shared/training/ports.ts';
import { readUprightRgb8 } from '../services/images/decode.ts';
import { openableImagePath } from '../services/images/files.ts';
import type { Runs } from '../services/runs/runs.ts';
import { trainingData } from '../services/runs/trainingData.ts';
import type { ProjectStore } from '../services/store/projectStore.ts';

export interface ClassedData extends TrainingData {
  /** The project's ids of `classes`, in their order. */
  readonly classIds: readonly number[];
}

export function projectData(store: ProjectStore, includeUnreviewed: boolean): ClassedData {
  return {
    ...trainingData(store, includeUnreviewed),
    pixels: async (imageId) => {
      const path = await openableImagePath(store.rootPath(imageId), store.absolutePath(imageId));
      return (await readUprightRgb8(path)).bytes;
    },
  };
}

/** The same data with classes in the order and under the names a run began with. Throws `conflict` where they are other classes. */
export function withClassesOf(data: ClassedData, run: RunRecord): ClassedData {
  const { classIds, classNames } = run;
  const same = classIds.length === data.classIds.length && data.classIds.every((id) => classIds.includes(id));
  if (!same) {
    throw new Problem(
      'conflict',
      `The project's classes (${data.classes.join(', ')}) are no longer those of ${run.id} (${classNames.join(', ')}).`,
      `Start a new run with --init ${run.id}: classes are then matched by name.`,
    );
  }
  const newIndex = data.classIds.map((id) => classIds.indexOf(id));
  const follow = (image: TrainingImage): TrainingImage => ({
    ...image,
    boxes: image.boxes.map((box) => ({ ...box, classIndex: newIndex[box.classIndex]! })),
  });
  return {
    ...data,
    classIds,
    classes: classNames,
    train: data.train.map(follow),
    validation: data.validation.map(follow),
  };
}

export function runFilesOf(runs: Runs, runId: string): RunFiles {
  return {
    append: async (events) => {
      await runs.append(runId, events);
    },
    saveCheckpoint: async (step, weights, state, meta) => {
      const { path } = await runs.saveCheckpoint(runId, { step, meta: { ...meta }, weights, state });
      return path;
    },
  };
}
