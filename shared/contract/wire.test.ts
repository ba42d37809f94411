import { describe, expect, it } from 'vitest';
import { MessageReader, messageParts, packMessage, type TextCoder, unpackMessage } from './wire.ts';

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

  it.each([1, 3, 64, 5000])('arrives in pieces of %i bytes, into a buffer of its own', (length) => {
    const packed = packMessage(coder, body);
    const reader = new MessageReader(coder);
    for (let at = 0; at < packed.length; at += length) reader.take(packed.subarray(at, at + length));
    const arrived = reader.finish() as typeof body;
    expect(arrived).toEqual(body);
    expect(arrived.bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('is refused where it is cut short anywhere, or too long', () => {
    const packed = packMessage(coder, body);
    for (let length = 0; length < packed.length; length++) {
      expect(() => unpackMessage(coder, packed.subarray(0, length))).toThrow(RangeError);
    }
    const longer = new Uint8Array(packed.length + 1);
    longer.set(packed);
    expect(() => unpackMessage(coder, longer)).toThrow('longer');
  });

  it('may claim no more than the reader allows', () => {
    const reader = new MessageReader(coder, 999);
    reader.take(packMessage(coder, body));
    expect(() => reader.finish()).toThrow('claims more');
  });
});
