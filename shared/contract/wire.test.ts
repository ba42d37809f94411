import { describe, expect, it } from 'vitest';
import { messageParts, packMessage, readMessage, readPieces, type TextCoder, unpackMessage } from './wire.ts';

const coder: TextCoder = {
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
};
const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
const body = { name: 'größe', meta: null, bytes };

describe('a message', () => {
  it.each([
    null,
    7,
    'text',
    [],
    [1, { a: null }],
    {},
    { bytes: 'no bytes' },
    { bytes: new Uint8Array() },
    body,
  ])('comes back as %o', (message) => {
    expect(unpackMessage(coder, packMessage(coder, message))).toEqual(message);
  });

  it('is sent without a copy of its bytes', () => {
    expect(messageParts(coder, body).bytes).toBe(bytes);
  });

  it.each([1, 3, 64, 5000])('arrives in pieces of %i bytes, into a buffer of its own', async (length) => {
    const arrived = (await readMessage(coder, inPieces(packMessage(coder, body), length))) as typeof body;
    expect(arrived).toEqual(body);
    expect(arrived.bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('arrives where a stream keeps the buffer and gives another', async () => {
    const source = inPieces(packMessage(coder, body), 100);
    const moved = await readMessage(coder, async (room) => {
      const { byteOffset } = room;
      const buffer = structuredClone(room.buffer, { transfer: [room.buffer] });
      return source(new Uint8Array(buffer, byteOffset));
    });
    expect(moved).toEqual(body);
  });

  it('is refused where it is cut short anywhere, or too long', async () => {
    const packed = packMessage(coder, body);
    const longer = new Uint8Array(packed.length + 1);
    longer.set(packed);
    for (let length = 0; length <= longer.length; length++) {
      if (length === packed.length) continue;
      const cut = longer.subarray(0, length);
      expect(() => unpackMessage(coder, cut)).toThrow(RangeError);
      await expect(readMessage(coder, inPieces(cut, 333))).rejects.toThrow(RangeError);
    }
  });

  it('may claim no more than the reader allows', async () => {
    const source = inPieces(packMessage(coder, body), 64);
    await expect(readMessage(coder, source, 999)).rejects.toThrow('claims more');
  });
});

function inPieces(packed: Uint8Array, length: number) {
  let at = 0;
  return readPieces(async () => {
    const piece = packed.subarray(at, at + length);
    at += length;
    return piece.length > 0 ? piece : null;
  });
}
