/** The engine's side of a GPUDevice that it is given: pipelines, buffers, plans, readback, and what went wrong. */
import { watchDevice } from '../../reference/deviceWatch.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import { bufferWords } from '../memory/bytes.ts';
import type { MemoryLimits } from '../memory/fits.ts';
import type { Place } from '../memory/packing.ts';
import type { BufferRef } from '../plan/call.ts';
import { Buffers } from './buffers.ts';
import { zeroCounters } from './counters.ts';
import { DeviceSpeed } from './pace.ts';
import type { EngineParts } from './parts.ts';
import { Pipelines } from './pipelines.ts';
import { Plan, type PlanSettings } from './plan.ts';
import { type Range, type Readback, ReadbackRing } from './readback.ts';
import { subgroupFacts } from './subgroups.ts';
import { Submits } from './submits.ts';
import { Turns } from './turns.ts';

export interface EngineSettings {
  /** The CPU plays the GPU. */
  readonly software: boolean;
  /** Milliseconds since any moment. */
  readonly clock: () => number;
}

export class EngineDevice {
  readonly facts: DeviceFacts;
  readonly counters = zeroCounters();
  readonly #parts: EngineParts;
  readonly #plans = new Set<Plan>();

  constructor(device: GPUDevice, { software, clock }: EngineSettings) {
    this.facts = deviceFacts(device, software);
    const watch = watchDevice(device);
    const { counters } = this;
    const buffers = new Buffers(device, counters);
    this.#parts = {
      device,
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
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#parts.device.limits;
    return { maxBufferBytes: maxBufferSize, maxBindingBytes: maxStorageBufferBindingSize, budgetBytes };
  }

  /**
   * Compiles what is new, makes room, binds. Plans share the arena: what one left there is gone once another is made or has run.
   * @throws Problem `out-of-memory`; `internal` where the device refuses a kernel or a binding; `device-lost`
   */
  async createPlan(settings: PlanSettings): Promise<Plan> {
    const plan = new Plan(this.#parts, settings, () => this.#forget(plan));
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

  /** Room for these before a plan that uses them is made: so that weights can be written first. Plans make room by themselves. */
  reserve(refs: readonly BufferRef[]): Promise<void> {
    return this.#parts.turns.take(() => this.#parts.buffers.reserve([], bufferWords(refs)));
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
  read(ref: BufferRef): Promise<Uint32Array> {
    return this.#parts.ring.readOnce(this.#range(ref));
  }

  /** Before everything that is submitted later. */
  write(ref: BufferRef, data: GPUAllowSharedBufferSource): void {
    const { buffer, offset } = this.#range(ref);
    this.#parts.device.queue.writeBuffer(buffer, offset, data);
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

/** What kernels may know of a device. */
export function deviceFacts(device: GPUDevice, software: boolean): DeviceFacts {
  const { limits } = device;
  return {
    software,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxWorkgroupStorageBytes: limits.maxComputeWorkgroupStorageSize,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    ...subgroupFacts(device),
  };
}
