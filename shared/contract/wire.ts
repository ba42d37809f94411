/**
 * One message with optional raw bytes in one buffer, for transports that carry only bytes (HTTP): u32 little-endian length of the JSON, the
 * JSON as UTF-8, then the bytes. The JSON's `hasBytes` says whether a `bytes` field belongs to it.
 */
export interface TextCoder {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export function packMessage(coder: TextCoder, body: unknown): Uint8Array {
  const record = isRecord(body) ? body : null;
  const payload = record?.bytes instanceof Uint8Array ? record.bytes : null;
  const json = payload ? { ...record, bytes: undefined } : body;
  const head = coder.encode(JSON.stringify({ body: json, hasBytes: payload !== null }));
  const packed = new Uint8Array(4 + head.length + (payload?.length ?? 0));
  new DataView(packed.buffer).setUint32(0, head.length, true);
  packed.set(head, 4);
  if (payload) packed.set(payload, 4 + head.length);
  return packed;
}

/** Throws a SyntaxError or RangeError where the message is not one of ours. */
export function unpackMessage(coder: TextCoder, packed: Uint8Array): unknown {
  if (packed.length < 4) throw new RangeError('message shorter than its header');
  const headLength = new DataView(packed.buffer, packed.byteOffset, packed.byteLength).getUint32(0, true);
  if (4 + headLength > packed.length) throw new RangeError('message shorter than its header says');
  const head: unknown = JSON.parse(coder.decode(packed.subarray(4, 4 + headLength)));
  if (!isRecord(head)) throw new SyntaxError('message head is not an object');
  if (!head.hasBytes) return head.body;
  if (!isRecord(head.body)) throw new SyntaxError('bytes without an object to carry them');
  return { ...head.body, bytes: packed.slice(4 + headLength) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
