/** YOLO detection labels: one text an image, one line a box: class, centre x, centre y, width, height, as shares of the upright image. */
import { parse, stringify } from 'yaml';
import type { BoxPx } from '../domain/box.ts';
import type { Split } from '../domain/image.ts';
import { Problem } from '../domain/problem.ts';
import { withoutExtension } from './paths.ts';
import {
  counted,
  type FormatBox,
  type FormatImage,
  listed,
  type Note,
  plainFlags,
  type SizePx,
} from './records.ts';

export interface YoloConfig {
  /** The dataset's root as written, or null. */
  readonly path: string | null;
  /** Folders, text files with lists, or images, by split. */
  readonly entries: Readonly<Record<Split, readonly string[]>>;
  /** Class names by index; may have gaps. */
  readonly names: ReadonlyMap<number, string>;
  readonly notes: readonly Note[];
}

const largestConfig = 4 * 1024 * 1024;

/** Reads a data.yaml. Throws a Problem naming the file. */
export function readYoloConfig(text: string, file: string): YoloConfig {
  const config = parseConfig(text, file);
  const names = readNames(config.names, file);
  const notes: Note[] = [];
  if (typeof config.nc === 'number' && config.nc !== names.size) {
    const detail = `nc is ${config.nc}, but ${counted(names.size, 'name is', 'names are')} listed; the names count.`;
    notes.push({ file, kind: 'class-count', detail });
  }
  return {
    path: typeof config.path === 'string' && config.path !== '' ? config.path : null,
    entries: {
      train: entryList(config.train),
      val: entryList(config.val ?? config.valid),
      test: entryList(config.test),
    },
    names,
    notes,
  };
}

function parseConfig(text: string, file: string): Record<string, unknown> {
  const remedy = 'Correct the file, or choose the folder that holds images and labels.';
  if (text.length > largestConfig)
    throw new Problem('bad-input', `${file} is too large for a data.yaml.`, remedy);
  let value: unknown;
  try {
    // The library's own limit on aliases holds against expanding bombs.
    value = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Problem(
      'bad-input',
      `${file} is not readable YAML: ${firstLine(error)}`,
      remedy,
      String(error),
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Problem('bad-input', `${file} holds no data set: it has no names and no splits.`, remedy);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.replace(/:$/, '.');
}

/** A list, or a dict with numeric keys, in the order of the numbers. */
function readNames(value: unknown, file: string): Map<number, string> {
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((name, index) => [index, name])
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  const names = entries.map(([key, name]): [number, string] => {
    const index = Number(key);
    if (Number.isInteger(index) && index >= 0 && (typeof name === 'string' || typeof name === 'number')) {
      return [index, String(name).trim()];
    }
    throw new Problem(
      'bad-input',
      `${file}: names holds ${JSON.stringify(key)}: ${JSON.stringify(name)}, which is no class number and name.`,
      'Write names as a list, or as numbers with names.',
    );
  });
  return new Map(names.sort(([a], [b]) => a - b));
}

function entryList(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
}

/** Where an image's labels lie: the last `/images/` becomes `/labels/`, the extension `.txt`. Forward slashes. */
export function yoloLabelPath(imagePath: string): string {
  const rooted = `/${imagePath}`;
  const at = rooted.lastIndexOf('/images/');
  const moved = at < 0 ? rooted : `${rooted.slice(0, at)}/labels/${rooted.slice(at + '/images/'.length)}`;
  return `${withoutExtension(moved.slice(1))}.txt`;
}

export interface YoloRow {
  readonly classIndex: number;
  /** x1, y1, x2, y2 as shares of the image's sides. */
  readonly boxNorm: readonly [number, number, number, number];
}

export interface YoloLabels {
  /** Null where the file is one the trainers refuse: none of it is taken. */
  readonly rows: readonly YoloRow[] | null;
  readonly notes: readonly Note[];
}

/**
 * One label file by the trainers' rules: more than six columns anywhere make all lines polygons, else exactly five; a coordinate beyond
 * -0.01..1.01 or an unknown class refuses the whole file; equal lines count once.
 */
export function readYoloLabels(text: string, isClass: (index: number) => boolean, file: string): YoloLabels {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, columns: line.trim().split(/\s+/) }))
    .filter(({ columns }) => columns[0] !== '');
  const polygons = lines.some(({ columns }) => columns.length > 6);
  const rows = new Map<string, YoloRow>();
  const notes: Note[] = [];
  for (const { number, columns } of lines) {
    const row = polygons ? polygonRow(columns) : boxRow(columns);
    const wrong = typeof row === 'string' ? row : outOfRange(columns, row, isClass);
    if (typeof row === 'string' || wrong !== null) {
      const detail = `Line ${number}: ${wrong}; trainers refuse such a file, so the image stays unlabelled.`;
      return { rows: null, notes: [{ file, kind: 'bad-row', detail }] };
    }
    rows.set(columns.map(Number).join(' '), row);
  }
  if (polygons) {
    const detail = `${counted(rows.size, 'polygon', 'polygons')} read as the box around ${rows.size === 1 ? 'it' : 'them'}.`;
    notes.push({ file, kind: 'polygon', detail });
  }
  if (rows.size < lines.length) {
    const detail = `${counted(lines.length - rows.size, 'repeated line', 'repeated lines')} left out.`;
    notes.push({ file, kind: 'duplicate-row', detail });
  }
  return { rows: [...rows.values()], notes };
}

