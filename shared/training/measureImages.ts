/** Where the logits of fixed weights lie on a fixed set of images: the converged view, where a run's own snapshots mix model states. */
import { toProblemData } from '../domain/problem.ts';
import type { HardAnchor, MeasureSettings } from '../loss/executor.ts';
import type { LogitHistogram } from '../loss/histogram.ts';
import { addHistogram, emptyHistogram } from '../loss/histogramOps.ts';
import { buildBatch } from './batch.ts';
import { type ScaledImage, type ScaleSettings, scaleImage } from './imageSource.ts';
import type { Executor, TrainingData, TrainingImage } from './ports.ts';

export interface MeasuredImages {
  readonly histogram: LogitHistogram;
  /** Over all images, heaviest first. */
  readonly hardest: readonly HardAnchor[];
  /** Images that were measured. */
  readonly images: number;
  /** Anchors matched to an object, over all of them. */
  readonly positives: number;
  /** Those that could not be read, and why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

export interface ImagesToMeasure extends Pick<TrainingData, 'classes' | 'pixels'>, ScaleSettings {
  readonly images: readonly TrainingImage[];
}

/** One image after another, upright and unmirrored. `onProgress` may throw to end it. */
export async function measureImages(
  executor: Pick<Executor, 'measure'>,
  { images, classes, pixels, ...sizes }: ImagesToMeasure,
  settings: MeasureSettings,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<MeasuredImages> {
  const histogram = emptyHistogram(classes.length);
  const leftOut: { name: string; reason: string }[] = [];
  let hardest: HardAnchor[] = [];
  let positives = 0;
  for (const [index, image] of images.entries()) {
    onProgress(index, images.length);
    let scaled: ScaledImage;
    try {
      scaled = scaleImage(image, await pixels(image.id), sizes);
    } catch (error) {
      leftOut.push({ name: image.name, reason: toProblemData(error).message });
      continue;
    }
    const measured = await executor.measure(buildBatch([{ image, scaled, flip: false }]), settings);
    addHistogram(histogram, measured.histogram);
    positives += measured.positives;
    hardest = [...hardest, ...measured.hardest].sort((a, b) => b.loss - a.loss).slice(0, settings.hardest);
  }
  onProgress(images.length, images.length);
  return { histogram, hardest, images: images.length - leftOut.length, positives, leftOut };
}
