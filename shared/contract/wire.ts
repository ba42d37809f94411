/**
 * One message with optional raw bytes, for transports that carry only bytes (HTTP): u32 little-endian length of the head, the head
 * (JSON as UTF-8), then the raw bytes. The head's `bytesLength` says how many belong to the body's `bytes`; null: it has none.
 */
export interface TextCoder {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export interface MessageParts {
  readonly head: Uint8Array;
  /** To follow the head: the body's own, not a copy. */
  readonly bytes: Uint8Array | null;
}

export function messageParts(coder: TextCoder, body: unknown): MessageParts {
  const record = isRecord(body) ? body : null;
  const bytes = record?.bytes instanceof Uint8Array ? record.bytes : null;
  const json = bytes ? { ...record, bytes: undefined } : body;
  const text = coder.encode(JSON.stringify({ body: json, bytesLength: bytes?.length ?? null }));
  const head = new Uint8Array(4 + text.length);
  new DataView(head.buffer).setUint32(0, text.length, true);
  head.set(text, 4);
  return { head, bytes };
}

/** In one piece. */
export function packMessage(coder: TextCoder, body: unknown): Uint8Array<ArrayBuffer> {
  const { head, bytes } = messageParts(coder, body);
  const packed = new Uint8Array(head.length + (bytes?.length ?? 0));
  packed.set(head);
  if (bytes) packed.set(bytes, head.length);
  return packed;
}

/** Throws a SyntaxError or RangeError where the message is not one of ours. */
export function unpackMessage(coder: TextCoder, packed: Uint8Array): unknown {
  const reader = new MessageReader(coder);
  reader.take(packed);
  return reader.finish();
}

/** A message as it arrives. Its raw bytes go straight into the buffer they stay in, which is theirs alone. */
export class MessageReader {
  readonly #coder: TextCoder;
  readonly #limitBytes: number;
  /** What is being filled: the head's length, the head, the raw bytes. */
  #part: Uint8Array = new Uint8Array(4);
  #filled = 0;
  #finishPart: (() => void) | null = () => this.#finishLength();
  #body: unknown;
  #failure: unknown = null;

  /** Nothing larger than `limitBytes` is allocated, whatever the message claims. */
  constructor(coder: TextCoder, limitBytes = Number.POSITIVE_INFINITY) {
    this.#coder = coder;
    this.#limitBytes = limitBytes;
  }

  /** The next bytes of the message, copied. After a failure, which `finish` tells, they are passed over. */
  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#failure) {
      const piece = chunk.subarray(at, at + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      this.#advance(at < chunk.length);
    }
  }

  /** The message. Throws a SyntaxError or RangeError where it is not one of ours, or not whole. */
  finish(): unknown {
    if (this.#failure) throw this.#failure;
    if (this.#finishPart) throw new RangeError('message shorter than it says');
    return this.#body;
  }

  #advance(moreFollows: boolean): void {
    try {
      while (this.#finishPart && this.#filled === this.#part.length) this.#finishPart();
      if (moreFollows && !this.#finishPart) throw new RangeError('message longer than it says');
    } catch (error) {
      this.#failure = error;
    }
  }

  #finishLength(): void {
    const length = new DataView(this.#part.buffer).getUint32(0, true);
    this.#expect(length, () => this.#finishHead());
  }

  #finishHead(): void {
    const head: unknown = JSON.parse(this.#coder.decode(this.#part));
    if (!isRecord(head)) throw new SyntaxError('message head is not an object');
    const { body, bytesLength = null } = head;
    this.#body = body;
    this.#finishPart = null;
    if (bytesLength === null) return;
    if (!isRecord(body)) throw new SyntaxError('bytes without an object to carry them');
    if (!Number.isSafeInteger(bytesLength) || (bytesLength as number) < 0) {
      throw new SyntaxError('bytes without a length');
    }
    this.#expect(bytesLength as number, () => {
      this.#body = { ...body, bytes: this.#part };
      this.#finishPart = null;
    });
  }

  #expect(length: number, finishPart: () => void): void {
    if (length > this.#limitBytes) throw new RangeError('message claims more than it may have');
    this.#part = new Uint8Array(length);
    this.#filled = 0;
    this.#finishPart = finishPart;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
