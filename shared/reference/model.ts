/** The network on the current tfjs backend: its parameters, its anchors, and passes forward. */
import {
  clone,
  dispose,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import { initialParameter } from '../detector/init.ts';
import { buildRetinaNet, type NetworkGraph, type RetinaNetOptions } from '../detector/network.ts';
import type { Batch } from '../loss/executor.ts';
import { AnchorCache, levelCounts } from '../loss/targets.ts';
import { requireWholeCells } from '../loss/wholeCells.ts';
import { readTensor } from './backend.ts';
import type { DeviceWatch } from './deviceWatch.ts';
import { type Activations, interpret } from './layers.ts';
import { rowsOfLevels } from './losses.ts';
import { Parameters } from './parameters.ts';

export interface ModelOptions {
  readonly network: RetinaNetOptions;
  /** pi of the first weights. */
  readonly prior: number;
  readonly seed: number;
  /** Where the backend is WebGPU: what `registerWebGPU` returned. */
  readonly watch?: DeviceWatch;
}

/** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
export interface Heads {
  readonly logits: Float32Array;
  readonly deltas: Float32Array;
}

export class Model {
  readonly graph: NetworkGraph;
  readonly parameters: Parameters;
  readonly foregroundClassCount: number;
  readonly watch: DeviceWatch | undefined;
  readonly #anchors: AnchorCache;

  constructor(options: ModelOptions) {
    this.graph = buildRetinaNet(options.network);
    this.parameters = new Parameters(this.graph, (spec) => initialParameter(spec, options));
    this.foregroundClassCount = options.network.foregroundClassCount;
    this.watch = options.watch;
    this.#anchors = new AnchorCache(this.graph);
  }

  /** `[count * 4]` of one image of the batch. */
  anchorsOf({ paddedHeight, paddedWidth }: Batch): Float32Array {
    return this.#anchors.of(paddedHeight, paddedWidth);
  }

  /** Anchors on each pyramid level of one image. */
  levelCountsOf({ paddedHeight, paddedWidth }: Batch): number[] {
    return levelCounts(this.graph, paddedHeight, paddedWidth);
  }

  /** Rows of all images in `buildAnchors`'s order; within a tidy. `learnt` stand in for the parameters of their names. */
  forward(batch: Batch, learnt?: ReadonlyMap<string, Tensor>): { logits: Tensor2D; deltas: Tensor2D } {
    // A gradient reads every activation again.
    const wanted = learnt ? undefined : [...this.graph.logits, ...this.graph.deltas];
    const activations = this.#interpret(batch, wanted, learnt);
    const levels = (ids: readonly string[]): Tensor4D[] => ids.map((id) => activations.get(id)!);
    return {
      logits: rowsOfLevels(levels(this.graph.logits), this.foregroundClassCount),
      deltas: rowsOfLevels(levels(this.graph.deltas), 4),
    };
  }

  async heads(batch: Batch): Promise<Heads> {
    const outputs = tidy(() => {
      const { logits, deltas } = this.forward(batch);
      return [logits, deltas];
    });
    try {
      const [logits, deltas] = await Promise.all(outputs.map((each) => readTensor(each, this.watch)));
      return { logits: logits!, deltas: deltas! };
    } finally {
      dispose(outputs);
    }
  }

  /** Activations of the graph by node id, NHWC, for tests. */
  async activations(
    batch: Batch,
    ids: readonly string[],
  ): Promise<{ shape: number[]; data: Float32Array }[]> {
    const wanted = tidy(() => {
      const activations = this.#interpret(batch, ids);
      return ids.map((id) => clone(activations.get(id)!));
    });
    const read = wanted.map(async (each) => ({
      shape: each.shape,
      data: await readTensor(each, this.watch),
    }));
    const all = await Promise.all(read);
    dispose(wanted);
    return all;
  }

  /** `wanted` activations alone are kept; absent: all. */
  #interpret(batch: Batch, wanted?: readonly string[], learnt?: ReadonlyMap<string, Tensor>): Activations {
    requireWholeCells(batch);
    const { paddedHeight, paddedWidth } = batch;
    const images = tensor4d(batch.images, [batch.batch, paddedHeight, paddedWidth, 3]);
    const context = {
      parameter: (name: string) => learnt?.get(name) ?? this.parameters.value(name),
      frozenNorm: (prefix: string) => this.parameters.frozenNorm(prefix),
    };
    return interpret(this.graph, images, context, wanted);
  }
}
