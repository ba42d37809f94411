/**
 * Protocol buffers without copies: a message is a list of parts, and a tensor's values become bytes only as they are written into
 * the file. An export needs the weights and the file, and nothing else of their size.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Bytes that are made when they are written. */
export interface LazyBytes {
  readonly byteLength: number;
  bytes(): Uint8Array;
}

/** A message in the making; fields are written in the order of the calls. */
export class Message {
  readonly #parts: (Uint8Array | LazyBytes)[] = [];
  readonly #writer = new BinaryWriter();
  #byteLength = 0;

  int(field: number, value: number): this {
    this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#writer.tag(field, WireType.Bit32).float(value);
    return this;
  }

  text(field: number, value: string): this {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  bytes(field: number, value: LazyBytes): this {
    this.#begin(field, value.byteLength);
    this.#push(value);
    return this;
  }

  /** Takes the other message over: it must not be written to any more. */
  message(field: number, inner: Message): this {
    inner.#flush();
    this.#begin(field, inner.#byteLength);
    for (const part of inner.#parts) this.#push(part);
    return this;
  }

  /** The whole message as one array. */
  finish(): Uint8Array {
    this.#flush();
    const whole = new Uint8Array(this.#byteLength);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part instanceof Uint8Array ? part : part.bytes(), at);
      at += part.byteLength;
    }
    return whole;
  }

  #begin(field: number, byteLength: number): void {
    this.#writer.tag(field, WireType.LengthDelimited).uint32(byteLength);
    this.#flush();
  }

  #flush(): void {
    const written = this.#writer.finish();
    if (written.length > 0) this.#push(written);
  }

  #push(part: Uint8Array | LazyBytes): void {
    this.#parts.push(part);
    this.#byteLength += part.byteLength;
  }
}
