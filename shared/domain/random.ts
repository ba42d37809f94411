/**
 * Randomness as a seed and a counter: `uniform(seed, i)` is the i-th number of a named stream, in any order and on any
 * machine. FNV-1a of the name, a Weyl step per index, murmur3's 32-bit finaliser, divided by 2^32 (the same hash as the
 * reference fixtures, so that their weights can be made from names alone).
 */

/** FNV-1a over the name's UTF-8 bytes, 32 bits. */
export function fnv1a32(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash >>> 0;
}

/** The index-th uniform of the stream, in [0, 1), exact in float64. */
export function uniformAt(streamHash: number, index: number): number {
  let x = (streamHash + Math.imul(index, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296;
}

/** A stream with a position, for code that draws one number after another. `position` can be saved and restored. */
export class RandomStream {
  position: number;
  readonly #hash: number;

  constructor(name: string, position = 0) {
    this.#hash = fnv1a32(name);
    this.position = position;
  }

  /** In [0, 1). */
  uniform(): number {
    return uniformAt(this.#hash, this.position++);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal (Box-Muller; two uniforms a draw, so that the position stays a plain count). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/** A permutation of 0..count-1 (Fisher-Yates). */
export function shuffledIndices(stream: RandomStream, count: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = stream.integer(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      bytes.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return bytes;
}
