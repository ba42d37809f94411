/** Filling, merging, cutting and moving histograms of logits. */
import {
  binCount,
  binWidth,
  highestLogit,
  type LogitHistogram,
  lowestLogit,
  type Side,
  sides,
} from './histogram.ts';

/** One distribution of x_t out of a histogram: a class and side, or sums of several. Each `[256]`. */
export interface Slice {
  readonly counts: Float64Array;
  readonly places: Float64Array;
  readonly squaredPlaces: Float64Array;
}

export function emptyHistogram(foregroundClassCount: number): LogitHistogram {
  return { foregroundClassCount, ...emptySlice(foregroundClassCount * sides.length * binCount) };
}

/** Counts the signed logit `xt` (minus the logit on background) `times` over; one that is no number is not counted. */
export function addLogit(
  histogram: LogitHistogram,
  classIndex: number,
  side: Side,
  xt: number,
  times = 1,
): void {
  const mean = (Math.min(Math.max(xt, lowestLogit), highestLogit) - lowestLogit) / binWidth;
  addEven(histogram, sliceStart(classIndex, side), { count: times, mean, deviation: 0 });
}

/** Adds `from` to `into`, which is changed; both of the same classes. */
export function addHistogram(into: LogitHistogram, from: LogitHistogram): void {
  addSlice(into, 0, from, 0, from.counts.length);
}

/** The logits of some classes and sides in one. */
export function sliceOf(
  histogram: LogitHistogram,
  classIndices: readonly number[] | 'all',
  chosen: readonly Side[],
): Slice {
  const slice = emptySlice(binCount);
  const classes = classIndices === 'all' ? Array(histogram.foregroundClassCount).keys() : classIndices;
  for (const classIndex of classes) {
    for (const side of chosen) addSlice(slice, 0, histogram, sliceStart(classIndex, side), binCount);
  }
  return slice;
}

/**
 * The histogram after `delta` is added to every logit: foreground's x_t grows by it, background's shrinks. Exact where a bin's
 * logits stay together; where they part, they are taken to lie evenly (see `binSpread`).
 */
export function shiftLogits(histogram: LogitHistogram, delta: number): LogitHistogram {
  const shifted = emptyHistogram(histogram.foregroundClassCount);
  for (let index = 0; index < histogram.counts.length; index++) {
    const count = histogram.counts[index]!;
    if (count === 0) continue;
    const bin = index % binCount;
    const side = sides[Math.floor(index / binCount) % sides.length]!;
    const { mean, deviation } = binSpread(histogram, index);
    const moved = (side === 'foreground' ? delta : -delta) / binWidth;
    spread(shifted, index - bin, { count, mean: bin + mean + moved, deviation });
  }
  return shifted;
}

/** Mean and standard deviation of the places of one bin's logits, in parts of the bin. */
export function binSpread(slice: Slice, index: number): { mean: number; deviation: number } {
  const count = slice.counts[index]!;
  const mean = slice.places[index]! / count;
  return { mean, deviation: Math.sqrt(Math.max(0, slice.squaredPlaces[index]! / count - mean * mean)) };
}

/** Where a class's side begins in a histogram's arrays. */
export function sliceStart(classIndex: number, side: Side): number {
  return (classIndex * sides.length + sides.indexOf(side)) * binCount;
}

function emptySlice(length: number): Slice {
  return {
    counts: new Float64Array(length),
    places: new Float64Array(length),
    squaredPlaces: new Float64Array(length),
  };
}

function addSlice(into: Slice, intoStart: number, from: Slice, fromStart: number, length: number): void {
  for (let offset = 0; offset < length; offset++) {
    into.counts[intoStart + offset]! += from.counts[fromStart + offset]!;
    into.places[intoStart + offset]! += from.places[fromStart + offset]!;
    into.squaredPlaces[intoStart + offset]! += from.squaredPlaces[fromStart + offset]!;
  }
}

/** So many logits about a position counted in bins from the lowest logit. */
interface Cluster {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Adds a cluster that lies in one bin, or beyond the outermost, to the bin of its mean. */
function addEven(into: Slice, start: number, { count, mean, deviation }: Cluster): void {
  const bin = Math.min(Math.max(Math.floor(mean), 0), binCount - 1);
  const place = Math.min(Math.max(mean - bin, 0), 1);
  const inside = place === mean - bin ? deviation : 0;
  into.counts[start + bin]! += count;
  into.places[start + bin]! += count * place;
  into.squaredPlaces[start + bin]! += count * (place * place + inside * inside);
}

/** Adds a cluster bin by bin. */
function spread(into: Slice, start: number, cluster: Cluster): void {
  const { count, mean, deviation } = cluster;
  const from = mean - Math.sqrt(3) * deviation;
  const to = mean + Math.sqrt(3) * deviation;
  if (Math.floor(from) === Math.floor(to)) {
    addEven(into, start, cluster);
    return;
  }
  for (let bin = Math.floor(from); bin < to; bin++) {
    const low = Math.max(from, bin);
    const high = Math.min(to, bin + 1);
    const share = (high - low) / (to - from);
    addEven(into, start, {
      count: count * share,
      mean: (low + high) / 2,
      deviation: (high - low) / Math.sqrt(12),
    });
  }
}
