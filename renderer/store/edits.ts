/** From what a person did to an edit: a reversible diff of one image, its state included. Pure. */
import { type BoxRecord, labelsOf } from '../../shared/domain/box.ts';
import type { BoxChange, Edit } from '../../shared/domain/edit.ts';
import { applyEdit } from '../../shared/domain/edit.ts';
import type { ImageRecord, ImageState } from '../../shared/domain/image.ts';

export interface ImageDocument {
  readonly image: ImageRecord;
  readonly boxes: readonly BoxRecord[];
}

/**
 * The state an image falls into when its labels change. A confirmation that the labels no longer bear out is taken back:
 * nobody has said that what is there now is all there is.
 */
export function stateAfterLabels(state: ImageState, labelCount: number): ImageState {
  switch (state) {
    case 'unlabelled':
      return labelCount > 0 ? 'in-progress' : 'unlabelled';
    case 'in-progress':
      return 'in-progress';
    case 'reviewed':
      return labelCount > 0 ? 'reviewed' : 'in-progress';
    case 'reviewed-empty':
      return labelCount > 0 ? 'in-progress' : 'reviewed-empty';
  }
  return state satisfies never;
}

export function editOf(
  { image, boxes }: ImageDocument,
  label: string,
  changes: readonly BoxChange[],
  state?: ImageState,
): Edit {
  const boxEdit: Edit = { imageId: image.id, label, boxes: changes, state: null };
  const after = state ?? stateAfterLabels(image.state, labelsOf(applyEdit(boxes, boxEdit)).length);
  return { ...boxEdit, state: after === image.state ? null : { before: image.state, after } };
}

/** The image with an edit in it: boxes, state and counts. */
export function withEdit(document: ImageDocument, edit: Edit): ImageDocument {
  const boxes = applyEdit(document.boxes, edit);
  const labelCount = labelsOf(boxes).length;
  return {
    boxes,
    image: {
      ...document.image,
      state: edit.state?.after ?? document.image.state,
      labelCount,
      proposalCount: boxes.length - labelCount,
    },
  };
}

/** Two edits of one gesture (a row of nudges) as one, so that one undo takes the whole gesture back. */
export function mergeEdits(first: Edit, second: Edit): Edit {
  const changes = new Map(first.boxes.map((change) => [idOf(change), change]));
  for (const change of second.boxes) {
    const id = idOf(change);
    changes.set(id, { before: (changes.get(id) ?? change).before, after: change.after });
  }
  const before = first.state?.before ?? second.state?.before;
  const after = second.state?.after ?? first.state?.after;
  return {
    imageId: first.imageId,
    label: second.label,
    boxes: [...changes.values()].filter((change) => change.before !== null || change.after !== null),
    state: before !== undefined && after !== undefined && before !== after ? { before, after } : null,
  };
}

function idOf(change: BoxChange): string {
  return (change.after ?? change.before)!.id;
}
