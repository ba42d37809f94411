/** Plain memory in the engine's own layout: what the references of the kernels compute in. */
import type { BufferRef } from '../plan/call.ts';
import { rowsOf, strideOf, type TensorView } from '../plan/tensor.ts';

/** Buffers by kind and name, made when first asked for and zero then. Tensors are kept in f32 whatever their storage. */
export class Memory {
  readonly #buffers = new Map<string, Float32Array>();

  /** A view's rows, `strideOf(channels)` floats each; writing to it is seen by everybody. */
  tensor({ tensor, startRow, levels }: TensorView): Float32Array {
    const stride = strideOf(tensor.channels);
    const floats = rowsOf({ tensor, startRow, levels }) * stride;
    return this.#range(`arena ${tensor.id}`, startRow * stride, floats);
  }

  words(ref: BufferRef): Float32Array {
    return this.#range(keyOf(ref), ref.offsetWords, ref.words);
  }

  /** Everything that was ever asked for. */
  keys(): string[] {
    return [...this.#buffers.keys()];
  }

  /** A longer range than before makes the buffer longer; ranges handed out earlier are then of the old one. */
  #range(key: string, offset: number, length: number): Float32Array {
    let buffer = this.#buffers.get(key);
    if (!buffer || buffer.length < offset + length) {
      const longer = new Float32Array(offset + length);
      if (buffer) longer.set(buffer);
      buffer = longer;
      this.#buffers.set(key, buffer);
    }
    return buffer.subarray(offset, offset + length);
  }
}

export function keyOf(ref: BufferRef): string {
  return ref.kind === 'arena' || ref.kind === 'state' ? `${ref.kind} ${ref.id}` : ref.kind;
}
