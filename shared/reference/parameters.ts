/**
 * A network's numbers on the device: learnt tensors with their momentum, fixed ones, and the way to and from torch's layout.
 * First weights are made when they are asked for, momentum at the first step: who imports weights and predicts pays for neither.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  add,
  backend,
  dispose,
  getBackend,
  keep,
  mul,
  scalar,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import { permuteFilter } from '../detector/filterLayout.ts';
import type { ParameterSpec } from '../detector/graph.ts';
import { elementCount, type NetworkGraph } from '../detector/network.ts';
import type { NamedTensor, StepSettings } from '../loss/executor.ts';
import { valuesOf } from '../loss/namedTensors.ts';
import { type SgdUniforms, sgdOnGpu } from './kernels/optimizer.ts';
import type { FrozenNorm } from './layers.ts';

interface Slot {
  readonly spec: ParameterSpec;
  value: Tensor | null;
  /** SGD's momentum; null until the first step, and for what does not learn. */
  velocity: Tensor | null;
}

/** Parameters by name. Values are replaced, never written in place: a step that is not taken leaves no trace. */
export class Parameters {
  readonly #slots = new Map<string, Slot>();
  readonly #buffers = new Map<string, Float32Array>();
  readonly #frozenNorms = new Map<string, FrozenNorm>();
  readonly #graph: NetworkGraph;
  readonly #initial: (spec: ParameterSpec) => Float32Array;

  constructor(graph: NetworkGraph, initial: (spec: ParameterSpec) => Float32Array) {
    this.#graph = graph;
    this.#initial = initial;
    for (const spec of graph.parameters) {
      if (spec.buffer) this.#buffers.set(spec.name, initial(spec));
      else this.#slots.set(spec.name, { spec, value: null, velocity: null });
    }
    this.#rebuildFrozenNorms();
  }

  /** Names of what learns, in the graph's order. */
  trainableNames(): string[] {
    return [...this.#slots.values()].filter((slot) => slot.spec.trainable).map((slot) => slot.spec.name);
  }

  value(name: string): Tensor {
    const slot = this.#slots.get(name)!;
    slot.value ??= keep(toDevice(slot.spec.shape, this.#initial(slot.spec)));
    return slot.value;
  }

  frozenNorm(prefix: string): FrozenNorm {
    return this.#frozenNorms.get(prefix)!;
  }

  /** torch.optim.SGD: dampening 0, no Nesterov, decay added to the scaled gradient. Gradients in the order of `trainableNames`. */
  update(gradients: readonly Tensor[], settings: SgdUniforms & Pick<StepSettings, 'decay'>): void {
    const names = this.trainableNames();
    names.forEach((name, index) => {
      const slot = this.#slots.get(name)!;
      const before = { value: this.value(name), velocity: slot.velocity ?? zeros(gradients[index]!.shape) };
      const decays = settings.decay !== 'matrices' || slot.spec.shape.length > 1;
      const uniforms = decays ? settings : { ...settings, weightDecay: 0 };
      const [velocity, value] = sgd(before.value, before.velocity, gradients[index]!, uniforms);
      dispose([before.value, before.velocity]);
      slot.velocity = keep(velocity);
      slot.value = keep(value);
    });
  }

  /** Every parameter and buffer, in torch's layout. */
  async exportWeights(): Promise<NamedTensor[]> {
    return Promise.all(
      this.#graph.parameters.map(async ({ name, shape, buffer }) => ({
        name,
        shape,
        data: buffer ? this.#buffers.get(name)!.slice() : await toTorch(shape, this.value(name)),
      })),
    );
  }

  /** The optimizer's momentum, under the parameters' names. */
  async exportState(): Promise<NamedTensor[]> {
    return Promise.all(
      this.trainableNames().map(async (name) => {
        const { spec, velocity } = this.#slots.get(name)!;
        const data = velocity
          ? await toTorch(spec.shape, velocity)
          : new Float32Array(elementCount(spec.shape));
        return { name, shape: spec.shape, data };
      }),
    );
  }

