/** Reading what a device computed, without its queue ever waiting: buffers in a ring, several reads under way. */
import { Problem } from '../../domain/problem.ts';
import { answerOf, type DeviceWatch } from '../../reference/deviceWatch.ts';
import type { Buffers, Range } from './buffers.ts';

/** Of one copy, once. */
export interface Readback {
  /** To be called after the copy was submitted, always: until then its buffer is taken. The ranges one after another. */
  read(): Promise<Uint32Array>;
}

/** Buffers of each size that are made at once; more are when more reads are under way. */
const slotsPerSize = 4;

export class ReadbackRing {
  readonly #device: GPUDevice;
  readonly #buffers: Buffers;
  readonly #watch: DeviceWatch;
  /** By size in bytes: those that nobody uses. */
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #all: GPUBuffer[] = [];

  constructor(device: GPUDevice, buffers: Buffers, watch: DeviceWatch) {
    this.#device = device;
    this.#buffers = buffers;
    this.#watch = watch;
  }

  /** Copies the ranges as they are when the encoder's commands before this have run. */
  copy(encoder: GPUCommandEncoder, ranges: readonly Range[]): Readback {
    const bytes = ranges.reduce((sum, { size }) => sum + size, 0);
    const { buffer, free } = this.#take(bytes);
    let at = 0;
    for (const { buffer: from, offset, size } of ranges) {
      encoder.copyBufferToBuffer(from, offset, buffer, at, size);
      at += size;
    }
    return { read: () => this.#read(buffer, bytes, free) };
  }

  /** One read by itself, in memory that is given back: weights, logits. */
  async readOnce(range: Range): Promise<Uint32Array> {
    const buffer = this.#create(range.size);
    try {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(range.buffer, range.offset, buffer, 0, range.size);
      this.#device.queue.submit([encoder.finish()]);
      return await this.#read(buffer, range.size, []);
    } finally {
      this.#buffers.destroy(buffer);
    }
  }

  /** Reads under way fail. */
  dispose(): void {
    for (const buffer of this.#all) this.#buffers.destroy(buffer);
    this.#all.length = 0;
    this.#free.clear();
  }

  async #read(buffer: GPUBuffer, bytes: number, free: GPUBuffer[]): Promise<Uint32Array> {
    await answerOf(buffer.mapAsync(GPUMapMode.READ, 0, bytes), this.#watch).catch((error) => {
      throw error instanceof Problem ? error : unreadable(error);
    });
    const words = new Uint32Array(buffer.getMappedRange(0, bytes)).slice();
    buffer.unmap();
    free.push(buffer);
    return words;
  }

  #take(bytes: number): { buffer: GPUBuffer; free: GPUBuffer[] } {
    const size = sizeClass(bytes);
    let free = this.#free.get(size);
    if (!free) {
      free = [];
      this.#free.set(size, free);
      for (let slot = 0; slot < slotsPerSize; slot++) free.push(this.#createSlot(size));
    }
    return { buffer: free.pop() ?? this.#createSlot(size), free };
  }

  #createSlot(size: number): GPUBuffer {
    const buffer = this.#create(size);
    this.#all.push(buffer);
    return buffer;
  }

  #create(bytes: number): GPUBuffer {
    return this.#buffers.create('readback', bytes / 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }
}

/** Powers of two from 256 bytes. */
function sizeClass(bytes: number): number {
  return 2 ** Math.max(8, Math.ceil(Math.log2(bytes)));
}

function unreadable(error: unknown): Problem {
  return new Problem(
    'internal',
    'What the GPU computed could not be read back.',
    'Nothing saved is lost. Try again; if it happens again, report it with the detail below.',
    error instanceof Error ? error.message : String(error),
  );
}