/** The row, or what is wrong with it. */
function boxRow(columns: readonly string[]): YoloRow | string {
  if (columns.length !== 5) return `${counted(columns.length, 'column', 'columns')} where five are expected`;
  const [classIndex, x, y, width, height] = columns.map(Number) as [number, number, number, number, number];
  return { classIndex, boxNorm: [x - width / 2, y - height / 2, x + width / 2, y + height / 2] };
}

function polygonRow(columns: readonly string[]): YoloRow | string {
  const [classIndex, ...points] = columns.map(Number);
  if (points.length < 4 || points.length % 2 !== 0)
    return `${points.length} numbers where x and y pairs are expected`;
  const xs = points.filter((_, index) => index % 2 === 0);
  const ys = points.filter((_, index) => index % 2 === 1);
  const boxNorm = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
  return { classIndex: classIndex!, boxNorm };
}

function outOfRange(
  columns: readonly string[],
  row: YoloRow,
  isClass: (index: number) => boolean,
): string | null {
  const values = columns.slice(1).map(Number);
  if (!values.every(Number.isFinite) || !Number.isFinite(row.classIndex))
    return 'not all columns are numbers';
  const far = values.find((value) => value > 1.01 || value < -0.01);
  if (far !== undefined) return `the coordinate ${far} is outside 0 to 1`;
  return isClass(row.classIndex) ? null : `there is no class ${row.classIndex}`;
}

/** A row's box in pixels of the upright image. */
export function yoloBoxPx(row: YoloRow, size: SizePx): BoxPx {
  const [x1, y1, x2, y2] = row.boxNorm;
  return [x1 * size.widthPx, y1 * size.heightPx, x2 * size.widthPx, y2 * size.heightPx];
}

export function yoloBoxes(
  rows: readonly YoloRow[],
  names: ReadonlyMap<number, string>,
  size: SizePx,
): FormatBox[] {
  return rows.map((row) => ({
    className: names.get(row.classIndex)!,
    boxPx: yoloBoxPx(row, size),
    ...plainFlags,
  }));
}

/** One image's label file; empty for a verified negative. `indexOf` maps class names to YOLO's indices. */
export function writeYoloLabels(image: FormatImage, indexOf: ReadonlyMap<string, number>): string {
  const kept = image.boxes.filter((box) => !box.ignore);
  const lines = kept.map(({ className, boxPx: [x1, y1, x2, y2] }) =>
    [
      indexOf.get(className)!,
      share((x1 + x2) / 2, image.widthPx),
      share((y1 + y2) / 2, image.heightPx),
      share(x2 - x1, image.widthPx),
      share(y2 - y1, image.heightPx),
    ].join(' '),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** Eight decimals: under a thousandth of a pixel on any image that can be opened. */
function share(value: number, side: number): string {
  return String(Math.round((value / side) * 1e8) / 1e8);
}

/** What YOLO cannot keep of an export, said once. */
export function yoloLosses(images: readonly FormatImage[], file: string): Note[] {
  const notes: Note[] = [];
  const withIgnored = images.filter((image) => image.boxes.some((box) => box.ignore));
  if (withIgnored.length > 0) {
    const ignored = withIgnored.flatMap((image) => image.boxes.filter((box) => box.ignore)).length;
    const where = listed(withIgnored.map((image) => image.path));
    const detail = `${counted(ignored, 'ignore region is', 'ignore regions are')} left out: YOLO has none and trains there as on background (${where}).`;
    notes.push({ file, kind: 'not-kept', detail });
  }
  const kept = images.flatMap((image) => image.boxes.filter((box) => !box.ignore));
  for (const flag of ['difficult', 'occluded', 'truncated'] as const) {
    const flagged = kept.filter((box) => box[flag]).length;
    if (flagged === 0) continue;
    const detail = `${counted(flagged, 'box is', 'boxes are')} ${flag}, which is not written: YOLO has no flags.`;
    notes.push({ file, kind: 'not-kept', detail });
  }
  return notes;
}

/** The data.yaml beside images/ and labels/; without `path`, trainers take the file's own folder. */
export function writeYoloConfig(classNames: readonly string[], splits: readonly Split[]): string {
  const folders = Object.fromEntries(splits.map((split) => [split, `images/${split}`]));
  // A Map, because an object's keys would be written as texts.
  const names = new Map(classNames.map((name, index) => [index, name]));
  return stringify({ ...folders, nc: classNames.length, names }, { lineWidth: 0 });
}
