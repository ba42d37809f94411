/** Applying edits to the tables: new ones strictly, replayed ones (undo, redo) as a diff to what is there. */
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { Edit, StateChange } from '../../../shared/domain/edit.ts';
import type { ImageState } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type BoxTable, sameBox } from './boxTable.ts';
import type { ClassTable } from './classTable.ts';
import { fittedEdit, stateAfter, truthfulState } from './editRules.ts';
import type { ImageTable, StoredImage } from './imageTable.ts';
import type { Journal } from './journal.ts';

export interface EditTables {
  readonly images: ImageTable;
  readonly boxes: BoxTable;
  readonly classes: ClassTable;
  readonly journal: Journal;
}

/** Checks, applies and journals one edit. The caller holds a transaction. */
export function applyNewEdit(tables: EditTables, edit: Edit): void {
  const image = tables.images.find(edit.imageId);
  if (!image) throw unknownImage(edit.imageId);
  const fitted = fittedEdit(edit, image, (id) => tables.classes.has(id));
  assertUnchanged(tables, image, fitted);
  writeBoxes(tables, image, fitted);
  const state = stateAfter(image, fitted.state?.after ?? null, tables.boxes.labelCount(image.seq));
  tables.images.setState(image, state);
  const stateChange = changeOf(image.state, state);
  if (fitted.boxes.length > 0 || stateChange) {
    tables.journal.append(image.seq, { ...fitted, state: stateChange });
  }
}

/** Applies an edit of the journal, or its reverse. Proposals may have been replaced since: what is gone is added again. */
export function replayEdit(tables: EditTables, edit: Edit): void {
  const image = tables.images.get(edit.imageId);
  for (const { after } of edit.boxes) {
    if (after) tables.classes.restore(after.classId);
  }
  writeBoxes(tables, image, edit);
  const state = truthfulState(edit.state?.after ?? image.state, tables.boxes.labelCount(image.seq));
  tables.images.setState(image, state);
}

function writeBoxes(tables: EditTables, image: StoredImage, edit: Edit): void {
  for (const { before, after } of edit.boxes) {
    if (before && before.id !== after?.id) tables.boxes.remove(before.id);
    if (after) tables.boxes.put(image.seq, after);
  }
}

/** Every `before` must be what is stored: two screens must not overwrite each other's work unseen. */
function assertUnchanged(tables: EditTables, image: StoredImage, edit: Edit): void {
  if (edit.state && edit.state.before !== image.state) throw changedMeanwhile(image, 'its state');
  // An edit may touch one box twice: the later change meets the earlier one's result.
  const touched = new Map<string, BoxRecord | null>();
  const current = (id: string) => (touched.has(id) ? (touched.get(id) ?? null) : tables.boxes.find(id));
  for (const { before, after } of edit.boxes) {
    if (before) {
      const found = current(before.id);
      if (!found || !sameBox(found, before)) throw changedMeanwhile(image, 'a box', before.id);
      touched.set(before.id, null);
    }
    if (after) {
      if (current(after.id)) throw changedMeanwhile(image, 'a box', after.id);
      touched.set(after.id, after);
    }
  }
}

function changeOf(before: ImageState, after: ImageState): StateChange | null {
  return before === after ? null : { before, after };
}

function changedMeanwhile(image: StoredImage, what: string, detail = ''): Problem {
  return new Problem(
    'conflict',
    `${image.relativePath}: ${what} was changed elsewhere in the meantime, so this edit was not applied.`,
    'The image shows the newest labels again; repeat the edit if it is still needed.',
    detail,
  );
}

function unknownImage(id: string): Problem {
  return new Problem(
    'bad-input',
    `There is no image ${JSON.stringify(id)} in this project.`,
    'Reload the project.',
  );
}
