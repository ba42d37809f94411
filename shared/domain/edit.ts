/** An edit is a reversible diff of one image's boxes and state: the unit of saving, of the journal and of undo. */
import type { BoxRecord } from './box.ts';
import type { ImageState } from './image.ts';

/** `before` null: added. `after` null: removed. Both: changed. */
export interface BoxChange {
  readonly before: BoxRecord | null;
  readonly after: BoxRecord | null;
}

export interface StateChange {
  readonly before: ImageState;
  readonly after: ImageState;
}

export interface Edit {
  readonly imageId: string;
  /** What the user did, for the undo button: "Draw box". */
  readonly label: string;
  readonly boxes: readonly BoxChange[];
  readonly state: StateChange | null;
}

export function reverseEdit(edit: Edit): Edit {
  return {
    ...edit,
    boxes: edit.boxes.map(({ before, after }) => ({ before: after, after: before })).reverse(),
    state: edit.state && { before: edit.state.after, after: edit.state.before },
  };
}

/**
 * The boxes after the edit, unchanged boxes in their order, new ones last. A change whose `before` is gone is an addition again:
 * a diff applies to what is there.
 */
export function applyEdit(boxes: readonly BoxRecord[], edit: Edit): BoxRecord[] {
  const next = new Map(boxes.map((box) => [box.id, box]));
  for (const { before, after } of edit.boxes) {
    if (before && (!after || after.id !== before.id)) next.delete(before.id);
    if (after) next.set(after.id, after);
  }
  return [...next.values()];
}
