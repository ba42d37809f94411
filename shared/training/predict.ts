/** Detections of one image by a network whose weights are in place. */
import { buildBatch } from './batch.ts';
import { type ScaleSettings, scaleImage } from './imageSource.ts';
import type { Detection, DetectSettings, Executor } from './ports.ts';

export interface PredictImage {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

/**
 * `pixels`: upright RGB8 of the image's size. Detections come best first, in pixels of the upright image. Throws `damaged`
 * where the pixels do not fit the size, and whatever the device throws.
 */
export async function detectImage(
  executor: Executor,
  image: PredictImage,
  pixels: Uint8Array,
  sizes: ScaleSettings,
  settings: DetectSettings,
): Promise<Detection[]> {
  const scaled = scaleImage(image, pixels, sizes);
  const batch = buildBatch([{ image: { ...image, boxes: [] }, scaled, flip: false }]);
  const [detections] = await executor.detect(batch, settings);
  return detections ?? [];
}