  /**
   * Replaces every weight. Nothing is changed unless all fit.
   * @throws Problem `bad-input` naming the first tensor that is missing or has another shape
   */
  importWeights(tensors: readonly NamedTensor[]): void {
    for (const { spec, data } of valuesOf(this.#graph.parameters, tensors)) {
      if (spec.buffer) this.#buffers.set(spec.name, data.slice());
      else this.#replace(this.#slots.get(spec.name)!, 'value', data);
    }
    this.#rebuildFrozenNorms();
  }

  /** @throws Problem `bad-input`, as `importWeights` */
  importState(tensors: readonly NamedTensor[]): void {
    const specs = this.#graph.parameters.filter((spec) => spec.trainable);
    for (const { spec, data } of valuesOf(specs, tensors)) {
      this.#replace(this.#slots.get(spec.name)!, 'velocity', data);
    }
  }

  dispose(): void {
    for (const { value, velocity } of this.#slots.values()) {
      if (value) dispose(value);
      if (velocity) dispose(velocity);
    }
    for (const { scale, shift } of this.#frozenNorms.values()) dispose([scale, shift]);
    this.#slots.clear();
    this.#frozenNorms.clear();
  }

  #replace(slot: Slot, field: 'value' | 'velocity', data: Float32Array): void {
    const old = slot[field];
    slot[field] = keep(toDevice(slot.spec.shape, data));
    if (old) dispose(old);
  }

  #rebuildFrozenNorms(): void {
    for (const { scale, shift } of this.#frozenNorms.values()) dispose([scale, shift]);
    this.#frozenNorms.clear();
    for (const node of this.#graph.nodes) {
      if (node.op !== 'frozenNorm') continue;
      const vector = (leaf: string) => this.#buffers.get(`${node.prefix}.${leaf}`)!;
      const mean = vector('running_mean');
      const scale = vector('running_var').map((variance) => 1 / Math.sqrt(variance + node.epsilon));
      const shift = scale.map((each, channel) => -mean[channel]! * each);
      if (!node.learns) foldAffine(scale, shift, vector('weight'), vector('bias'));
      this.#frozenNorms.set(node.prefix, { scale: keep(tensor1d(scale)), shift: keep(tensor1d(shift)) });
    }
  }
}

/** A norm's own weight and bias, after what its statistics do. */
function foldAffine(
  scale: Float32Array,
  shift: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
): void {
  for (let channel = 0; channel < scale.length; channel++) {
    scale[channel]! *= weight[channel]!;
    shift[channel] = shift[channel]! * weight[channel]! + bias[channel]!;
  }
}

/** The new velocity and the new value. */
function sgd(value: Tensor, velocity: Tensor, gradient: Tensor, settings: SgdUniforms): [Tensor, Tensor] {
  if (getBackend() === 'webgpu')
    return sgdOnGpu(backend() as WebGPUBackend, value, velocity, gradient, settings);
  return tidy(() => {
    const clipped = mul(gradient, scalar(settings.gradientScale));
    const decayed = add(clipped, mul(value, scalar(settings.weightDecay)));
    const moved = add(mul(velocity, scalar(settings.momentum)), decayed);
    return [moved, add(value, mul(moved, scalar(-settings.learningRate)))];
  });
}

/** torch's OIHW to tfjs's HWIO; vectors as they are. */
function toDevice(shape: readonly number[], data: Float32Array): Tensor {
  if (shape.length !== 4) return tensor(data.slice(), [...shape]);
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  return tensor(permuteFilter(data, outputs, inputs, height * width, 'toDevice'), [
    height,
    width,
    inputs,
    outputs,
  ]);
}

async function toTorch(shape: readonly number[], onDevice: Tensor): Promise<Float32Array> {
  const data = (await onDevice.data()) as Float32Array;
  if (shape.length !== 4) return data.slice();
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  return permuteFilter(data, outputs, inputs, height * width, 'toTorch');
}
