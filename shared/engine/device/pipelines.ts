/** Compute pipelines, each compiled once a device. */
import { Problem } from '../../domain/problem.ts';
import type { KernelCall } from '../plan/call.ts';
import type { Counters } from './counters.ts';

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

interface Layouts {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** GPUShaderStage.COMPUTE, which not every place that imports this has as a global. */
const computeStage = 4;

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, Layouts>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Those of a device, whoever asks: compiling is what costs, and networks of several runs are alike. */
  static of(device: GPUDevice): Pipelines {
    const known = pipelinesOfDevices.get(device) ?? new Pipelines(device);
    pipelinesOfDevices.set(device, known);
    return known;
  }

  /**
   * One for each call; all texts that are new are compiled at once.
   * @throws Problem `internal` with the kernel's label and what the compiler said
   */
  prepare(calls: readonly KernelCall[], counters: Counters): Promise<Pipeline[]> {
    return Promise.all(calls.map((call) => this.#pipelineOf(call, counters)));
  }

  #pipelineOf(call: KernelCall, counters: Counters): Promise<Pipeline> {
    const types = bindingTypes(call);
    const key = `${types.join(' ')}\n${call.code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(call, this.#layoutsOf(types));
      counters.pipelinesCreated++;
      pipeline.catch(() => this.#pipelines.delete(key));
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  async #compile({ label, code }: KernelCall, layouts: Layouts): Promise<Pipeline> {
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label, code });
    const rejected = this.#device.popErrorScope();
    const pipeline = this.#device.createComputePipelineAsync({
      label,
      layout: layouts.pipeline,
      compute: { module, entryPoint: 'main' },
    });
    try {
      const [compiled, error] = await Promise.all([pipeline, rejected]);
      if (error) throw new Error(error.message);
      return { pipeline: compiled, layout: layouts.group };
    } catch (error) {
      throw new Problem(
        'internal',
        `The GPU's compiler refused the kernel "${label}".`,
        'Nothing saved is lost. Compute with the reference instead (--engine reference), and report it with the detail below.',
        `${await messagesOf(module)}${error instanceof Error ? error.message : error}`,
      );
    }
  }

  #layoutsOf(types: readonly GPUBufferBindingType[]): Layouts {
    const key = types.join(' ');
    let layouts = this.#layouts.get(key);
    if (!layouts) {
      const entries = types.map((type, binding) => ({ binding, visibility: computeStage, buffer: { type } }));
      const group = this.#device.createBindGroupLayout({ label: key, entries });
      layouts = { group, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layouts);
    }
    return layouts;
  }
}

/** All of the arena is one buffer, which a dispatch may bind in one way only: writable. */
function bindingTypes({ bindings, uniforms }: KernelCall): GPUBufferBindingType[] {
  const types = bindings.map(({ ref, access }): GPUBufferBindingType => {
    if (access === 'uniform') return 'uniform';
    return ref.kind === 'arena' || access === 'read-write' ? 'storage' : 'read-only-storage';
  });
  return uniforms ? [...types, 'uniform'] : types;
}

async function messagesOf(module: GPUShaderModule): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  return errors.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}\n`).join('');
}

const pipelinesOfDevices = new WeakMap<GPUDevice, Pipelines>();
