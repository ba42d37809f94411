/**
 * Numbers to try kernels on: of mixed sign, the same at every run, and such that their products and sums are exact, in halves too.
 * Whoever computes right computes the same, in whatever order.
 */
import { uniformAt } from '../../domain/random.ts';
import { halfToFloat } from '../../weights/float.ts';
import type { BufferRef } from '../plan/call.ts';
import { strideOf, type TensorSpec } from '../plan/tensor.ts';

/** What is to be in memory before a kernel runs. */
export interface Operand {
  readonly ref: BufferRef;
  readonly words: Uint32Array;
}

/** 32nds from -1 to 1. */
export function noise(seed: number, index: number): number {
  return Math.floor(uniformAt(seed, index) * 65) / 32 - 1;
}

/** Rows of channels with the padding that is zero. */
export function noiseRows(seed: number, rows: number, channels: number): Float32Array {
  const stride = strideOf(channels);
  const floats = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    for (let at = row * stride; at < row * stride + channels; at++) floats[at] = noise(seed, at);
  }
  return floats;
}

/** As they lie in memory. */
export function packed(floats: Float32Array, storage: TensorSpec['storage']): Uint32Array {
  if (storage === 'f32') return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = Uint16Array.from(floats, halfOf);
  return new Uint32Array(halves.buffer);
}

export function unpacked(words: Uint32Array, storage: TensorSpec['storage']): Float32Array {
  if (storage === 'f32') return new Float32Array(words.buffer, words.byteOffset, words.length);
  return Float32Array.from(new Uint16Array(words.buffer, words.byteOffset, words.length * 2), halfToFloat);
}

/** Of numbers that a half holds exactly. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

let block: Record<TensorSpec['storage'], Uint32Array> | undefined;

/** Numbers over and over, for kernels of which only the time is asked. */
export function tiledNoise(words: number, storage: TensorSpec['storage']): Uint32Array {
  if (!block) {
    const floats = noiseRows(7, 2 ** 14, 4);
    block = { f32: packed(floats, 'f32'), f16: packed(floats, 'f16') };
  }
  const from = block[storage];
  const all = new Uint32Array(words);
  for (let at = 0; at < words; at += from.length) all.set(from.subarray(0, words - at), at);
  return all;
}
