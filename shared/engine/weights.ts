/** A network's numbers: on the device in flat arenas, on their way there from files and back. */
import type { ParameterSpec } from '../detector/graph.ts';
import type { NetworkGraph } from '../detector/network.ts';
import type { NamedTensor } from '../loss/executor.ts';
import { valuesOf } from '../loss/namedTensors.ts';
import { layoutNorms, type NormTable, normsId, normWords } from './compile/norms.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import type { BufferRef, ParameterArena } from './plan/call.ts';
import { pieceWords } from './plan/cuts.ts';
import {
  layoutParameters,
  type ParameterLayout,
  slotRef,
  toDeviceLayout,
  toTorchLayout,
} from './plan/parameters.ts';
import { stateRef } from './sections.ts';

/**
 * What is imported waits until the device is asked for something: first weights are made only where nobody brings others, and momentum
 * is zero, and takes no room, until a step is taken.
 */
export class Weights {
  readonly layout: ParameterLayout;
  readonly #graph: NetworkGraph;
  readonly #device: EngineDevice;
  readonly #initial: (spec: ParameterSpec) => Float32Array;
  readonly #norms: NormTable;
  /** Vectors of fixed norms. */
  #buffers = new Map<string, Float32Array>();
  /** Whole arenas. */
  #waiting: Float32Array<ArrayBuffer> | null = null;
  #waitingMomentum: Float32Array<ArrayBuffer> | null = null;
  #areThere = false;
  #hasMomentum = false;

  constructor(graph: NetworkGraph, device: EngineDevice, initial: (spec: ParameterSpec) => Float32Array) {
    this.#graph = graph;
    this.#device = device;
    this.#initial = initial;
    this.layout = layoutParameters(graph.parameters, pieceWords(device.limits()));
    this.#norms = layoutNorms(graph.nodes);
  }

  /** @throws Problem `bad-input` naming the first tensor that is missing or does not fit; then nothing is changed */
  import(tensors: readonly NamedTensor[]): void {
    this.#take(byName(valuesOf(this.#graph.parameters, tensors)));
  }

  /** @throws Problem as `import` */
  importMomentum(tensors: readonly NamedTensor[]): void {
    const values = byName(valuesOf(this.#trainable(), tensors));
    this.#waitingMomentum = this.#arenaOf(values, this.layout.trainableWords);
  }

  /** Everything that waits is on the device before whatever is submitted next. `training`: gradients and momentum get their room. */
  async settle(training: boolean): Promise<void> {
    await this.#settleWeights();
    if (!training && !this.#waitingMomentum) return;
    const trainable = this.layout.trainableWords;
    if (!this.#hasMomentum) await this.#device.reserve([whole('momentum', trainable)]);
    this.#hasMomentum = true;
    if (!this.#waitingMomentum) return;
    this.#device.write(whole('momentum', trainable), this.#waitingMomentum);
    this.#waitingMomentum = null;
  }

  async export(): Promise<NamedTensor[]> {
    await this.#settleWeights();
    const words = await this.#device.read(whole('weights', this.layout.words));
    return this.#graph.parameters.map(({ name, shape, buffer }) => ({
      name,
      shape,
      data: buffer ? this.#buffers.get(name)!.slice() : this.#slot(words, 'weights', name, shape),
    }));
  }

  async exportMomentum(): Promise<NamedTensor[]> {
    if (this.#waitingMomentum) await this.settle(true);
    const words = this.#hasMomentum
      ? await this.#device.read(whole('momentum', this.layout.trainableWords))
      : new Uint32Array(this.layout.trainableWords);
    return this.#trainable().map(({ name, shape }) => ({
      name,
      shape,
      data: this.#slot(words, 'momentum', name, shape),
    }));
  }

  /** Divided by the scale that losses went backward with. */
  async exportGradients(lossScale: number): Promise<NamedTensor[]> {
    const words = await this.#device.read(whole('gradients', this.layout.trainableWords));
    return this.#trainable().map(({ name, shape }) => ({
      name,
      shape,
      data: this.#slot(words, 'gradients', name, shape).map((value) => value / lossScale),
    }));
  }

  async #settleWeights(): Promise<void> {
    if (this.#areThere && !this.#waiting) return;
    const { layout } = this;
    const norms = stateRef(normsId, this.#norms.words);
    const refs = [whole('weights', layout.words), ...(this.#norms.words > 0 ? [norms] : [])];
    if (!this.#areThere) await this.#device.reserve(refs);
    if (!this.#waiting) {
      this.#take(new Map(this.#graph.parameters.map((spec) => [spec.name, this.#initial(spec)])));
    }
    this.#device.write(refs[0]!, this.#waiting!);
    if (this.#norms.words > 0) {
      this.#device.write(
        norms,
        normWords(this.#norms, (name) => this.#buffers.get(name)!),
      );
    }
    this.#areThere = true;
    this.#waiting = null;
  }

  #take(values: ReadonlyMap<string, Float32Array>): void {
    this.#waiting = this.#arenaOf(values, this.layout.words);
    const buffers = this.#graph.parameters.filter((spec) => spec.buffer);
    this.#buffers = new Map(buffers.map(({ name }) => [name, values.get(name)!.slice()]));
  }

  #arenaOf(values: ReadonlyMap<string, Float32Array>, words: number): Float32Array<ArrayBuffer> {
    const arena = new Float32Array(words);
    for (const [name, { spec, offsetWords, words: own }] of this.layout.slots) {
      const data = values.get(name);
      if (data) toDeviceLayout(spec.shape, data, arena.subarray(offsetWords, offsetWords + own));
    }
    return arena;
  }

  #slot(words: Uint32Array, kind: ParameterArena, name: string, shape: readonly number[]): Float32Array {
    const { offsetWords, words: count } = slotRef(this.layout, kind, name);
    return toTorchLayout(shape, new Float32Array(words.buffer, words.byteOffset + offsetWords * 4, count));
  }

  #trainable(): ParameterSpec[] {
    return this.#graph.parameters.filter((spec) => spec.trainable);
  }
}

function whole(kind: ParameterArena, words: number): BufferRef {
  return { kind, offsetWords: 0, words };
}

function byName(
  values: readonly { readonly spec: ParameterSpec; readonly data: Float32Array }[],
): Map<string, Float32Array> {
  return new Map(values.map(({ spec, data }) => [spec.name, data]));
}
