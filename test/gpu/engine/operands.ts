/** What the tests of kernels compute with: memory filled with noise, rows between levels with what no kernel may read. */
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import { imagesOf } from '../../../shared/engine/kernels/rows.ts';
import type { BufferRef } from '../../../shared/engine/plan/call.ts';
import { strideOf, type TensorSpec, type TensorView, wholeView } from '../../../shared/engine/plan/tensor.ts';

export type Side = readonly [height: number, width: number];

export class Operands {
  readonly memory = new Memory();
  /** Tensors that are stored in halves. */
  readonly f16 = new Set<string>();
  readonly #batch: number;
  readonly #ends = new Map<string, number>();

  constructor(batch: number) {
    this.#batch = batch;
  }

  /** A tensor of zeros, for a kernel to write. */
  empty(
    id: string,
    levels: readonly Side[],
    channels: number,
    storage: TensorSpec['storage'] = 'f32',
  ): TensorView {
    const sides = levels.map(([height, width]) => ({ height, width }));
    if (storage === 'f16') this.f16.add(id);
    return wholeView({ id, batch: this.#batch, levels: sides, channels, storage });
  }

  /** A tensor of values around `mean`, in sixteenths where they must fit halves; its padding is zero. */
  noise(
    id: string,
    levels: readonly Side[],
    channels: number,
    { storage = 'f32', mean = 0 }: { storage?: TensorSpec['storage']; mean?: number } = {},
  ): TensorView {
    const view = this.empty(id, levels, channels, storage);
    const data = this.memory.tensor(view).fill(-7777);
    const stride = strideOf(channels);
    for (const { firstRow, rows } of imagesOf(view)) {
      for (let at = firstRow * stride; at < (firstRow + rows) * stride; at++) {
        const value = mean + 4 * uniformAt(fnv1a32(id), at) - 2;
        const stored = storage === 'f16' ? Math.round(value * 16) / 16 : value;
        data[at] = at % stride < channels ? stored : 0;
      }
    }
    return view;
  }

  /** The next vector of channels in a buffer, padding zero. */
  vector(
    buffer: { kind: 'weights' | 'gradients' } | { kind: 'state'; id: string },
    channels: number,
  ): BufferRef {
    const key = JSON.stringify(buffer);
    const offsetWords = this.#ends.get(key) ?? 0;
    const words = strideOf(channels);
    this.#ends.set(key, Math.ceil((offsetWords + words) / 64) * 64);
    const ref = { ...buffer, offsetWords, words };
    const data = this.memory.words(ref);
    for (let c = 0; c < channels; c++) data[c] = 2 * uniformAt(fnv1a32(key), offsetWords + c) - 0.9;
    return ref;
  }
}
