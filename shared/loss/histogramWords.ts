/** A histogram of logits as a GPU counts it: integers, whose sum has no order. */
import { binCount, type LogitHistogram, sides } from './histogram.ts';

/** Parts of a bin that a place is rounded to. */
export const placeUnit = 65536;
/** Counts, places and squared places, each a sum of 64 bits, the lower half first: no number of steps lets it run over. */
export const wordsPerBin = 6;

export function histogramWords(classCount: number): number {
  return classCount * sides.length * binCount * wordsPerBin;
}

export function readHistogram(words: Int32Array | Uint32Array, foregroundClassCount: number): LogitHistogram {
  const bins = words.length / wordsPerBin;
  const [counts, places, squaredPlaces] = [0, 2, 4].map((field) => {
    const sums = new Float64Array(bins);
    const unit = field === 0 ? 1 : placeUnit;
    for (let bin = 0, at = field; bin < bins; bin++, at += wordsPerBin) {
      sums[bin] = ((words[at]! >>> 0) + (words[at + 1]! >>> 0) * 2 ** 32) / unit;
    }
    return sums;
  }) as [Float64Array, Float64Array, Float64Array];
  return { foregroundClassCount, counts, places, squaredPlaces };
}
