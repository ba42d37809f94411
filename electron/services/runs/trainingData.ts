/** What a run trains on and is measured on. */
import type { RequestResult } from '../../../shared/contract/requests.ts';
import { type BoxRecord, labelsOf } from '../../../shared/domain/box.ts';
import { type ImageRecord, isReviewed } from '../../../shared/domain/image.ts';
import type { ProjectStore } from '../store/projectStore.ts';

type TrainingData = RequestResult<'training.data'>;
type TrainingImage = TrainingData['train'][number];

/**
 * Trained on: reviewed images of split `train` or of none; with `includeUnreviewed` the others of these splits too. Validated on:
 * reviewed images of split `val`, always: where nobody has looked, nothing can be measured. Missing images are left out. A difficult box
 * counts as an ignore region, as in VOC's evaluation. Class indices follow the classes' order.
 */
export function trainingData(store: ProjectStore, includeUnreviewed: boolean): TrainingData {
  const classes = store.classes();
  const indexOf = new Map(classes.map(({ id }, index) => [id, index]));
  const boxes = store.boxesByImage();
  const toTrainingImage = (image: ImageRecord): TrainingImage => ({
    id: image.id,
    name: image.relativePath,
    widthPx: image.widthPx,
    heightPx: image.heightPx,
    boxes: labelsOf(boxes.get(image.id) ?? []).map((box) => trainingBox(box, indexOf.get(box.classId)!)),
  });
  const present = store.images().filter((image) => !image.missing);
  const train = present.filter(
    ({ split, state }) => (split === 'train' || split === null) && (includeUnreviewed || isReviewed(state)),
  );
  const validation = present.filter(({ split, state }) => split === 'val' && isReviewed(state));
  return {
    classIds: classes.map(({ id }) => id),
    classes: classes.map(({ name }) => name),
    train: train.map(toTrainingImage),
    validation: validation.map(toTrainingImage),
  };
}

function trainingBox(box: BoxRecord, classIndex: number): TrainingImage['boxes'][number] {
  return { boxPx: box.boxPx, classIndex, ignore: box.ignore || box.difficult };
}
