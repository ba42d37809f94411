/**
 * A JSON reader for the headers of weight files, which come from strangers: it works on the bytes, refuses duplicate keys (where
 * JSON.parse silently keeps the last) and `__proto__`, puts objects into Maps, bounds depth and amount, and tells the byte where
 * anything is wrong.
 */
import { utf8CodePoint, utf8Length } from '../utf8.ts';

export type HeaderValue = string | number | boolean | null | HeaderValue[] | Map<string, HeaderValue>;

/** What is wrong, and the offset of the byte it was seen at. */
export class HeaderSyntaxError extends Error {
  readonly byteOffset: number;

  constructor(reason: string, byteOffset: number) {
    super(reason);
    this.name = 'HeaderSyntaxError';
    this.byteOffset = byteOffset;
  }
}

const maxDepth = 16;
/** Forty times the values of the largest real header; each costs about 100 bytes, so a hostile one stays under 64 MiB. */
const maxValues = 400_000;
const maxCharacters = 16 * 1024 * 1024;

/** The one JSON value in `bytes[start, end)`, white space around it allowed. Throws HeaderSyntaxError. */
export function parseHeaderJson(bytes: Uint8Array, start: number, end: number): HeaderValue {
  const reader = new Reader(bytes, start, end);
  const value = reader.value(0);
  reader.finish();
  return value;
}

const code = {
  quote: 0x22,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  u: 0x75,
} as const;

const escapes: ReadonlyMap<number, string> = new Map(
  [...'"\\/bfnrt'].map((char, index) => [char.charCodeAt(0), '"\\/\b\f\n\r\t'[index]!]),
);

/** What a number or a word ends at. */
const ends: ReadonlySet<number> = new Set([...' \n\r\t,:]}"'].map((char) => char.charCodeAt(0)));
const maxLiteral = 40;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #values = 0;
  #characters = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  value(depth: number): HeaderValue {
    if (depth > maxDepth) throw this.#error(`nested deeper than ${maxDepth} levels`);
    if (++this.#values > maxValues) throw this.#error(`more than ${maxValues} values`);
    this.#skipSpace();
    const byte = this.#peek();
    if (byte === code.openBrace) return this.#object(depth);
    if (byte === code.openBracket) return this.#array(depth);
    if (byte === code.quote) return this.#string();
    return this.#literal();
  }

  finish(): void {
    this.#skipSpace();
    if (this.#at < this.#end) throw this.#error('something follows the closing brace');
  }

  #object(depth: number): Map<string, HeaderValue> {
    const fields = new Map<string, HeaderValue>();
    this.#at++;
    this.#skipSpace();
    if (this.#take(code.closeBrace)) return fields;
    for (;;) {
      this.#skipSpace();
      const keyOffset = this.#at;
      if (this.#peek() !== code.quote) throw this.#error('a name in quotes should be here');
      const key = this.#string();
      if (key === '__proto__') throw new HeaderSyntaxError('the name "__proto__" is not allowed', keyOffset);
      if (fields.has(key)) {
        throw new HeaderSyntaxError(`the name ${JSON.stringify(key.slice(0, 80))} appears twice`, keyOffset);
      }
      this.#skipSpace();
      if (!this.#take(code.colon)) throw this.#error('a colon should be here');
      fields.set(key, this.value(depth + 1));
      this.#skipSpace();
      if (this.#take(code.closeBrace)) return fields;
      if (!this.#take(code.comma)) throw this.#error('a comma or a closing brace should be here');
    }
  }

  #array(depth: number): HeaderValue[] {
    const items: HeaderValue[] = [];
    this.#at++;
    this.#skipSpace();
    if (this.#take(code.closeBracket)) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      this.#skipSpace();
      if (this.#take(code.closeBracket)) return items;
      if (!this.#take(code.comma)) throw this.#error('a comma or a closing bracket should be here');
    }
  }

  #string(): string {
    this.#at++;
    const parts: string[] = [];
    let chunk: number[] = [];
    for (;;) {
      const byte = this.#peek();
      if (byte === code.quote) break;
      if (byte < 0x20) throw this.#error('a control character inside a string');
      chunk.push(byte === code.backslash ? this.#escape() : this.#utf8());
      if (++this.#characters > maxCharacters) throw this.#error('too much text');
      if (chunk.length < 4096) continue;
      parts.push(String.fromCodePoint(...chunk));
      chunk = [];
    }
    this.#at++;
    parts.push(String.fromCodePoint(...chunk));
    return parts.join('');
  }

  /** The code point of an escape sequence; both halves of a surrogate pair together. */
  #escape(): number {
    this.#at++;
    const plain = escapes.get(this.#peek());
    if (plain !== undefined) {
      this.#at++;
      return plain.charCodeAt(0);
    }
    const high = this.#hexEscape();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || !this.#take(code.backslash)) throw this.#error('half a surrogate pair');
    const low = this.#hexEscape();
    if (low < 0xdc00 || low > 0xdfff) throw this.#error('half a surrogate pair');
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  #hexEscape(): number {
    let point = 0;
    for (let index = 1; index <= 4; index++) {
      const digit = this.#at + index < this.#end ? hexDigit(this.#bytes[this.#at + index]!) : -1;
      if (this.#bytes[this.#at] !== code.u || digit < 0) throw this.#error('an unknown escape in a string');
      point = point * 16 + digit;
    }
    this.#at += 5;
    return point;
  }

  #utf8(): number {
    const point = utf8CodePoint(this.#bytes, this.#at, this.#end);
    if (point < 0) throw this.#error('text that is not UTF-8');
    this.#at += utf8Length(point);
    return point;
  }

  #literal(): HeaderValue {
    const start = this.#at;
    while (this.#at < this.#end && this.#at - start <= maxLiteral && !ends.has(this.#bytes[this.#at]!))
      this.#at++;
    const text = String.fromCharCode(...this.#bytes.subarray(start, this.#at));
    if (text === 'true' || text === 'false') return text === 'true';
    if (text === 'null') return null;
    if (/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(text)) return Number(text);
    throw new HeaderSyntaxError('a value should be here', start);
  }

  #peek(): number {
    if (this.#at >= this.#end) throw this.#error('it ends in the middle');
    return this.#bytes[this.#at]!;
  }

  #take(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
    }
  }

  #error(reason: string): HeaderSyntaxError {
    return new HeaderSyntaxError(reason, this.#at);
  }
}

/** 0 to 15, or -1. */
function hexDigit(byte: number): number {
  const lower = byte | 0x20;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
