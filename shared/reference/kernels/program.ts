/** Our own WGSL through tfjs's WebGPU backend: a flat list of threads, every constant baked into the source. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { TensorInfo } from '@tensorflow/tfjs-core';

/** What `backend.runWebGPUProgram` takes; tfjs-backend-webgpu exports no name for it. */
type WebGPUProgram = Parameters<WebGPUBackend['runWebGPUProgram']>[0];

export interface KernelSource {
  /** Tells apart any two sources. */
  readonly key: string;
  readonly inputs: readonly string[];
  /** Per input, 4 where it is read as `array<vec4<f32>>`; absent: 1 each. */
  readonly inputComponents?: readonly number[];
  /** 4 where `result` is written as `array<vec4<f32>>`. */
  readonly outputComponent?: number;
  readonly outputShape: readonly number[];
  /** Defines `fn compute(index: i32)`, called for every index below `threads`. */
  readonly code: string;
  readonly threads: number;
  /** Members of `uniforms`, as WGSL; values in `uniformData`. */
  readonly uniforms?: string;
  /** `result` is an `array<atomic<i32>>`: many threads add to the same integers. */
  readonly atomic?: boolean;
}

type UniformData = NonNullable<Parameters<WebGPUBackend['runWebGPUProgram']>[3]>;

/** A GPU fills its lanes with 64; a software adapter gives each workgroup to one core, and small levels have few threads. */
let workgroupSize = 64;
let threadsWanted = 16384;

export function setSoftwareWorkgroups(software: boolean): void {
  workgroupSize = software ? 16 : 64;
  threadsWanted = software ? 512 : 16384;
}

/** Threads that leave no part of the device idle: what a kernel that shares its work out as it likes should have about. */
export function busyThreads(): number {
  return threadsWanted;
}

/** Encodes the kernel; it writes into `output` where that is given, and may read it. */
export function runKernel(
  backend: WebGPUBackend,
  source: KernelSource,
  inputs: TensorInfo[],
  uniformData: UniformData = [],
  output?: TensorInfo,
): TensorInfo {
  const program: WebGPUProgram = {
    variableNames: [...source.inputs],
    outputShape: [...source.outputShape],
    workgroupSize: [workgroupSize, 1, 1],
    dispatchLayout: { x: source.outputShape.map((_, axis) => axis) },
    dispatch: [Math.ceil(source.threads / workgroupSize), 1, 1],
    shaderKey: `boxwright_${source.key}`,
    // Reading a uniform keeps their buffer in the pipeline's layout, where tfjs expects it.
    getUserCode: () =>
      `${source.code}\nfn main(index : i32) { if (index < uniforms.threads) { compute(index); } }`,
    uniforms: `threads : i32, ${source.uniforms ?? ''}`,
    variableComponents: [...(source.inputComponents ?? source.inputs.map(() => 1))],
    outputComponent: source.outputComponent ?? 1,
    atomic: source.atomic ?? false,
  };
  const uniforms = [{ type: 'int32', data: [source.threads] }, ...uniformData];
  return backend.runWebGPUProgram(program, inputs, source.atomic ? 'int32' : 'float32', uniforms, output);
}

/** `start(0) separator start(1) …` of a count, for unrolling. */
export function unroll(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}
