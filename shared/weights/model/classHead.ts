/** Which of a file's class columns stands for which class: names where both sides have them, else how many there are. */
import { counted, listed } from '../../formats/records.ts';
import type { NamedTensor } from '../../loss/executor.ts';
import { backgroundName, cocoNames } from './cocoNames.ts';

/** Of the tensors whose rows are `(anchor, column)`. */
export const classHeadPrefix = 'head.classification_head.cls_logits.';

export interface ClassColumns {
  /** Logits of an anchor, a background slot included. */
  readonly columns: number;
  /** Of every column, or of all but a background in front; empty or null: nobody knows. */
  readonly names: readonly string[] | null;
}

export interface ClassPlan {
  /** For every class the column that stands for it; null: none does. */
  readonly columns: readonly (number | null)[];
  /** A sentence for people. */
  readonly note: string;
}

/**
 * Names known: columns of the same name. Names unknown, or COCO's by their number alone and none of them among the classes: as
 * many columns as classes are taken as they stand; one more, and the first is background; any other count, and none is taken.
 */
export function planClasses({ columns, names }: ClassColumns, classes: readonly string[]): ClassPlan {
  if (names && names.length > 0) {
    const offset = columns - names.length;
    const found = classes.map((name) => columnOf(names, name, offset));
    const isGuess = names === cocoNames(columns) && found.every((column) => column === null);
    if (!isGuess) return { columns: found, note: describeFound(classes, found) };
  }
  const count = classes.length;
  if (columns === count) {
    const note = `Class head: its ${counted(count, 'column', 'columns')} taken as ${listed(classes)}, in this order.`;
    return { columns: classes.map((_, index) => index), note };
  }
  if (columns === count + 1) {
    const note = `Class head: column 0 is background and left out, the others taken as ${listed(classes)}, in this order.`;
    return { columns: classes.map((_, index) => index + 1), note };
  }
  const note = `Class head: ${counted(columns, 'column', 'columns')} for ${counted(count, 'class', 'classes')}, replaced by a fresh one.`;
  return { columns: classes.map(() => null), note };
}

/** `theirs`: rows `(anchor, column, …)`; `own`: rows `(anchor, class, …)`, kept where the plan has no column. A new tensor. */
export function takeColumns(
  theirs: NamedTensor,
  theirColumns: number,
  own: NamedTensor,
  plan: readonly (number | null)[],
): NamedTensor {
  const anchors = own.shape[0]! / plan.length;
  const rowSize = own.data.length / own.shape[0]!;
  const data = own.data.slice();
  for (const [index, column] of plan.entries()) {
    if (column === null) continue;
    for (let anchor = 0; anchor < anchors; anchor++) {
      const from = (anchor * theirColumns + column) * rowSize;
      data.set(theirs.data.subarray(from, from + rowSize), (anchor * plan.length + index) * rowSize);
    }
  }
  return { ...own, data };
}

/** All tensors, the class head without the background in front of each anchor's columns. */
export function withoutFirstColumn(tensors: readonly NamedTensor[], columns: number): NamedTensor[] {
  const plan = Array.from({ length: columns - 1 }, (_, index) => index + 1);
  return tensors.map((tensor) => {
    if (!tensor.name.startsWith(classHeadPrefix)) return tensor;
    const [rows, ...rest] = tensor.shape as [number, ...number[]];
    const fewer = (rows / columns) * plan.length;
    const data = new Float32Array((tensor.data.length / rows) * fewer);
    return takeColumns(tensor, columns, { name: tensor.name, shape: [fewer, ...rest], data }, plan);
  });
}

/** The same letters, or the same but for capitals; never the background. */
function columnOf(names: readonly string[], name: string, offset: number): number | null {
  const exact = names.indexOf(name);
  const at = exact >= 0 ? exact : names.findIndex((candidate) => plain(candidate) === plain(name));
  return at < 0 || names[at] === backgroundName || offset < 0 ? null : at + offset;
}

function plain(name: string): string {
  return name.trim().toLowerCase();
}

function describeFound(classes: readonly string[], found: readonly (number | null)[]): string {
  const kept = classes.filter((_, index) => found[index] !== null);
  const fresh = classes.filter((_, index) => found[index] === null);
  if (kept.length === 0)
    return `Class head: none of its classes is ${listed(classes)}, replaced by a fresh one.`;
  const rest = fresh.length > 0 ? `, ${listed(fresh)} ${fresh.length === 1 ? 'starts' : 'start'} fresh` : '';
  return `Class head: ${listed(kept)} kept${rest}.`;
}
