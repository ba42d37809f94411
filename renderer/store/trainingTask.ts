/** What a run is given to train on, from what the project has: pure. */
import type { RequestResult } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { TrainingImage } from '../../shared/training/ports.ts';
import type { TrainTask } from '../worker/protocol.ts';

export type ProjectTrainingData = RequestResult<'training.data'>;

export interface DataSummary {
  readonly trainImages: number;
  readonly validationImages: number;
  readonly trainBoxes: number;
  /** Boxes to train on per class, in the project's order. */
  readonly classes: readonly { readonly name: string; readonly boxes: number }[];
  /** Reviewed images that nothing was drawn on. */
  readonly emptyImages: number;
}

export function summarise(data: ProjectTrainingData): DataSummary {
  const counts = data.classes.map(() => 0);
  for (const { boxes } of data.train) {
    for (const box of boxes) if (!box.ignore) counts[box.classIndex] = (counts[box.classIndex] ?? 0) + 1;
  }
  return {
    trainImages: data.train.length,
    validationImages: data.validation.length,
    trainBoxes: counts.reduce((sum, count) => sum + count, 0),
    classes: data.classes.map((name, index) => ({ name, boxes: counts[index]! })),
    emptyImages: data.train.filter(({ boxes }) => boxes.length === 0).length,
  };
}

export function makeTask(
  run: RunRecord,
  data: ProjectTrainingData,
  options: Pick<TrainTask, 'resume' | 'initName' | 'changes'>,
): TrainTask {
  const toRun = data.classIds.map((id) => run.classIds.indexOf(id));
  return {
    runId: run.id,
    config: run.config,
    classes: run.classNames,
    train: data.train.map((image) => withRunClasses(image, toRun)),
    validation: data.validation.map((image) => withRunClasses(image, toRun)),
    ...options,
  };
}

/**
 * A run keeps the classes that it began with. Boxes of a class that was added since are no background for it: they become
 * regions to ignore.
 */
function withRunClasses(image: TrainingImage, toRun: readonly number[]): TrainingImage {
  const boxes = image.boxes.map((box) => {
    const classIndex = toRun[box.classIndex] ?? -1;
    return classIndex < 0 ? { ...box, classIndex: 0, ignore: true } : { ...box, classIndex };
  });
  return { ...image, boxes };
}

/**
 * Every fifth reviewed image without a split, evenly over their order, and at least one where there are two: what one click
 * moves to validation.
 */
export function chooseValidation(imageIds: readonly string[]): string[] {
  if (imageIds.length < 2) return [];
  const chosen = imageIds.filter((_, index) => index % 5 === 4);
  return chosen.length > 0 ? chosen : [imageIds.at(-1)!];
}
