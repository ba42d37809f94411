/** A plan on a device: its dispatches with their pipelines and bind groups, ready to be encoded again and again. */
import { type ArenaPlan, planArena } from '../memory/arena.ts';
import {
  bufferWords,
  type PlanBytes,
  planBytes,
  refsOf,
  uniformBytes,
  uniformStepBytes,
} from '../memory/bytes.ts';
import type { BufferRef, KernelCall } from '../plan/call.ts';
import { alignUp } from '../plan/tensor.ts';
import type { Range } from './buffers.ts';
import { type Course, layCourse, type PlanSection } from './course.ts';
import { Pace } from './pace.ts';
import type { EngineParts } from './parts.ts';
import type { Pipeline } from './pipelines.ts';
import { scoped } from './scopes.ts';
import { sliceCall } from './slices.ts';
import { type CallTime, CallTimes, timestamps } from './timestamps.ts';

export interface PlanSettings {
  readonly sections: readonly PlanSection[];
  /** Ids of the arena that the host reads when all sections have run (`livesOf`). */
  readonly pinned?: ReadonlySet<string>;
}

export class Plan {
  readonly arena: ArenaPlan;
  readonly bytes: PlanBytes;
  readonly #parts: EngineParts;
  readonly #disposed: () => void;
  readonly #courses = new Map<string, Course>();
  #sections: readonly PlanSection[];
  #calls: readonly KernelCall[];
  #pace: Pace;
  /** How often dispatches may still be found to take too long. */
  #slicings = 3;
  #pipelines: readonly Pipeline[] = [];
  #bindGroups: GPUBindGroup[] = [];
  #uniforms: GPUBuffer | null = null;
  #generation = -1;

  /** Is made by `EngineDevice.createPlan`, and prepared there. */
  constructor(parts: EngineParts, { sections, pinned }: PlanSettings, disposed: () => void) {
    this.#parts = parts;
    this.#disposed = disposed;
    this.#sections = sections;
    this.#calls = sections.flatMap(({ calls }) => calls);
    const { limits } = parts;
    this.arena = planArena(this.calls, pinned, limits.maxBufferBytes / 4);
    this.bytes = planBytes(this.calls, pinned, limits, this.arena);
    this.#pace = new Pace(this.calls, parts.speed);
  }

  get calls(): readonly KernelCall[] {
    return this.#calls;
  }

  /** Compiles, makes room, binds. */
  async prepare(): Promise<void> {
    const { device, pipelines, buffers } = this.#parts;
    this.#pipelines = await pipelines.prepare(this.calls, this.#parts.counters);
    const cleared = this.#sections.flatMap(({ clears = [] }) => clears);
    const named = bufferWords([...refsOf(this.calls), ...cleared], this.#parts.limits);
    await buffers.reserve(this.arena.slabWords, named);
    await scoped(device, () => {
      this.#uniforms = this.#writeUniforms();
      this.bind();
    });
  }

  /**
   * Submits the sections, each as often as it is named, in submits of bearable length. Answers when all of it is in the queue.
   * `finish` is told the encoder of the last submit, behind everything else: copies to be read.
   * @throws Problem what the device said of earlier work; `device-lost`
   */
  run(sections: readonly string[], finish?: (encoder: GPUCommandEncoder) => void): Promise<void> {
    return this.#parts.turns.take(() => this.#run(sections, finish));
  }

  async #run(sections: readonly string[], finish?: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const { submits, watch, counters, clock } = this.#parts;
    watch.check();
    await this.#slice();
    this.bind();
    const course = this.#course(sections);
    const pace = this.#pace;
    const { calls } = course;
    const isKnown = pace.isKnown(calls, 0, calls.length);
    let runBegan = 0;
    let next = 0;
    do {
      const from = next;
      const to = pace.end(calls, from);
      const alone = !pace.isKnown(calls, from, to);
      if (alone ? !submits.isEmpty : submits.isFull) await submits.room(alone);
      const start = clock();
      const encoder = this.#encode(course, from, to);
      if (to === calls.length) finish?.(encoder);
      submits.submit(encoder, (began, ended) => {
        if (alone) pace.timedAlone(calls, from, to, ended - began);
        if (from === 0) runBegan = began;
        if (isKnown && to === calls.length) pace.timedRun(calls, ended - runBegan);
      });
      counters.encodingMs += clock() - start;
      next = to;
    } while (next < calls.length);
  }

