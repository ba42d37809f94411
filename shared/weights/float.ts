/**
 * Tensor data of a file as float32, whatever float format it is stored in and however it is aligned. Files are little-endian, and
 * so is every machine that runs this: typed arrays read them as they stand.
 */

export const floatBytes = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;
export type FloatType = keyof typeof floatBytes;

/**
 * `count` values from `byteOffset` on. F32 is a view of `bytes` where it is aligned to 4 bytes: not to be written to. F64 is rounded
 * to float32; F16 and BF16 are exact.
 */
export function readFloats(
  bytes: Uint8Array,
  byteOffset: number,
  count: number,
  type: FloatType,
): Float32Array {
  const size = floatBytes[type];
  const stored = bytes.subarray(byteOffset, byteOffset + count * size);
  // Not slice(): of a Node Buffer that is a view, as unaligned as it was.
  const { buffer, byteOffset: start } = stored.byteOffset % size === 0 ? stored : new Uint8Array(stored);
  switch (type) {
    case 'F32':
      return new Float32Array(buffer, start, count);
    case 'F64':
      return new Float32Array(new Float64Array(buffer, start, count));
    case 'BF16': {
      const wide = new Uint32Array(count);
      const bits = new Uint16Array(buffer, start, count);
      for (let index = 0; index < count; index++) wide[index] = bits[index]! << 16;
      return new Float32Array(wide.buffer);
    }
    case 'F16': {
      const values = new Float32Array(count);
      const bits = new Uint16Array(buffer, start, count);
      halves ??= Float32Array.from({ length: 65536 }, (_, pattern) => halfToFloat(pattern));
      for (let index = 0; index < count; index++) values[index] = halves[bits[index]!]!;
      return values;
    }
    default:
      return type satisfies never;
  }
}

/** The value of every half-precision pattern, made when the first half is read. */
let halves: Float32Array | undefined;

/** The value of an IEEE 754 half-precision bit pattern. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const exponentBits = 0x7f800000;

/** Index of the first NaN or infinity, or -1: all exponent bits set. */
export function firstNonFinite(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < bits.length; index++) {
    if ((bits[index]! & exponentBits) === exponentBits) return index;
  }
  return -1;
}
