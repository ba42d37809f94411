/** COCO's JSON as the metrics read it: checked, and grouped per category and image. */
import { Problem } from '../domain/problem.ts';

/** x, y, width, height in pixels. */
export type BoxXywh = readonly [x: number, y: number, width: number, height: number];

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  /** A `BoxXywh`. */
  readonly bbox: readonly number[];
  /** Decides the size class; of a segmentation it is smaller than the box's. */
  readonly area: number;
  /** 1: a crowd, neither to be found nor to be punished. A separate `ignore` field has no effect, as in pycocotools. */
  readonly iscrowd: number | boolean;
}

export interface CocoGroundTruth {
  readonly images: readonly { readonly id: number }[];
  readonly annotations: readonly CocoAnnotation[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

export interface CocoDetection {
  readonly image_id: number;
  readonly category_id: number;
  /** A `BoxXywh`. */
  readonly bbox: readonly number[];
  readonly score: number;
}

/** What one image has of one category, in the order of the files. */
export interface ImageCategory {
  readonly truths: CocoAnnotation[];
  readonly found: CocoDetection[];
}

export interface CocoInput {
  /** Unique, ascending. */
  readonly categoryIds: readonly number[];
  /** Unique, ascending. */
  readonly imageIds: readonly number[];
  readonly names: ReadonlyMap<number, string>;
  /** category -> image -> content; only pairs with something in them. */
  readonly byCategory: ReadonlyMap<number, ReadonlyMap<number, ImageCategory>>;
  /** Detections of categories that the ground truth does not have: not counted, as in pycocotools. */
  readonly strangers: Strangers;
}

export interface Strangers {
  readonly detections: number;
  /** Ascending. */
  readonly categoryIds: readonly number[];
}

const truthRemedy =
  'Write every annotation as COCO does: id, image_id, category_id, bbox as [x, y, width, height], area, and iscrowd 0 or 1.';
const foundRemedy =
  'Write every detection as COCO does: image_id, category_id, bbox as [x, y, width, height], score.';
const listRemedy = 'Give a COCO file with images, annotations and categories, each with a number as its id.';

/** Checks and groups. Throws `bad-input` naming the entry and the field that cannot be evaluated. */
export function groupCoco(groundTruth: CocoGroundTruth, detections: readonly CocoDetection[]): CocoInput {
  const imageIds = new Set(entriesOf(groundTruth, 'images').map(({ id }) => id));
  const names = new Map(entriesOf(groundTruth, 'categories').map(({ id, name }) => [id, String(name ?? id)]));
  const byCategory = new Map<number, Map<number, ImageCategory>>();
  for (const id of names.keys()) byCategory.set(id, new Map());
  const contentOf = (categoryId: number, imageId: number): ImageCategory | null => {
    const perImage = byCategory.get(categoryId);
    if (!perImage || !imageIds.has(imageId)) return null;
    let content = perImage.get(imageId);
    if (!content) {
      content = { truths: [], found: [] };
      perImage.set(imageId, content);
    }
    return content;
  };

  const indexOfId = new Map<number, number>();
  entriesOf(groundTruth, 'annotations').forEach((truth, index) => {
    checkTruth(truth, index);
    const before = indexOfId.get(truth.id);
    if (before !== undefined)
      throw bad(`annotations[${before}] and [${index}] both have the id ${truth.id}`, truthRemedy);
    indexOfId.set(truth.id, index);
    contentOf(truth.category_id, truth.image_id)?.truths.push(truth);
  });
  const strangeIds = new Set<number>();
  let strangeCount = 0;
  listOf(detections, 'the detections are').forEach((detection, index) => {
    checkFound(detection, index);
    const { image_id, category_id } = detection;
    if (!imageIds.has(image_id)) {
      throw bad(
        `detections[${index}] has the image_id ${image_id}, which the ground truth does not have`,
        'Evaluate detections against the annotations of the same images.',
      );
    }
    const content = contentOf(category_id, image_id);
    if (content) content.found.push(detection);
    else {
      strangeCount++;
      strangeIds.add(category_id);
    }
  });
  return {
    categoryIds: ascending(names.keys()),
    imageIds: ascending(imageIds),
    names,
    byCategory,
    strangers: { detections: strangeCount, categoryIds: ascending(strangeIds) },
  };
}

function checkTruth(truth: CocoAnnotation, index: number): void {
  const what = `annotations[${index}] (id ${truth.id})`;
  requireNumbers(truth, ['image_id', 'category_id', 'area'], what, truthRemedy);
  requireBox(truth, what, truthRemedy);
  const { iscrowd } = truth;
  if (typeof iscrowd !== 'boolean') requireNumbers({ iscrowd }, ['iscrowd'], what, truthRemedy);
}

function checkFound(detection: CocoDetection, index: number): void {
  const what = `detections[${index}]`;
  requireObject(detection, what, foundRemedy);
  requireNumbers(detection, ['image_id', 'category_id', 'score'], what, foundRemedy);
  requireBox(detection, what, foundRemedy);
}

/** A list of the ground truth whose entries all have a numeric id. */
function entriesOf<Name extends 'images' | 'annotations' | 'categories'>(
  groundTruth: CocoGroundTruth,
  name: Name,
): CocoGroundTruth[Name] {
  const list = listOf(groundTruth[name], `the ground truth's "${name}" is`);
  list.forEach((entry, index) => {
    const what = `${name}[${index}]`;
    requireObject(entry, what, listRemedy);
    requireNumbers(entry, ['id'], what, listRemedy);
  });
  return list;
}

function listOf<List extends readonly unknown[]>(list: List, what: string): List {
  if (Array.isArray(list)) return list;
  throw bad(`${what} ${list === undefined ? 'missing' : 'no list'}`, listRemedy);
}

function requireObject(entry: unknown, what: string, remedy: string): void {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw bad(`${what} is no object`, remedy);
}

function requireNumbers<Name extends string>(
  entry: Readonly<Record<Name, unknown>>,
  fields: readonly Name[],
  what: string,
  remedy: string,
): void {
  for (const field of fields) {
    const value = entry[field];
    if (!Number.isFinite(value)) throw badField(what, field, value, 'a number', remedy);
  }
}

function requireBox(
  entry: { bbox: readonly number[]; segmentation?: unknown },
  what: string,
  remedy: string,
) {
  const { bbox } = entry;
  if (Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite)) return;
  const outlined = bbox == null && entry.segmentation != null;
  throw outlined
    ? bad(`${what} has a segmentation and no bbox`, `Only boxes are evaluated. ${remedy}`)
    : badField(what, 'bbox', bbox, 'four numbers', remedy);
}

function badField(what: string, field: string, value: unknown, wanted: string, remedy: string): Problem {
  if (value === undefined) return bad(`${what} has no ${field}`, remedy);
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value).slice(0, 60);
  return bad(`the ${field} of ${what} is ${shown} and not ${wanted}`, remedy);
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

function bad(reason: string, remedy: string): Problem {
  return new Problem('bad-input', `Cannot evaluate: ${reason}.`, remedy);
}
