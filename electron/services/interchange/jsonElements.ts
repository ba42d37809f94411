/**
 * A JSON document too large for one string, element by element: for an object at the top, every member that is an array is handed out
 * item by item, every other member whole. Only brackets and quotes are looked at here; each item goes through JSON.parse.
 * A token stream of the whole takes ten times as long (and the libraries that make one are not meant for strangers' files).
 */
import { createReadStream } from 'node:fs';
import { Problem } from '../../../shared/domain/problem.ts';
import { throwIfCancelled } from '../jobs.ts';

export interface JsonElement {
  /** The member's name. */
  readonly key: string;
  readonly value: unknown;
}

export interface ElementOptions {
  readonly signal: AbortSignal;
  /** Bytes read so far. */
  readonly onProgress?: (bytes: number) => void;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** One item: far above any annotation, far below what fills the memory. */
const largestItem = 128 * 1024 * 1024;

/** Returns the names of all members, empty arrays' too. Throws a Problem naming the file where it is no JSON object, is cut off, or an item is unreadable. */
export async function readElements(
  path: string,
  file: string,
  options: ElementOptions,
  onElement: (element: JsonElement) => void,
): Promise<ReadonlySet<string>> {
  const splitter = new ElementSplitter(file, onElement);
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    throwIfCancelled(options.signal);
    splitter.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    options.onProgress?.(bytes);
  }
  splitter.end();
  return splitter.keys;
}

/**
 * Depth 1 is inside the document's object, depth 2 inside one of its arrays. Text from `#start` on is the item being collected;
 * where a chunk ends within it, it is carried over.
 */
class ElementSplitter {
  readonly keys = new Set<string>();
  readonly #file: string;
  readonly #onElement: (element: JsonElement) => void;
  #carry: Buffer[] = [];
  #carried = 0;
  #start = -1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #key: string | null = null;
  /** A member's array is being handed out item by item. */
  #inArray = false;
  #begun = false;
  #ended = false;

  constructor(file: string, onElement: (element: JsonElement) => void) {
    this.#file = file;
    this.#onElement = onElement;
  }

  push(chunk: Buffer): void {
    let at = 0;
    if (!this.#begun) at = this.#begin(chunk);
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#inString) {
        at = this.#skipString(chunk, at);
        continue;
      }
      if (byte <= 0x20) continue;
      if (this.#ended) throw this.#broken('something follows the end of the document');
      this.#structure(byte, chunk, at);
    }
    if (this.#start < 0) return;
    this.#carry.push(chunk.subarray(this.#start));
    this.#carried += chunk.length - this.#start;
    this.#start = 0;
    if (this.#carried > largestItem) throw this.#broken('one item is larger than 128 MiB');
  }

  end(): void {
    if (!this.#ended) throw this.#broken('it is cut off');
  }

  #begin(chunk: Buffer): number {
    let at = chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
    while (at < chunk.length && chunk[at]! <= 0x20) at++;
    if (at === chunk.length) return at;
    if (chunk[at] !== openBrace) throw this.#broken('it does not begin with {');
    this.#begun = true;
    this.#depth = 1;
    return at + 1;
  }

  /** To the string's last byte, or the chunk's. */
  #skipString(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) {
        this.#inString = false;
        return at;
      }
    }
    return chunk.length;
  }

  #structure(byte: number, chunk: Buffer, at: number): void {
    const itemDepth = this.#inArray ? 2 : 1;
    const atItemLevel = this.#depth === itemDepth;
    if (byte === comma && atItemLevel) this.#finishItem(chunk, at);
    else if (byte === colon && this.#depth === 1 && this.#key === null) this.#takeKey(chunk, at);
    else if (byte === openBracket && this.#depth === 1 && this.#key !== null && this.#start < 0) {
      this.#inArray = true;
      this.#depth = 2;
    } else if (byte === closeBracket && this.#inArray && this.#depth === 2) {
      this.#finishItem(chunk, at);
      this.#inArray = false;
      this.#depth = 1;
    } else if (byte === closeBrace && this.#depth === 1) {
      this.#finishItem(chunk, at);
      this.#depth = 0;
      this.#ended = true;
    } else this.#withinItem(byte, at);
  }

  #withinItem(byte: number, at: number): void {
    if (this.#start < 0) this.#start = at;
    if (byte === quote) this.#inString = true;
    else if (byte === openBrace || byte === openBracket) this.#depth++;
    else if (byte === closeBrace || byte === closeBracket) this.#depth--;
  }

  #takeKey(chunk: Buffer, at: number): void {
    const key = this.#takeText(chunk, at);
    const value = this.#parse(key);
    if (typeof value !== 'string') throw this.#broken(`${key.slice(0, 40)} is not a name`);
    this.#key = value;
    this.keys.add(value);
  }

  #finishItem(chunk: Buffer, at: number): void {
    const key = this.#key;
    if (this.#start >= 0 || this.#carried > 0) {
      const value = this.#parse(this.#takeText(chunk, at));
      if (key === null) throw this.#broken('a value has no name');
      this.#onElement({ key, value });
    }
    if (!this.#inArray) this.#key = null;
  }

  #takeText(chunk: Buffer, end: number): string {
    const start = this.#start < 0 ? end : this.#start;
    const last = chunk.subarray(start, end);
    const text =
      this.#carry.length === 0
        ? last.toString('utf8')
        : Buffer.concat([...this.#carry, last]).toString('utf8');
    this.#carry = [];
    this.#carried = 0;
    this.#start = -1;
    return text;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#broken(`${JSON.stringify(text.slice(0, 40))} is not JSON`, String(error));
    }
  }

  #broken(what: string, detail = ''): Problem {
    return new Problem(
      'bad-input',
      `${this.#file} is not readable JSON: ${what}.`,
      'Download or export the file again.',
      detail,
    );
  }
}
