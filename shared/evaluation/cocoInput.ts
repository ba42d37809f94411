/** COCO's JSON as the metrics read it: checked, and grouped per category and image. */
import { Problem } from '../domain/problem.ts';

/** x, y, width, height in pixels. */
export type BoxXywh = readonly [x: number, y: number, width: number, height: number];

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
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
  readonly bbox: readonly number[];
  readonly score: number;
}

export interface Truth {
  readonly id: number;
  readonly box: BoxXywh;
  readonly area: number;
  readonly crowd: boolean;
}

export interface Found {
  readonly box: BoxXywh;
  readonly score: number;
}

/** What one image has of one category, in the order of the files. */
export interface ImageCategory {
  readonly truths: Truth[];
  readonly found: Found[];
}

export interface CocoInput {
  /** Unique, ascending. */
  readonly categoryIds: readonly number[];
  /** Unique, ascending. */
  readonly imageIds: readonly number[];
  readonly names: ReadonlyMap<number, string>;
  /** category -> image -> content; only pairs with something in them. */
  readonly byCategory: ReadonlyMap<number, ReadonlyMap<number, ImageCategory>>;
}

/** Checks and groups. Throws `bad-input` naming the annotation or detection that cannot be evaluated. */
export function groupCoco(groundTruth: CocoGroundTruth, detections: readonly CocoDetection[]): CocoInput {
  const images = new Set(listOf(groundTruth.images, 'images').map((image) => idOf(image.id, 'an image')));
  const names = new Map<number, string>();
  for (const { id, name } of listOf(groundTruth.categories, 'categories')) {
    names.set(idOf(id, 'a category'), String(name));
  }
  const byCategory = new Map<number, Map<number, ImageCategory>>();
  for (const id of names.keys()) byCategory.set(id, new Map());
  const cell = (category: number, image: number): ImageCategory | null => {
    const perImage = byCategory.get(category);
    if (!perImage || !images.has(image)) return null;
    let content = perImage.get(image);
    if (!content) {
      content = { truths: [], found: [] };
      perImage.set(image, content);
    }
    return content;
  };

  const seen = new Set<number>();
  for (const annotation of listOf(groundTruth.annotations, 'annotations')) {
    const truth = truthOf(annotation);
    if (seen.has(truth.id))
      throw bad(`annotation ${truth.id} appears twice`, 'Give every annotation its own id.');
    seen.add(truth.id);
    cell(annotation.category_id, annotation.image_id)?.truths.push(truth);
  }
  detections.forEach((detection, index) => {
    if (!images.has(detection.image_id)) {
      throw bad(
        `detection ${index} is on image ${detection.image_id}, which the ground truth does not have`,
        'Evaluate detections against the annotations of the same images.',
      );
    }
    cell(detection.category_id, detection.image_id)?.found.push(foundOf(detection, index));
  });
  return { categoryIds: ascending(names.keys()), imageIds: ascending(images), names, byCategory };
}

function truthOf(annotation: CocoAnnotation): Truth {
  const id = idOf(annotation.id, 'an annotation');
  const what = `annotation ${id}`;
  const remedy = 'Write the annotations as COCO does: bbox of four numbers, area, and iscrowd 0 or 1.';
  if (annotation.iscrowd === undefined || annotation.iscrowd === null)
    throw bad(`${what} has no iscrowd`, remedy);
  if (!Number.isFinite(annotation.area)) throw bad(`${what} has no area`, remedy);
  const box = boxOf(annotation.bbox);
  if (!box) throw bad(`${what} has no valid bbox`, remedy);
  return { id, box, area: annotation.area, crowd: Number(annotation.iscrowd) !== 0 };
}

function foundOf(detection: CocoDetection, index: number): Found {
  const box = boxOf(detection.bbox);
  if (!box || !Number.isFinite(detection.score)) {
    throw bad(
      `detection ${index} has no valid ${box ? 'score' : 'bbox'}`,
      'Write the detections as COCO does: image_id, category_id, bbox of four numbers, score.',
    );
  }
  return { box, score: detection.score };
}

function boxOf(bbox: readonly number[]): BoxXywh | null {
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite)) return null;
  return bbox as unknown as BoxXywh;
}

function listOf<T>(list: readonly T[], name: string): readonly T[] {
  if (Array.isArray(list)) return list;
  throw bad(
    `the ground truth has no list "${name}"`,
    'Give a COCO file with images, annotations and categories.',
  );
}

function idOf(id: number, what: string): number {
  if (Number.isFinite(id)) return id;
  throw bad(`${what} has no numeric id`, 'Number images, annotations and categories.');
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

function bad(reason: string, remedy: string): Problem {
  return new Problem('bad-input', `Cannot evaluate: ${reason}.`, remedy);
}
