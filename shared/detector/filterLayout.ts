/** Filters as torch keeps them, and as devices read them. */

/** Outputs that are moved together: as many floats as a cache line has, so that each line is read and written once. */
const outputsAtOnce = 16;

/** Between `[output][input][tap]` and `[tap][input][output]`. */
export function permuteFilter(
  data: Float32Array,
  outputs: number,
  inputs: number,
  taps: number,
  direction: 'toDevice' | 'toTorch',
): Float32Array {
  const permuted = new Float32Array(data.length);
  const toDevice = direction === 'toDevice';
  for (let first = 0; first < outputs; first += outputsAtOnce) {
    const end = Math.min(outputs, first + outputsAtOnce);
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        let torch = (first * inputs + input) * taps + tap;
        const row = (tap * inputs + input) * outputs;
        for (let device = row + first; device < row + end; device++, torch += inputs * taps) {
          if (toDevice) permuted[device] = data[torch]!;
          else permuted[torch] = data[device]!;
        }
      }
    }
  }
  return permuted;
}
