/** The engine's side of a GPUDevice that it is given: pipelines, buffers, plans, readback, and what went wrong. */
import { watchDevice } from '../../reference/deviceWatch.ts';
import type { DeviceFacts, MatrixShape } from '../kernels/wgsl.ts';
import { bufferWords } from '../memory/bytes.ts';
import { type MemoryLimits, requireWithin } from '../memory/fits.ts';
import type { Place } from '../memory/packing.ts';
import type { BufferRef, KernelCall } from '../plan/call.ts';
import type { RangeLimits } from '../plan/cuts.ts';
import { Buffers, type Range } from './buffers.ts';
import { zeroCounters } from './counters.ts';
import { DeviceSpeed } from './pace.ts';
import type { EngineParts } from './parts.ts';
import { Pipelines } from './pipelines.ts';
import { Plan, type PlanSettings } from './plan.ts';
import { type Readback, ReadbackRing } from './readback.ts';
import { subgroupFacts } from './subgroups.ts';
import { Submits } from './submits.ts';
import { Turns } from './turns.ts';

export interface EngineSettings {
  /** The CPU plays the GPU. */
  readonly software: boolean;
  /** Milliseconds since any moment. */
  readonly clock: () => number;
  /** What the device was given of them (`matrixShapes`); absent: none. */
  readonly matrices?: readonly MatrixShape[];
}

export class EngineDevice {
  readonly facts: DeviceFacts;
  readonly counters = zeroCounters();
  readonly #parts: EngineParts;
  readonly #plans = new Set<Plan>();

  constructor(device: GPUDevice, { software, clock, matrices }: EngineSettings) {
    this.facts = deviceFacts(device, software, matrices);
    const watch = watchDevice(device);
    const { counters } = this;
    const limits = rangeLimits(device);
    const buffers = new Buffers(device, counters, limits);
    this.#parts = {
      device,
      limits,
      watch,
      clock,
      counters,
      buffers,
      pipelines: Pipelines.of(device),
      submits: new Submits(device, watch, clock, counters),
      speed: new DeviceSpeed(software),
      ring: new ReadbackRing(device, buffers, watch),
      turns: new Turns(),
    };
  }

  /** For `whatFits`. WebGPU does not tell how much memory a device has. */
  limits(budgetBytes: number | null = null): MemoryLimits {
    return { ...this.#parts.limits, budgetBytes };
  }

  /**
   * Compiles what is new, makes room, binds. Plans share the arena: what one left there is gone once another is made or has run.
   * @throws Problem `out-of-memory`, before anything is asked of the device where its limits alone forbid the plan; `internal` where
   * the device refuses a kernel or a binding; `device-lost`
   */
  async createPlan(settings: PlanSettings): Promise<Plan> {
    const plan = new Plan(this.#parts, settings, () => this.#forget(plan));
    requireWithin(plan.bytes, this.limits());
    this.#plans.add(plan);
    try {
      await this.#parts.turns.take(() => plan.prepare());
      this.check();
      return plan;
    } catch (error) {
      plan.dispose();
      await this.#parts.watch.settled?.();
      this.check();
      throw error;
    }
  }

  /**
   * Before a plan has it; it is kept.
   * @throws Problem `internal`
   */
  async compile(call: KernelCall): Promise<void> {
    await this.#parts.pipelines.prepare([call], this.counters);
  }

  /** Room for these before a plan that uses them is made: so that weights can be written first. Plans make room by themselves. */
  reserve(refs: readonly BufferRef[]): Promise<void> {
    return this.#parts.turns.take(() =>
      this.#parts.buffers.reserve([], bufferWords(refs, this.#parts.limits)),
    );
  }

  /**
   * Copies ranges of state or parameters, to be called with the encoder that `Plan.run` hands to `finish`, and read when
   * `run` has answered. Nothing is allocated once as many reads were under way as there ever will be.
   */
  copy(encoder: GPUCommandEncoder, refs: readonly BufferRef[]): Readback {
    return this.#parts.ring.copy(
      encoder,
      refs.map((ref) => this.#range(ref)),
    );
  }

  /** Parameters or state as they are after everything that was submitted; for the arena see `Plan.read`. */
  async read(ref: BufferRef): Promise<Uint32Array> {
    const ranges = this.#parts.buffers.ranges(ref, noPlaces);
    const parts = ranges.map((range) => this.#parts.ring.readOnce(range));
    return ranges.length === 1 ? parts[0]! : joined(await Promise.all(parts));
  }

  /** Before everything that is submitted later. `data`: of 4-byte words. */
  write(ref: BufferRef, data: GPUAllowSharedBufferSource): void {
    const { queue } = this.#parts.device;
    const ranges = this.#parts.buffers.ranges(ref, noPlaces);
    let at = 0;
    for (const { buffer, offset, size } of ranges) {
      if (ranges.length === 1) queue.writeBuffer(buffer, offset, data);
      else queue.writeBuffer(buffer, offset, data, at / 4, size / 4);
      at += size;
    }
  }

  /** Throws what has gone wrong since the last call, as a Problem; a lost device stays lost. */
  check(): void {
    this.#parts.watch.check();
  }

  /** Gives all memory back once the run under way is in the queue; the device stays. */
  dispose(): Promise<void> {
    return this.#parts.turns.take(async () => {
      for (const plan of this.#plans) plan.dispose();
      this.#parts.ring.dispose();
      this.#parts.buffers.dispose();
      this.#parts.watch.stop?.();
    });
  }

  #range(ref: BufferRef): Range {
    return this.#parts.buffers.range(ref, noPlaces);
  }

  /** The arena is as long as the longest of the plans that are left needs it; it is made anew when one of them runs. */
  #forget(plan: Plan): void {
    this.#plans.delete(plan);
    void this.#parts.turns.take(async () => {
      const left = [...this.#plans].map(({ arena }) => arena.slabWords);
      const isNeeded = (words: number, slab: number) => left.some((slabs) => slabs[slab] === words);
      if (!this.#parts.buffers.slabWords.every(isNeeded)) this.#parts.buffers.dropSlabs();
    });
  }
}

const noPlaces: ReadonlyMap<string, Place> = new Map();

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function rangeLimits({ limits }: GPUDevice): RangeLimits {
  return { maxBufferBytes: limits.maxBufferSize, maxBindingBytes: limits.maxStorageBufferBindingSize };
}

/** What kernels may know of a device. */
export function deviceFacts(
  device: GPUDevice,
  software: boolean,
  matrices: readonly MatrixShape[] = [],
): DeviceFacts {
  const { limits } = device;
  return {
    software,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupStorageBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    ...subgroupFacts(device),
    matrices,
  };
}
