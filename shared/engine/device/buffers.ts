/** Every buffer that outlives a step: the arena, which plans share; parameters; state. They grow when a plan asks for more. */
import { inBuffers } from '../memory/bytes.ts';
import type { Place } from '../memory/packing.ts';
import type { BufferRef, WordRange } from '../plan/call.ts';
import { pieceWords, type RangeLimits } from '../plan/cuts.ts';
import { alignUp } from '../plan/tensor.ts';
import type { Counters } from './counters.ts';
import { scoped } from './scopes.ts';

/** A range of a buffer, in bytes. */
export interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

export class Buffers {
  /** Goes up whenever a buffer is replaced: bind groups of before are void. */
  generation = 0;
  readonly #device: GPUDevice;
  readonly #counters: Counters;
  /** Of the arenas of parameters: words of one buffer. */
  readonly #piece: number;
  readonly #named = new Map<string, GPUBuffer>();
  #slabs: GPUBuffer[] = [];

  constructor(device: GPUDevice, counters: Counters, limits: RangeLimits) {
    this.#device = device;
    this.#counters = counters;
    this.#piece = pieceWords(limits);
  }

  /**
   * Makes room. Parameters and state keep what they hold; what the arena held is gone if it grows.
   * @throws Problem `out-of-memory`; parameters and state are then as before, the arena is as large as its next user needs
   */
  async reserve(slabWords: readonly number[], named: ReadonlyMap<string, number>): Promise<void> {
    const longer: [key: string, buffer: GPUBuffer][] = [];
    try {
      await scoped(this.#device, () => {
        this.ensureSlabs(slabWords);
        for (const [key, words] of named) {
          if ((this.#named.get(key)?.size ?? 0) < words * 4) longer.push([key, this.create(key, words)]);
        }
      });
    } catch (error) {
      this.dropSlabs();
      for (const [, buffer] of longer) this.destroy(buffer);
      throw error;
    }
    for (const [key, buffer] of longer) this.#replace(key, buffer);
  }

  /** The arena in no fewer and no shorter slabs than these. Asks for it without waiting for the answer. */
  ensureSlabs(slabWords: readonly number[]): void {
    slabWords.forEach((words, slab) => {
      const old = this.#slabs[slab];
      if (old && old.size >= words * 4) return;
      if (old) this.destroy(old);
      this.#slabs[slab] = this.create(`arena ${slab}`, words);
      this.generation++;
    });
  }

  /** Gives the arena back. */
  dropSlabs(): void {
    for (const slab of this.#slabs) this.destroy(slab);
    this.#slabs = [];
    this.generation++;
  }

  get slabWords(): number[] {
    return this.#slabs.map(({ size }) => size / 4);
  }

  /** The range's buffer and its place there. `places`: of the plan whose arena it is. */
  range(ref: BufferRef, places: ReadonlyMap<string, Place>): Range {
    const [range, ...more] = this.ranges(ref, places);
    if (more.length > 0) throw new Error(`${JSON.stringify(ref)} lies in several buffers`);
    return range!;
  }

  /** Where what is cut (`cuts.ts`) may lie in several buffers: all of them, one after another. */
  ranges(ref: BufferRef, places: ReadonlyMap<string, Place>): Range[] {
    if (ref.kind === 'arena') {
      const place = places.get(ref.id);
      const offsetWords = (place?.offsetWords ?? 0) + ref.offsetWords;
      return [rangeOf(ref, place && this.#slabs[place.slab], { offsetWords, words: ref.words })];
    }
    return inBuffers(ref, this.#piece).map((part) => rangeOf(ref, this.#named.get(part.key), part));
  }

  create(label: string, words: number, usage = storageUsage()): GPUBuffer {
    const buffer = this.#device.createBuffer({ label, size: alignUp(Math.max(words, 4), 4) * 4, usage });
    const counters = this.#counters;
    counters.buffersCreated++;
    counters.bytesHeld += buffer.size;
    counters.bytesPeak = Math.max(counters.bytesPeak, counters.bytesHeld);
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    this.#counters.bytesHeld -= buffer.size;
    buffer.destroy();
  }

  dispose(): void {
    this.dropSlabs();
    for (const buffer of this.#named.values()) this.destroy(buffer);
    this.#named.clear();
  }

  #replace(key: string, buffer: GPUBuffer): void {
    const old = this.#named.get(key);
    if (old) {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(old, 0, buffer, 0, old.size);
      this.#device.queue.submit([encoder.finish()]);
      this.destroy(old);
    }
    this.#named.set(key, buffer);
    this.generation++;
  }
}

function rangeOf(ref: BufferRef, buffer: GPUBuffer | undefined, { offsetWords, words }: WordRange): Range {
  if (!buffer) throw new Error(`No plan has a buffer for ${JSON.stringify(ref)}`);
  return { buffer, offset: offsetWords * 4, size: words * 4 };
}

function storageUsage(): number {
  return GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
}
