/** How long each dispatch takes on the device itself. */
import type { Buffers, Range } from './buffers.ts';

export interface CallTime {
  readonly label: string;
  readonly flops: number;
  readonly ms: number;
}

/** Two timestamps, of 8 bytes each, for every dispatch. */
export class CallTimes {
  readonly queries: GPUQuerySet;
  readonly #device: GPUDevice;
  readonly #buffers: Buffers;
  readonly #resolved: GPUBuffer;

  constructor(device: GPUDevice, buffers: Buffers, calls: number) {
    this.#device = device;
    this.#buffers = buffers;
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 * calls });
    this.#resolved = buffers.create(
      'times',
      4 * calls,
      GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    );
  }

  /** Of what was submitted: words to be read. */
  resolve(): Range {
    const encoder = this.#device.createCommandEncoder();
    encoder.resolveQuerySet(this.queries, 0, this.queries.count, this.#resolved, 0);
    this.#device.queue.submit([encoder.finish()]);
    return { buffer: this.#resolved, offset: 0, size: this.queries.count * 8 };
  }

  /** Milliseconds of each dispatch. */
  read(words: Uint32Array): number[] {
    const nanoseconds = new BigUint64Array(words.buffer);
    return Array.from({ length: nanoseconds.length / 2 }, (_, call) =>
      Math.max(0, Number(nanoseconds[2 * call + 1]! - nanoseconds[2 * call]!) / 1e6),
    );
  }

  dispose(): void {
    this.queries.destroy();
    this.#buffers.destroy(this.#resolved);
  }
}

export function timestamps(querySet: GPUQuerySet, call: number): GPUComputePassDescriptor {
  const timestampWrites = {
    querySet,
    beginningOfPassWriteIndex: 2 * call,
    endOfPassWriteIndex: 2 * call + 1,
  };
  return { timestampWrites };
}
