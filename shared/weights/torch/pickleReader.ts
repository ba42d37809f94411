/** The bytes of a pickle, one argument of an operation after the other; nothing is read beyond their end. */
import type { Problem } from '../../domain/problem.ts';
import { decodeLatin1, decodeUtf8 } from '../utf8.ts';

/** 64 bytes hold the state of any random generator; the quadratic cost of larger integers serves attacks only. */
const maxLongBytes = 64;
const maxLine = 1 << 20;
const maxNumberLine = 80;
const newline = 0x0a;

export class PickleReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #problem: (reason: string, at: number) => Problem;

  constructor(bytes: Uint8Array, problem: (reason: string, at: number) => Problem) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#problem = problem;
  }

  get atEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  error(reason: string): Problem {
    return this.#problem(reason, this.at);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Beyond 2^53 not exact, but then beyond any pickle's end. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Big-endian, alone among all numbers of a pickle. */
  f64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** An integer of `length` little-endian bytes, in two's complement. */
  long(length: number): number | bigint {
    if (length > maxLongBytes) throw this.error(`an integer has ${length} bytes`);
    if (length === 0) return 0;
    const stored = this.bytes(length);
    // Filled up with the sign to whole words, which are quicker than bytes.
    const words = new Uint8Array(Math.ceil(length / 8) * 8).fill(stored.at(-1)! & 0x80 ? 0xff : 0);
    words.set(stored);
    const view = new DataView(words.buffer);
    let value = view.getBigInt64(words.length - 8, true);
    for (let at = words.length - 16; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
    return smallest(value);
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Python 2's strings, and paths on a disk, may be bytes that are no text: they stay bytes. */
  text(length: number): string | Uint8Array {
    const start = this.#take(length);
    return decodeUtf8(this.#bytes, start, start + length) ?? this.#bytes.subarray(start, start + length);
  }

  frame(): void {
    const length = this.u64();
    if (this.at + length > this.#bytes.length) throw this.error('a frame is longer than the file');
  }

  /** UTF-8 up to the next line feed, which is taken too. */
  line(): string {
    const [start, end] = this.#line();
    const text = decodeUtf8(this.#bytes, start, end);
    if (text === null) throw this.error('a text is not UTF-8');
    return text;
  }

  intLine(): number | bigint | boolean {
    const text = this.#numberLine();
    return text === '00' ? false : text === '01' ? true : this.#integer(text);
  }

  longLine(): number | bigint {
    return this.#integer(this.#numberLine().replace(/L$/, ''));
  }

  #numberLine(): string {
    const [start, end] = this.#line();
    if (end - start > maxNumberLine) throw this.error('a number is too long');
    return decodeLatin1(this.#bytes, start, end);
  }

  #integer(text: string): number | bigint {
    if (!/^[-+]?[0-9]+$/.test(text)) throw this.error('a number is not one');
    return smallest(BigInt(text.replace(/^\+/, '')));
  }

  #line(): readonly [start: number, end: number] {
    const start = this.at;
    const end = this.#bytes.subarray(start, start + maxLine).indexOf(newline);
    if (end < 0) throw this.error('a line has no end');
    this.at = start + end + 1;
    return [start, start + end];
  }

  #take(length: number): number {
    const start = this.at;
    if (start + length > this.#bytes.length) {
      throw this.error(`${length} more bytes are promised where ${this.#bytes.length - start} are left`);
    }
    this.at = start + length;
    return start;
  }
}

function smallest(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}
