/**
 * The course of a run in bounded memory: a row of numbers per step until there are `maxRows`, then neighbours are merged into
 * their mean, so that a run of a million steps costs what one of a thousand does. Rows lie in one array that is only ever
 * added to: a course that someone still holds stays as it was, and adding a step copies nothing.
 */
import type { ClassBalanceEvent, StepEvent } from '../../shared/training/events.ts';

export const maxRows = 1024;

const headFields = ['step', 'stepCount', 'classification', 'box', 'positives'] as const;
type HeadField = (typeof headFields)[number];
const classFields = [
  'foreground',
  'backgroundTrue',
  'backgroundOther',
  'positives',
  'backgroundTrueAnchors',
  'backgroundOtherAnchors',
  'foregroundGradient',
  'backgroundTrueGradient',
  'backgroundOtherGradient',
] as const;
export type ClassField = (typeof classFields)[number];

/** `headFields`, then `classFields` of each class. NaN: not known. */
export type Row = Float64Array;

/** The mean of one or more consecutive steps. */
export interface HistoryPoint {
  /** The last step in it. */
  readonly step: number;
  /** How many steps it is the mean of. */
  readonly stepCount: number;
  readonly classification: number;
  readonly box: number;
  readonly positives: number;
  readonly balance: readonly ClassBalanceEvent[];
}

export interface Course {
  readonly classNames: readonly string[];
  /** Steps a full row stands for: 1, then 2, 4, ... */
  readonly stride: number;
  /** Full rows. */
  readonly full: number;
  readonly store: Store;
  /** The newest row, while it stands for fewer steps than a full one. */
  readonly partial: Row | null;
}

/** Shared by courses that grew out of each other: each reads its own `full` rows. */
interface Store {
  readonly values: Float64Array;
  used: number;
}

export function emptyCourse(classNames: readonly string[]): Course {
  return { classNames, stride: 1, full: 0, store: { values: new Float64Array(0), used: 0 }, partial: null };
}

export function courseLength(course: Course): number {
  return course.full + (course.partial ? 1 : 0);
}

/** Read only. */
export function rowAt(course: Course, index: number): Row {
  if (index === course.full && course.partial) return course.partial;
  const width = rowWidth(course.classNames.length);
  return course.store.values.subarray(index * width, (index + 1) * width);
}

export function rowOf(event: StepEvent, classNames: readonly string[]): Row {
  const row = new Float64Array(rowWidth(classNames.length)).fill(Number.NaN);
  row.set([event.step, 1, event.classification, event.box, event.positives]);
  event.balance.forEach((entry, position) => {
    const index = classNames[position] === entry.class ? position : classNames.indexOf(entry.class);
    if (index < 0) return;
    const start = rowWidth(index);
    for (let field = 0; field < classFields.length; field++) {
      row[start + field] = entry[classFields[field]!] ?? Number.NaN;
    }
  });
  return row;
}

export function appendRow(course: Course, row: Row): Course {
  const partial = course.partial ? meanRow([course.partial, row]) : row;
  if (partial[1]! < course.stride) return { ...course, partial };
  const grown = appendFull({ ...course, partial: null }, partial);
  return grown.full > maxRows ? mergePairs(grown) : grown;
}

function appendFull(course: Course, row: Row): Course {
  const start = course.full * row.length;
  let { store } = course;
  // Where another course went on from here already, or the array is full, this one goes on in a copy.
  if (store.used !== course.full || store.values.length < start + row.length) {
    const rows = Math.min(Math.max(2 * course.full, 64), maxRows + 1);
    const values = new Float64Array(rows * row.length);
    values.set(store.values.subarray(0, start));
    store = { values, used: course.full };
  }
  store.values.set(row, start);
  store.used++;
  return { ...course, full: store.used, store };
}

function mergePairs(course: Course): Course {
  const even = course.full & ~1;
  let merged: Course = { ...emptyCourse(course.classNames), stride: course.stride * 2 };
  for (let index = 0; index < even; index += 2) {
    merged = appendFull(merged, meanRow([rowAt(course, index), rowAt(course, index + 1)]));
  }
  return course.full > even ? { ...merged, partial: rowAt(course, even).slice() } : merged;
}

/** Without what came after `step`. */
export function courseUpTo(course: Course, step: number): Course {
  let { full } = course;
  while (full > 0 && rowAt(course, full - 1)[0]! > step) full--;
  const partial = course.partial && course.partial[0]! <= step ? course.partial : null;
  return { ...course, full, partial };
}

/** The first row whose last step is `step` or later; the length where there is none. */
export function rowIndexOf(course: Course, step: number): number {
  let low = 0;
  let high = courseLength(course);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rowAt(course, middle)[0]! < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Each row weighs as many steps as it stands for. */
export function meanRow(rows: readonly Row[]): Row {
  const mean = new Float64Array(rows[0]!.length);
  let stepCount = 0;
  for (const row of rows) {
    stepCount += row[1]!;
    for (let index = 2; index < mean.length; index++) mean[index]! += row[index]! * row[1]!;
  }
  for (let index = 2; index < mean.length; index++) mean[index]! /= stepCount;
  mean[0] = rows.at(-1)![0]!;
  mean[1] = stepCount;
  return mean;
}

export function pointOf(row: Row, classNames: readonly string[]): HistoryPoint {
  const [step, stepCount, classification, box, positives] = row as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  const balance = classNames.flatMap((name, index) => {
    const entry = balanceOf(row.subarray(rowWidth(index), rowWidth(index + 1)), name);
    return Number.isNaN(entry.foreground) ? [] : [entry];
  });
  return { step, stepCount, classification, box, positives, balance };
}

function balanceOf(values: Float64Array, name: string): ClassBalanceEvent {
  return {
    class: name,
    foreground: values[0]!,
    background: values[1]! + values[2]!,
    backgroundTrue: values[1]!,
    backgroundOther: values[2]!,
    positives: values[3]!,
    backgroundTrueAnchors: values[4]!,
    backgroundOtherAnchors: values[5]!,
    ...(!Number.isNaN(values[6]!) && {
      foregroundGradient: values[6]!,
      backgroundTrueGradient: values[7]!,
      backgroundOtherGradient: values[8]!,
    }),
  };
}

/** One number of every row, oldest first. */
export function courseColumn(course: Course, field: HeadField): Float64Array {
  return column(course, headFields.indexOf(field));
}

/** One number of a class over the course; empty where the run does not know the class. */
export function classColumn(course: Course, className: string, field: ClassField): Float64Array {
  const index = course.classNames.indexOf(className);
  return index < 0 ? new Float64Array(0) : column(course, rowWidth(index) + classFields.indexOf(field));
}

function column(course: Course, offset: number): Float64Array {
  const values = new Float64Array(courseLength(course));
  for (let index = 0; index < values.length; index++) values[index] = rowAt(course, index)[offset]!;
  return values;
}

function rowWidth(classCount: number): number {
  return headFields.length + classCount * classFields.length;
}
