/** COCO's metrics for the program's own boxes and detections: the validation AP of a run. */
import type { BoxPx } from '../domain/box.ts';
import { heightPx, widthPx } from '../domain/box.ts';
import type { Detection } from '../loss/executor.ts';
import { type EvaluationProgress, evaluateCocoStepwise, type FigureName, runToEnd } from './coco.ts';
import type { BoxXywh } from './cocoInput.ts';

export interface TruthBox {
  readonly boxPx: BoxPx;
  readonly classIndex: number;
  /** An ignore region: detections on it count neither way (COCO's crowd). */
  readonly ignore: boolean;
}

type Figure = number | null;

/** As CocoMetrics, null where there is nothing to be found. */
export type DetectionMetrics = Readonly<Record<FigureName, Figure>> & {
  readonly perClass: Readonly<Record<string, Figure>>;
  readonly perClass50: Readonly<Record<string, Figure>>;
};

/**
 * Detections of each image against its boxes, both in pixels of the upright image and listed in the same order of images.
 * Class indices point into `classNames`.
 */
export function evaluateDetections(
  truthPerImage: readonly (readonly TruthBox[])[],
  detectionsPerImage: readonly (readonly Detection[])[],
  classNames: readonly string[],
): DetectionMetrics {
  return runToEnd(evaluateDetectionsStepwise(truthPerImage, detectionsPerImage, classNames));
}

/** As `evaluateDetections`, a class at a time. */
export function* evaluateDetectionsStepwise(
  truthPerImage: readonly (readonly TruthBox[])[],
  detectionsPerImage: readonly (readonly Detection[])[],
  classNames: readonly string[],
): Generator<EvaluationProgress, DetectionMetrics> {
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
  const truth = { images, annotations, categories };
  const { perClass, perClass50, ...figures } = (yield* evaluateCocoStepwise(truth, detections)).metrics;
  return {
    ...mapValues(figures, known),
    perClass: mapValues(perClass, known),
    perClass50: mapValues(perClass50, known),
  };
}

function xywh(box: BoxPx): BoxXywh {
  return [box[0], box[1], widthPx(box), heightPx(box)];
}

function known(value: number): Figure {
  return value > -1 ? value : null;
}

function mapValues<Key extends string, From, To>(
  record: Readonly<Record<Key, From>>,
  convert: (value: From) => To,
): Record<Key, To> {
  const entries = Object.entries<From>(record).map(([key, value]) => [key, convert(value)]);
  return Object.fromEntries(entries) as Record<Key, To>;
}