  /** What was found to hold the device up is dispatched in slices from here on. Nothing that is computed changes by it. */
  async #slice(): Promise<void> {
    const counts = this.#calls.map((call, index) =>
      call.sliceWord === undefined ? 1 : this.#pace.slices(index),
    );
    if (this.#slicings === 0 || counts.every((count) => count === 1)) return;
    this.#slicings--;
    let at = 0;
    this.#sections = this.#sections.map((section) => ({
      ...section,
      calls: section.calls.flatMap((call) => sliceCall(call, counts[at++]!)),
    }));
    this.#calls = this.#sections.flatMap(({ calls }) => calls);
    this.#pace = new Pace(this.#calls, this.#parts.speed);
    this.#courses.clear();
    this.#generation = -1;
    if (this.#uniforms) this.#parts.buffers.destroy(this.#uniforms);
    await this.prepare();
  }

  /**
   * Runs the sections once and says how long each dispatch took; null where the device has no `timestamp-query`.
   * Dispatches are apart here, which they are not in `run`: together they take less.
   */
  async profile(sections: readonly string[]): Promise<CallTime[] | null> {
    if (!this.#parts.device.features.has('timestamp-query')) return null;
    return this.#parts.turns.take(async () => {
      const course = this.#course(sections);
      const times = await this.#timed(course, true);
      return course.calls.map((index, at) => {
        const { label, flops } = this.calls[index]!;
        return { label, flops, ms: times[at]! };
      });
    });
  }

  /** Milliseconds of each dispatch where they are `apart`; else of each submit, at the index of its first. */
  async #timed(course: Course, apart: boolean): Promise<number[]> {
    const { device, submits, ring } = this.#parts;
    const { calls } = course;
    const times = new CallTimes(device, this.#parts.buffers, calls.length);
    try {
      this.bind();
      for (let from = 0, to = 0; from < calls.length; from = to) {
        to = this.#pace.end(calls, from);
        await submits.room(true);
        submits.submit(this.#encode(course, from, to, { queries: times.queries, apart }), () => {});
      }
      return times.read(await ring.readOnce(times.resolve()));
    } finally {
      times.dispose();
    }
  }

  /**
   * Milliseconds that the sections, of which none clears anything, take on the device itself; null where the device has no
   * `timestamp-query`. As `run`, but that nothing is under way beside it.
   */
  async time(sections: readonly string[]): Promise<number | null> {
    if (!this.#parts.device.features.has('timestamp-query')) return null;
    return this.#parts.turns.take(async () => {
      const times = await this.#timed(this.#course(sections), false);
      return times.reduce((sum, ms) => sum + ms, 0);
    });
  }

  /** The range's buffer and place, for copies. */
  range(ref: BufferRef): Range {
    this.bind();
    return this.#parts.buffers.range(ref, this.arena.places);
  }

  /** The range as it is after everything that was submitted. */
  read(ref: BufferRef): Promise<Uint32Array> {
    return this.#parts.ring.readOnce(this.range(ref));
  }

  /** Before everything that is submitted later. */
  write(ref: BufferRef, data: GPUAllowSharedBufferSource): void {
    const { buffer, offset } = this.range(ref);
    this.#parts.device.queue.writeBuffer(buffer, offset, data);
  }

  dispose(): void {
    if (this.#uniforms) this.#parts.buffers.destroy(this.#uniforms);
    this.#uniforms = null;
    this.#bindGroups = [];
    this.#disposed();
  }

  /** Bind groups of the buffers as they are now: another plan may have made them grow. */
  bind(): void {
    const { buffers } = this.#parts;
    if (this.#generation === buffers.generation) return;
    buffers.ensureSlabs(this.arena.slabWords);
    let uniformsAt = 0;
    this.#bindGroups = this.calls.map((call, index) => {
      const resources: GPUBufferBinding[] = call.bindings.map(({ ref }) =>
        buffers.range(ref, this.arena.places),
      );
      if (call.uniforms) {
        resources.push({ buffer: this.#uniforms!, offset: uniformsAt, size: call.uniforms.byteLength });
        uniformsAt += alignUp(call.uniforms.byteLength, uniformStepBytes);
      }
      this.#parts.counters.bindGroupsCreated++;
      return this.#parts.device.createBindGroup({
        label: call.label,
        layout: this.#pipelines[index]!.layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
    });
    this.#generation = buffers.generation;
  }

  /** `timed`: each pass is between two timestamps, and each dispatch in a pass of its own where they are `apart`. */
  #encode(
    { calls, clears }: Course,
    from: number,
    to: number,
    timed?: { readonly queries: GPUQuerySet; readonly apart: boolean },
  ): GPUCommandEncoder {
    const encoder = this.#parts.device.createCommandEncoder();
    let pass: GPUComputePassEncoder | null = null;
    for (let at = from; at <= to; at++) {
      const cleared = at < to || to === calls.length ? clears.get(at) : undefined;
      if (pass && (cleared || timed?.apart || at === to)) {
        pass.end();
        pass = null;
      }
      for (const ref of cleared ?? []) {
        for (const { buffer, offset, size } of this.#parts.buffers.ranges(ref, this.arena.places)) {
          encoder.clearBuffer(buffer, offset, size);
        }
      }
      if (at === to) break;
      pass ??= encoder.beginComputePass(timed && timestamps(timed.queries, at));
      this.#encodeCall(pass, calls[at]!);
    }
    return encoder;
  }

  #encodeCall(pass: GPUComputePassEncoder, index: number): void {
    const [x, y, z] = this.calls[index]!.workgroups;
    pass.setPipeline(this.#pipelines[index]!.pipeline);
    pass.setBindGroup(0, this.#bindGroups[index]!);
    pass.dispatchWorkgroups(x, y, z);
    this.#parts.counters.dispatches++;
  }

  #course(names: readonly string[]): Course {
    const key = names.join('\n');
    let course = this.#courses.get(key);
    if (!course) {
      course = layCourse(this.#sections, names);
      this.#courses.set(key, course);
    }
    return course;
  }

  #writeUniforms(): GPUBuffer {
    const { buffers, device } = this.#parts;
    const words = new Uint32Array(uniformBytes(this.calls) / 4);
    let at = 0;
    for (const { uniforms } of this.calls) {
      if (!uniforms) continue;
      words.set(uniforms, at / 4);
      at += alignUp(uniforms.byteLength, uniformStepBytes);
    }
    const buffer = buffers.create('uniforms', words.length, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }
}
