/** Runs kernel calls on a device, each buffer on its own: what the kernels' tests hold against their references. */
import { expect } from 'vitest';
import { keyOf, Memory } from '../../../shared/engine/kernels/memory.ts';
import type { BufferRef, KernelCall } from '../../../shared/engine/plan/call.ts';

/**
 * The memory after the calls, which began with what `before` holds (ids of it in `f16` are packed on their way to the device and
 * unpacked on their way back). Throws what the device said, compiler's messages included.
 */
export async function runCalls(
  device: GPUDevice,
  calls: readonly KernelCall[],
  before: Memory,
  f16: ReadonlySet<string> = new Set(),
): Promise<Memory> {
  device.pushErrorScope('validation');
  const buffers = new Map<string, { buffer: GPUBuffer; ref: BufferRef; words: number; packed: boolean }>();
  for (const { ref } of calls.flatMap((call) => call.bindings)) {
    const key = keyOf(ref);
    const words = Math.max(buffers.get(key)?.words ?? 0, ref.offsetWords + ref.words);
    const packed = ref.kind === 'arena' && f16.has(ref.id);
    buffers.set(key, { buffer: null as unknown as GPUBuffer, ref, words, packed });
  }
  for (const entry of buffers.values()) {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const isUniform = entry.ref.kind === 'state';
    entry.buffer = device.createBuffer({
      size: Math.ceil(entry.words / 4) * 16,
      usage: isUniform ? usage | GPUBufferUsage.UNIFORM : usage,
    });
    const whole = { ...entry.ref, offsetWords: 0, words: entry.packed ? entry.words * 2 : entry.words };
    const data = before.words(whole as BufferRef);
    device.queue.writeBuffer(
      entry.buffer,
      0,
      (entry.packed ? packHalves(data) : data.slice()).buffer as ArrayBuffer,
    );
  }
  const pipelines = await Promise.all(calls.map((call) => pipelineOf(device, call)));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  calls.forEach((call, index) => {
    const pipeline = pipelines[index]!;
    const entries: GPUBindGroupEntry[] = call.bindings.map(({ ref }, binding) => ({
      binding,
      resource: { buffer: buffers.get(keyOf(ref))!.buffer, offset: ref.offsetWords * 4, size: ref.words * 4 },
    }));
    if (call.uniforms) {
      const buffer = device.createBuffer({
        size: call.uniforms.byteLength,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, call.uniforms.buffer as ArrayBuffer);
      entries.push({ binding: entries.length, resource: { buffer } });
    }
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...call.workgroups);
  });
  pass.end();
  device.queue.submit([encoder.finish()]);
  const failure = await device.popErrorScope();
  if (failure) throw new Error(failure.message);
  const after = new Memory();
  for (const { buffer, ref, words, packed } of buffers.values()) {
    const data = await readBuffer(device, buffer, words);
    const floats = packed ? unpackHalves(data) : data;
    after.words({ ...ref, offsetWords: 0, words: floats.length } as BufferRef).set(floats);
    buffer.destroy();
  }
  return after;
}

/** Compiled once a text and device. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

function pipelineOf(device: GPUDevice, call: KernelCall): Promise<GPUComputePipeline> {
  const known = compiled.get(device) ?? new Map<string, Promise<GPUComputePipeline>>();
  compiled.set(device, known);
  const pipeline = known.get(call.code) ?? compile(device, call);
  known.set(call.code, pipeline);
  return pipeline;
}

async function compile(device: GPUDevice, { label, code }: KernelCall): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code });
  const problems = (await module.getCompilationInfo()).messages.filter(({ type }) => type === 'error');
  if (problems.length > 0) {
    const first = problems[0]!;
    throw new Error(`${label}: ${first.message} at ${first.lineNum}:${first.linePos}\n${code}`);
  }
  return device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer, words: number): Promise<Float32Array> {
  const staging = device.createBuffer({
    size: buffer.size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = new Float32Array(staging.getMappedRange().slice(0)).slice(0, words);
  staging.destroy();
  return data;
}

function packHalves(data: Float32Array): Uint32Array {
  const halves = new Float16Array(data);
  return new Uint32Array(halves.buffer, 0, data.length / 2).slice();
}

function unpackHalves(words: Float32Array): Float32Array {
  return Float32Array.from(new Float16Array(words.buffer, 0, words.length * 2));
}

/** Relative to the largest of the expected values. */
export function expectSame(ours: Float32Array, theirs: Float32Array, tolerance = 2e-6): void {
  expect(ours.length).toBe(theirs.length);
  let scale = 0;
  let worst = 0;
  theirs.forEach((value, index) => {
    scale = Math.max(scale, Math.abs(value));
    const distance = Math.abs(ours[index]! - value);
    worst = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(worst, distance);
  });
  expect(scale).toBeGreaterThan(0);
  expect(worst / scale).toBeLessThan(tolerance);
}
