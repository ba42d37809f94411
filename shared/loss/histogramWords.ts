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
  const length = words.length / wordsPerBin;
  const field = (offset: number, unit: number) =>
    Float64Array.from({ length }, (_, bin) => {
      const at = bin * wordsPerBin + offset;
      return ((words[at]! >>> 0) + (words[at + 1]! >>> 0) * 2 ** 32) / unit;
    });
  return {
    foregroundClassCount,
    counts: field(0, 1),
    places: field(2, placeUnit),
    squaredPlaces: field(4, placeUnit),
  };
}
