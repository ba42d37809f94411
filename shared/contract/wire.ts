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
  const headLength = headLengthOf(packed.subarray(0, 4));
  if (4 + headLength > packed.length) throw new RangeError('message shorter than it says');
  const { body, bytesLength } = parseHead(coder, packed.subarray(4, 4 + headLength));
  const bytes = packed.slice(4 + headLength);
  if (bytes.length !== (bytesLength ?? 0)) throw new RangeError('message of another length than it says');
  return bytesLength === null ? body : { ...body, bytes };
}

/**
 * Fills the room from its start, as far as there is something, and returns what it filled: in the same buffer, or in the one that
 * took its place where a stream keeps buffers for itself. Empty: there is no more.
 */
export type ReadInto = (room: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * A message as it arrives. Its raw bytes go straight into the buffer they stay in, which is theirs alone. Nothing larger than
 * `limitBytes` is allocated, whatever the message claims. Throws as `unpackMessage` does, and what `readInto` throws.
 */
export async function readMessage(
  coder: TextCoder,
  readInto: ReadInto,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  const part = (length: number) => readExactly(readInto, length, limitBytes);
  const { body, bytesLength } = parseHead(coder, await part(headLengthOf(await part(4))));
  const message = bytesLength === null ? body : { ...body, bytes: await part(bytesLength) };
  if ((await readInto(new Uint8Array(1))).length > 0) throw new RangeError('message longer than it says');
  return message;
}

/** Reads from pieces that are somebody else's: what does not fit waits for the next call. */
export function readPieces(next: () => Promise<Uint8Array | null>): ReadInto {
  let waiting: Uint8Array = new Uint8Array();
  return async (room) => {
    while (waiting.length === 0) {
      const piece = await next();
      if (!piece) return room.subarray(0, 0);
      waiting = piece;
    }
    const taken = waiting.subarray(0, room.length);
    waiting = waiting.subarray(taken.length);
    room.set(taken);
    return room.subarray(0, taken.length);
  };
}

async function readExactly(readInto: ReadInto, length: number, limitBytes: number) {
  if (length > limitBytes) throw new RangeError('message claims more than it may have');
  let bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const filled = await readInto(bytes.subarray(at));
    if (filled.length === 0) throw new RangeError('message shorter than it says');
    bytes = new Uint8Array(filled.buffer);
    at += filled.length;
  }
  return bytes;
}

function headLengthOf(start: Uint8Array): number {
  if (start.length < 4) throw new RangeError('message shorter than its start');
  return new DataView(start.buffer, start.byteOffset).getUint32(0, true);
}

type Head =
  | { readonly body: unknown; readonly bytesLength: null }
  | { readonly body: Record<string, unknown>; readonly bytesLength: number };

function parseHead(coder: TextCoder, bytes: Uint8Array): Head {
  const head: unknown = JSON.parse(coder.decode(bytes));
  if (!isRecord(head)) throw new SyntaxError('message head is not an object');
  const { body, bytesLength = null } = head;
  if (bytesLength === null) return { body, bytesLength };
  if (!isRecord(body)) throw new SyntaxError('bytes without an object to carry them');
  if (!Number.isSafeInteger(bytesLength) || Number(bytesLength) < 0) {
    throw new SyntaxError('bytes without a length');
  }
  return { body, bytesLength: Number(bytesLength) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
