/** Little-endian tensor data of a file as float32, whatever float format it is stored in and however it is aligned. */

export const floatBytes = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;
export type FloatType = keyof typeof floatBytes;

/** `count` values from `byteOffset` on. F64 is rounded to float32; F16 and BF16 are exact. */
export function readFloats(
  bytes: Uint8Array,
  byteOffset: number,
  count: number,
  type: FloatType,
): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + byteOffset, count * floatBytes[type]);
  const values = new Float32Array(count);
  switch (type) {
    case 'F32':
      for (let index = 0; index < count; index++) values[index] = view.getFloat32(index * 4, true);
      return values;
    case 'F64':
      for (let index = 0; index < count; index++) values[index] = view.getFloat64(index * 8, true);
      return values;
    case 'BF16': {
      const bits = new Uint32Array(values.buffer);
      for (let index = 0; index < count; index++) bits[index] = view.getUint16(index * 2, true) << 16;
      return values;
    }
    case 'F16':
      for (let index = 0; index < count; index++)
        values[index] = halfToFloat(view.getUint16(index * 2, true));
      return values;
    default:
      return type satisfies never;
  }
}

/** The value of an IEEE 754 half-precision bit pattern. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index]!)) return index;
  return -1;
}
