/** The few numpy routines whose rounding COCO's figures carry. */

/**
 * The mean as numpy 1.24 takes it of a contiguous float64 array: pairwise sums of chunks of 8,192 elements, added one after
 * another. A plain loop differs in the last digits.
 */
export function numpyMean(values: Float64Array): number {
  let sum = 0;
  for (let start = 0; start < values.length; start += 8192) {
    sum += pairwiseSum(values, start, Math.min(8192, values.length - start));
  }
  return sum / values.length;
}

function pairwiseSum(values: Float64Array, start: number, count: number): number {
  if (count > 128) {
    const half = Math.floor(count / 2);
    const left = half - (half % 8);
    return pairwiseSum(values, start, left) + pairwiseSum(values, start + left, count - left);
  }
  const end = start + count;
  let at = start;
  let sum = 0;
  if (count >= 8) {
    // Eight running sums, as numpy unrolls them.
    const lanes = values.slice(start, start + 8);
    for (at = start + 8; at + 8 <= end; at += 8) {
      for (let lane = 0; lane < 8; lane++) lanes[lane]! += values[at + lane]!;
    }
    sum = lanes[0]! + lanes[1]! + (lanes[2]! + lanes[3]!) + (lanes[4]! + lanes[5]! + (lanes[6]! + lanes[7]!));
  }
  for (; at < end; at++) sum += values[at]!;
  return sum;
}

/** Index of the first element of an ascending array that is not below `value`; its length where all are. */
export function searchSortedLeft(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Indices in descending order of the values, equal values in their order (numpy's mergesort of the negated values). */
export function descendingOrder(values: ArrayLike<number>): number[] {
  const order = Array.from({ length: values.length }, (_, index) => index);
  return order.sort((a, b) => values[b]! - values[a]!);
}
