/** Validation: detections of every image at the run's own size, and COCO's figures over them. */
import { type DetectionMetrics, evaluateDetections } from '../evaluation/evaluateDetections.ts';
import { buildBatch } from './batch.ts';
import type { ImageSource } from './imageSource.ts';
import type { Detection, Executor, TrainingImage, YieldToHost } from './ports.ts';

/** As torchvision's: low enough that precision is known at every recall. */
export const evaluationScoreThreshold = 0.05;

export interface EvaluateOptions {
  readonly source: ImageSource;
  /** At most so many images, evenly spaced; 0: all. */
  readonly maxImages: number;
  /** Asked between images. */
  readonly shouldStop?: () => boolean;
  readonly yieldToHost: YieldToHost;
  readonly onImage?: (done: number, total: number) => void;
}

export interface Evaluation {
  readonly metrics: DetectionMetrics;
  /** Images that were looked at; unreadable ones are not among them. */
  readonly images: number;
}

/** Null where it was told to stop. */
export async function evaluateImages(
  executor: Executor,
  images: readonly TrainingImage[],
  classes: readonly string[],
  options: EvaluateOptions,
): Promise<Evaluation | null> {
  const chosen = evenlySpaced(images, options.maxImages);
  const seen: TrainingImage[] = [];
  const found: Detection[][] = [];
  for (const [index, image] of chosen.entries()) {
    if (options.shouldStop?.()) return null;
    const scaled = await options.source.load(image);
    if (scaled) {
      const batch = buildBatch([{ image, scaled, flip: false }]);
      const [detections] = await executor.detect(batch, { scoreThreshold: evaluationScoreThreshold });
      seen.push(image);
      found.push(detections ?? []);
    }
    options.onImage?.(index + 1, chosen.length);
    await options.yieldToHost();
  }
  const truth = seen.map((image) => image.boxes);
  return { metrics: evaluateDetections(truth, found, classes), images: seen.length };
}

/** The same images every time, from all over the set: figures of two evaluations can be compared. */
export function evenlySpaced<T>(items: readonly T[], limit: number): T[] {
  if (limit === 0 || items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)]!);
}
