/** What a run says about its data before and while it trains. */
import { Problem } from '../domain/problem.ts';
import { countTooSmall } from './batch.ts';
import type { ScaleSettings } from './imageSource.ts';
import type { TrainingData, TrainingImage } from './ports.ts';

/** Something is left out and the run goes on. */
export interface Warning {
  readonly message: string;
  readonly remedy: string;
  readonly images: string[];
}

/** Throws `bad-input` where there is nothing to learn from. */
export function requireTrainable(data: TrainingData): void {
  if (data.classes.length === 0) {
    throw new Problem(
      'bad-input',
      'The project has no classes yet.',
      'Add a class and draw some boxes first.',
    );
  }
  if (data.train.length === 0) {
    throw new Problem(
      'bad-input',
      'There is no image to train on: only reviewed images outside the validation and test splits are.',
      'Review some images, or allow images that nobody has reviewed.',
    );
  }
  if (!data.train.some((image) => image.boxes.some((box) => !box.ignore))) {
    throw new Problem('bad-input', 'The training images bear no boxes.', 'Draw boxes on some of them first.');
  }
}

/** Null where every label is large enough. */
export function tooSmallWarning(data: TrainingData, sizes: ScaleSettings): Warning | null {
  const counts = data.train.map((image) => countTooSmall(image, sizes));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  return {
    message: `${total} ${total === 1 ? 'box is' : 'boxes are'} under one pixel wide or high at the training size and left out.`,
    remedy: 'Train at a larger size, or look at these boxes: they may be slips of the mouse.',
    images: data.train.filter((_, index) => counts[index]! > 0).map((image) => image.name),
  };
}

export function unreadableWarning(image: TrainingImage, reason: string): Warning {
  return {
    message: `${image.name} cannot be read and is left out: ${reason}`,
    remedy: 'Put the file back, or remove the image.',
    images: [image.name],
  };
}

export const changedDataWarning: Warning = {
  message: 'The labels have changed since the checkpoint.',
  remedy: 'The run goes on with the labels as they are now.',
  images: [],
};
