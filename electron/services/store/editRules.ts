/**
 * What an edit must be before it is stored. Boxes that reach over the image's edge are cut at it (annotation tools disagree
 * about the last pixel; nothing outside can be seen or trained on); a box without area or wholly outside is refused.
 *
 * States: the user's word stands, but for what cannot be true. `reviewed` without a label becomes `reviewed-empty` when
 * a person has just confirmed the image; an image whose review no longer fits its labels (the last one deleted, or one drawn
 * on an image reviewed as empty) goes back to `in-progress`, so that it is not trained on until somebody looks again; and
 * `reviewed-empty` is refused while labels are there.
 */
import { type BoxRecord, clipToImage, heightPx, widthPx } from '../../../shared/domain/box.ts';
import type { BoxChange, Edit } from '../../../shared/domain/edit.ts';
import {
  type ImageRecord,
  type ImageState,
  isReviewed,
  reviewedStateFor,
} from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';

/** The edit with its boxes cut at the image's edges. Throws `bad-input`. */
export function fittedEdit(edit: Edit, image: ImageRecord, hasClass: (id: number) => boolean): Edit {
  const boxes = edit.boxes.map((change): BoxChange => {
    const before = change.before && { ...change.before, boxPx: clipped(change.before, image) };
    const after = change.after && fittedBox(change.after, image, hasClass);
    for (const box of [before, after]) {
      if (box && box.imageId !== image.id) {
        throw refuse(
          `${image.relativePath}: a box of this edit belongs to another image.`,
          'Open the image again; nothing was changed.',
          box.id,
        );
      }
    }
    return { before, after };
  });
  return { ...edit, boxes };
}

function fittedBox(box: BoxRecord, image: ImageRecord, hasClass: (id: number) => boolean): BoxRecord {
  const place = `${image.relativePath}: a box at ${box.boxPx.map((value) => round(value)).join(', ')}`;
  if (!box.boxPx.every(Number.isFinite)) throw refuse(`${place} has a coordinate that is not a number.`);
  if (widthPx(box.boxPx) <= 0 || heightPx(box.boxPx) <= 0) throw refuse(`${place} has no area.`);
  const boxPx = clipped(box, image);
  if (widthPx(boxPx) <= 0 || heightPx(boxPx) <= 0) {
    throw refuse(`${place} lies outside the image (${image.widthPx} x ${image.heightPx} px).`);
  }
  if (!hasClass(box.classId))
    throw refuse(
      `${place} has a class (${box.classId}) that this project has not.`,
      'Choose a class from the list; nothing was changed.',
    );
  if (box.score !== null && !(box.score >= 0 && box.score <= 1)) {
    throw refuse(`${place} has a score (${box.score}) that is not between 0 and 1.`, 'Nothing was changed.');
  }
  return { ...box, boxPx };
}

/** The state after an edit that asked for `requested` (null: nothing) and left `labelCount` labels. */
export function stateAfter(
  current: ImageRecord,
  requested: ImageState | null,
  labelCount: number,
): ImageState {
  if (requested === 'reviewed-empty' && labelCount > 0) {
    const labels = `${labelCount} ${labelCount === 1 ? 'label' : 'labels'}`;
    throw new Problem(
      'bad-input',
      `${current.relativePath} still has ${labels}, so it is not empty.`,
      'Delete the boxes first, or mark the image as reviewed.',
    );
  }
  if (requested === 'reviewed') return reviewedStateFor(labelCount);
  return requested ?? truthfulState(current.state, labelCount);
}

/** A review that no longer fits the labels is no review. */
export function truthfulState(state: ImageState, labelCount: number): ImageState {
  return isReviewed(state) && state !== reviewedStateFor(labelCount) ? 'in-progress' : state;
}

function clipped(box: BoxRecord, image: ImageRecord): BoxRecord['boxPx'] {
  return clipToImage(box.boxPx, image.widthPx, image.heightPx);
}

function refuse(
  message: string,
  remedy = 'Draw the box again inside the image; nothing was changed.',
  detail = '',
): Problem {
  return new Problem('bad-input', message, remedy, detail);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
