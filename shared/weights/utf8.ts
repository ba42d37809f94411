/** Strict UTF-8 for text inside files from strangers: no overlong form, no surrogate, nothing above U+10FFFF. */

/** The code point at `at`, or -1 where `bytes[at, end)` does not begin with a whole valid one. */
export function utf8CodePoint(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (at >= end) return -1;
  if (first < 0x80) return first;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > end) return -1;
  let point = first & (0xff >> (length + 1));
  for (let index = 1; index < length; index++) {
    const next = bytes[at + index]!;
    if ((next & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (next & 0x3f);
  }
  const overlong = utf8Length(point) < length;
  return overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? -1 : point;
}

/** Bytes of a code point. */
export function utf8Length(point: number): number {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

/** The text of `bytes[start, end)`, or null where it is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | null {
  const parts: string[] = [];
  let points: number[] = [];
  for (let at = start; at < end; ) {
    const point = utf8CodePoint(bytes, at, end);
    if (point < 0) return null;
    at += utf8Length(point);
    if (points.push(point) < 4096) continue;
    parts.push(String.fromCodePoint(...points));
    points = [];
  }
  parts.push(String.fromCodePoint(...points));
  return parts.join('');
}

/** Every byte as the character of that number: for names that are compared, not understood. */
export function decodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 4096, end)));
  }
  return text;
}
