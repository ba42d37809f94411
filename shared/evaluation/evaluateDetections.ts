/** COCO's metrics for the program's own boxes and detections: the validation AP of a run. */
import type { BoxPx } from '../domain/box.ts';
import { heightPx, widthPx } from '../domain/box.ts';
import type { Detection } from '../loss/executor.ts';
import { type CocoMetrics, evaluateCoco } from './coco.ts';
import type { BoxXywh } from './cocoInput.ts';

export interface TruthBox {
  readonly boxPx: BoxPx;
  readonly classIndex: number;
  /** An ignore region: detections on it count neither way (COCO's crowd). */
  readonly ignore: boolean;
}

/** As CocoMetrics, null where there is nothing to be found. */
export type DetectionMetrics = {
  readonly [Name in Exclude<keyof CocoMetrics, 'perClass'>]: number | null;
} & { readonly perClass: Readonly<Record<string, number | null>> };

/**
 * Detections of each image against its boxes, both in pixels of the upright image and listed in the same order of images.
 * Class indices point into `classNames`.
 */
export function evaluateDetections(
  truthPerImage: readonly (readonly TruthBox[])[],
  detectionsPerImage: readonly (readonly Detection[])[],
  classNames: readonly string[],
): DetectionMetrics {
  const images = truthPerImage.map((_, index) => ({ id: index + 1 }));
  let nextId = 1;
  const annotations = truthPerImage.flatMap((boxes, image) =>
    boxes.map(({ boxPx, classIndex, ignore }) => ({
      id: nextId++,
      image_id: image + 1,
      category_id: classIndex,
      bbox: xywh(boxPx),
      area: widthPx(boxPx) * heightPx(boxPx),
      iscrowd: ignore ? 1 : 0,
    })),
  );
  const detections = detectionsPerImage.flatMap((found, image) =>
    found.map(({ boxPx, classIndex, score }) => ({
      image_id: image + 1,
      category_id: classIndex,
      bbox: xywh(boxPx),
      score,
    })),
  );
  const categories = classNames.map((name, id) => ({ id, name }));
  const { perClass, ...figures } = evaluateCoco({ images, annotations, categories }, detections).metrics;
  return { ...mapValues(figures, known), perClass: mapValues(perClass, known) };
}

function xywh(box: BoxPx): BoxXywh {
  return [box[0], box[1], widthPx(box), heightPx(box)];
}

function known(value: number): number | null {
  return value > -1 ? value : null;
}

function mapValues<Key extends string, From, To>(
  record: Readonly<Record<Key, From>>,
  convert: (value: From) => To,
): Record<Key, To> {
  const entries = Object.entries<From>(record).map(([key, value]) => [key, convert(value)]);
  return Object.fromEntries(entries) as Record<Key, To>;
}
