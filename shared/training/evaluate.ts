/** Evaluation: detections of every image at the weights' own size, and COCO's figures over them. */
import type { FigureName } from '../evaluation/coco.ts';
import {
  type DetectionMetrics,
  evaluateDetections,
  type TruthBox,
} from '../evaluation/evaluateDetections.ts';
import { buildBatch } from './batch.ts';
import type { EvaluationEvent } from './events.ts';
import type { ImageSource } from './imageSource.ts';
import type { Detection, Executor, TrainingImage, YieldToHost } from './ports.ts';

/** As torchvision's: low enough that precision is known at every recall. */
export const evaluationScoreThreshold = 0.05;

export interface EvaluateOptions {
  readonly source: ImageSource;
  /** At most so many images, evenly spaced; 0: all. */
  readonly maxImages: number;
  /** Where the detector's classes are not the labels'; `classes` are then `match.names`. */
  readonly match?: ClassMatch;
  /** Asked between images. */
  readonly shouldStop?: () => boolean;
  readonly yieldToHost: YieldToHost;
  readonly onImage?: (done: number, total: number) => void;
}

export interface Evaluation {
  readonly metrics: DetectionMetrics;
  readonly counts: EvaluationCounts;
}

/** What the figures are made from. */
export interface EvaluationCounts {
  /** Images that were looked at; unreadable ones are not among them. */
  readonly images: number;
  /** Boxes to be found, by class; ignore regions are not among them. */
  readonly boxes: Readonly<Record<string, number>>;
  readonly detections: number;
}

/** Null where it was told to stop. */
export async function evaluateImages(
  executor: Executor,
  images: readonly TrainingImage[],
  classes: readonly string[],
  options: EvaluateOptions,
): Promise<Evaluation | null> {
  const { match } = options;
  const chosen = evenlySpaced(images, options.maxImages);
  const truth: (readonly TruthBox[])[] = [];
  const found: (readonly Detection[])[] = [];
  for (const [index, image] of chosen.entries()) {
    if (options.shouldStop?.()) return null;
    const scaled = await options.source.load(image);
    if (scaled) {
      const batch = buildBatch([{ image, scaled, flip: false }]);
      const [detections = []] = await executor.detect(batch, { scoreThreshold: evaluationScoreThreshold });
      truth.push(match ? ofCommonClasses(image.boxes, match.ofLabels) : image.boxes);
      found.push(match ? ofCommonClasses(detections, match.ofColumns) : detections);
    }
    options.onImage?.(index + 1, chosen.length);
    await options.yieldToHost();
  }
  return { metrics: evaluateDetections(truth, found, classes), counts: countAll(truth, found, classes) };
}

export function countAll(
  truth: readonly (readonly TruthBox[])[],
  found: readonly (readonly Detection[])[],
  classes: readonly string[],
): EvaluationCounts {
  const boxes = classes.map(() => 0);
  for (const box of truth.flat()) if (!box.ignore) boxes[box.classIndex]!++;
  return {
    images: truth.length,
    boxes: Object.fromEntries(classes.map((name, index) => [name, boxes[index]!])),
    detections: found.reduce((sum, { length }) => sum + length, 0),
  };
}

/** The event that a log keeps of it. */
export function evaluationEvent(
  step: number,
  split: NonNullable<EvaluationEvent['split']>,
  { metrics, counts }: Evaluation,
): EvaluationEvent {
  const { images, boxes, detections } = counts;
  const { perClass, perClass50, ...figures } = metrics;
  return {
    event: 'evaluation',
    step,
    split,
    ...(figures satisfies Record<FigureName, number | null>),
    perClass,
    perClass50,
    images,
    boxes,
    detections,
  };
}

/** Which classes of the labels a detector knows. */
export interface ClassMatch {
  /** Those that both have, in the labels' order: what can be evaluated. */
  readonly names: readonly string[];
  /** Of each class of the labels its place in `names`, -1 where the detector does not know it. */
  readonly ofLabels: readonly number[];
  /** Of each of the detector's columns its place in `names`, -1 where the labels do not have it. */
  readonly ofColumns: readonly number[];
  /** Classes of the labels that the detector does not know. */
  readonly unknown: readonly string[];
}

/** `columnOf`: of each class of the labels the detector's column, -1 for none. */
export function matchClasses(labelClasses: readonly string[], columnOf: readonly number[]): ClassMatch {
  const known = labelClasses.flatMap((_, index) => (columnOf[index]! < 0 ? [] : [index]));
  const ofColumns: number[] = [];
  for (const [place, index] of known.entries()) ofColumns[columnOf[index]!] = place;
  return {
    names: known.map((index) => labelClasses[index]!),
    ofLabels: labelClasses.map((_, index) => known.indexOf(index)),
    ofColumns: Array.from(ofColumns, (place) => place ?? -1),
    unknown: labelClasses.filter((_, index) => columnOf[index]! < 0),
  };
}

/** The boxes or detections of classes that are evaluated, under their places; `places` is one side of a `ClassMatch`. */
export function ofCommonClasses<T extends { readonly classIndex: number }>(
  boxes: readonly T[],
  places: readonly number[],
): T[] {
  return boxes.flatMap((box) => {
    const place = places[box.classIndex] ?? -1;
    return place < 0 ? [] : [{ ...box, classIndex: place }];
  });
}

/** The same images every time, from all over the set: figures of two evaluations can be compared. */
export function evenlySpaced<T>(items: readonly T[], limit: number): T[] {
  if (limit === 0 || items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)]!);
}
