/**
 * The detector on tfjs with its autodiff: the oracle that every kernel is held against, and what trains where nothing
 * faster is there. The backend (webgpu, webgl, cpu) is chosen by whoever registers it.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  add,
  backend,
  clone,
  concat,
  dispose,
  getBackend,
  keep,
  mul,
  reshape,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tensor2d,
  tensor4d,
  tidy,
  tile,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import { decodeDetections } from '../detector/decode.ts';
import { initialParameter } from '../detector/init.ts';
import {
  buildRetinaNet,
  type NetworkGraph,
  parameterCount,
  type RetinaNetOptions,
} from '../detector/network.ts';
import { Problem } from '../domain/problem.ts';
import type { ClassBalance } from '../loss/balance.ts';
import type {
  Batch,
  Detection,
  DetectSettings,
  Executor,
  NamedTensor,
  StepReport,
  StepSettings,
} from '../loss/executor.ts';
import { imageWeights, MovingPositives } from '../loss/normalizer.ts';
import { type DeviceWatch, readTensor } from './backend.ts';
import { squaredNorms } from './kernels/optimizer.ts';
import { type Activations, interpret } from './layers.ts';
import {
  classRows,
  focalTerms,
  giouBoxLoss,
  l1BoxLoss,
  lossMatrix,
  rowsOfLevels,
  targetColumns,
} from './losses.ts';
import { Parameters, permuteFilter } from './parameters.ts';
import { AnchorCache, type BatchTargets, levelCounts, prepareTargets } from './targets.ts';

/** Beside the parameters' names in the state, which never have a space. */
const movingName = 'moving positives';

export interface ReferenceExecutorOptions {
  readonly network: RetinaNetOptions;
  readonly boxLoss: 'l1' | 'giou';
  /** pi of the first weights. */
  readonly prior: number;
  readonly seed: number;
  /** For people: the adapter's name, and whether the CPU plays it. */
  readonly adapter: string;
  readonly software: boolean;
  /** Where the backend is WebGPU: what `registerWebGPU` returned. */
  readonly watch?: DeviceWatch;
}

/** What a step computes before it decides: for tests, and for the step itself. */
export interface Gradients {
  readonly report: StepReport;
  /** Per trainable parameter, in torch's layout. */
  readonly gradients: readonly NamedTensor[];
}

/** An executor on the current tfjs backend, with fresh weights of the given seed. */
export async function createReferenceExecutor(options: ReferenceExecutorOptions): Promise<ReferenceExecutor> {
  return new ReferenceExecutor(options);
}

export class ReferenceExecutor implements Executor {
  readonly adapter: string;
  readonly backend: string;
  readonly software: boolean;
  readonly parameterCount: number;
  readonly graph: NetworkGraph;
  readonly #options: ReferenceExecutorOptions;
  readonly #parameters: Parameters;
  readonly #anchors: AnchorCache;
  readonly #moving = new MovingPositives();

  constructor(options: ReferenceExecutorOptions) {
    this.#options = options;
    this.adapter = options.adapter;
    this.software = options.software;
    this.backend = `tfjs-${getBackend()}`;
    this.graph = buildRetinaNet(options.network);
    this.parameterCount = parameterCount(this.graph);
    this.#parameters = new Parameters(this.graph, (spec) => initialParameter(spec, options));
    this.#anchors = new AnchorCache(this.graph);
  }

  /** One step of SGD. Where the loss or a gradient is not finite, no weight changes and the report says so. */
  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const pass = this.#backward(batch, settings);
    try {
      const { report, gradientNorm } = await this.#read(pass);
      const gradientScale = clipScale(gradientNorm, settings.clipNorm);
      if (report.finite) this.#parameters.update(pass.gradients, { ...settings, gradientScale });
      return report;
    } finally {
      dispose([...pass.gradients, pass.figures]);
    }
  }

  /** The gradients of a step that is not taken. */
  async gradients(batch: Batch, settings: StepSettings): Promise<Gradients> {
    const pass = this.#backward(batch, settings);
    try {
      const names = this.#parameters.trainableNames();
      const gradients = await Promise.all(names.map((name, i) => this.#toTorch(name, pass.gradients[i]!)));
      return { report: (await this.#read(pass)).report, gradients };
    } finally {
      dispose([...pass.gradients, pass.figures]);
    }
  }

  async detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]> {
    const classCount = this.#options.network.foregroundClassCount;
    const { logits, deltas } = await this.heads(batch);
    const anchors = this.#anchors.of(batch.paddedHeight, batch.paddedWidth);
    const count = anchors.length / 4;
    const counts = levelCounts(this.graph, batch.paddedHeight, batch.paddedWidth);
    return batch.targets.map((frame, index) => {
      const head = {
        logits: logits.subarray(index * count * classCount, (index + 1) * count * classCount),
        deltas: deltas.subarray(index * count * 4, (index + 1) * count * 4),
        anchors,
        levelCounts: counts,
        foregroundClassCount: classCount,
      };
      return decodeDetections(head, frame, settings);
    });
  }

  /** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
  async heads(batch: Batch): Promise<{ logits: Float32Array; deltas: Float32Array }> {
    const outputs = tidy(() => {
      const { logits, deltas } = this.#forward(batch);
      return [logits, deltas];
    });
    try {
      const [logits, deltas] = await Promise.all(
        outputs.map((each) => readTensor(each, this.#options.watch)),
      );
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
      const activations = this.#interpret(batch, { wanted: ids });
      return ids.map((id) => clone(activations.get(id)!));
    });
    const read = wanted.map(async (each) => ({
      shape: each.shape,
      data: (await each.data()) as Float32Array,
    }));
    const all = await Promise.all(read);
    dispose(wanted);
    return all;
  }

  exportWeights(): Promise<NamedTensor[]> {
    return this.#parameters.exportWeights();
  }

  importWeights(tensors: readonly NamedTensor[]): void {
    this.#parameters.importWeights(tensors);
  }

  async exportState(): Promise<NamedTensor[]> {
    const average = { name: movingName, shape: [1], data: Float32Array.of(this.#moving.average) };
    return [...(await this.#parameters.exportState()), average];
  }

  importState(tensors: readonly NamedTensor[]): void {
    this.#parameters.importState(tensors);
    const average = tensors.find(({ name }) => name === movingName)?.data[0];
    if (average !== undefined) this.#moving.average = average;
  }

  dispose(): void {
    this.#parameters.dispose();
  }

  /** `learnt` stand in for the parameters of their names; `wanted` activations alone are kept. */
  #interpret(
    batch: Batch,
    { learnt, wanted }: { learnt?: ReadonlyMap<string, Tensor>; wanted?: readonly string[] },
  ): Activations {
    requireWholeCells(batch);
    const { paddedHeight, paddedWidth } = batch;
    const images = tensor4d(batch.images, [batch.batch, paddedHeight, paddedWidth, 3]);
    const context = {
      parameter: (name: string) => learnt?.get(name) ?? this.#parameters.value(name),
      frozenNorm: (prefix: string) => this.#parameters.frozenNorm(prefix),
    };
    return interpret(this.graph, images, context, wanted);
  }

  #forward(batch: Batch, learnt?: ReadonlyMap<string, Tensor>): { logits: Tensor2D; deltas: Tensor2D } {
    // A gradient reads every activation again.
    const wanted = learnt ? undefined : [...this.graph.logits, ...this.graph.deltas];
    const activations = this.#interpret(batch, { learnt, wanted });
    const levels = (ids: readonly string[]): Tensor4D[] => ids.map((id) => activations.get(id)!);
    return {
      logits: rowsOfLevels(levels(this.graph.logits), this.#options.network.foregroundClassCount),
      deltas: rowsOfLevels(levels(this.graph.deltas), 4),
    };
  }

  /** Loss, its figures and all gradients, on the device; the caller disposes of them. */
  #backward(batch: Batch, settings: StepSettings): Pass {
    const classCount = this.#options.network.foregroundClassCount;
    const anchors = this.#anchors.of(batch.paddedHeight, batch.paddedWidth);
    const weightsOf =
      settings.normalizer === 'moving'
        ? (each: readonly number[]) => this.#moving.weights(each)
        : imageWeights;
    const targets = prepareTargets(batch, anchors, classCount, this.#options.boxLoss, weightsOf);
    const names = this.#parameters.trainableNames();
    let pass: Pass | null = null;
    tidy(() => {
      const figures: Tensor[] = [];
      const loss = (...learnt: Tensor[]): Tensor => {
        const byName = new Map(names.map((name, index) => [name, learnt[index]!]));
        const { logits, deltas } = this.#forward(batch, byName);
        const rows = classRows(tensor1d(targets.classes, 'int32'), classCount);
        const terms = focalTerms(logits, targetColumns(rows, classCount), settings.alpha, settings.gamma);
        const weighted: Tensor2D = mul(terms, column(targets.classWeights));
        const box = this.#boxLoss(deltas, anchors, targets, batch.batch);
        figures.push(keep(lossMatrix(rows, weighted)), keep(box));
        return add(sum(weighted), box);
      };
      const { grads } = valueAndGrads(loss)(names.map((name) => this.#parameters.value(name)));
      const all = concat([...figures.map((each) => reshape(each, [-1])), normsOf(grads)]);
      dispose(figures);
      pass = { gradients: grads.map(keep), figures: keep(all), targets };
    });
    return pass!;
  }

  #boxLoss(deltas: Tensor2D, anchors: Float32Array, targets: BatchTargets, batch: number): Tensor {
    const weights = column(targets.boxWeights);
    const boxes = tensor2d(targets.boxes, [targets.classes.length, 4]);
    if (this.#options.boxLoss === 'l1') return l1BoxLoss(deltas, boxes, weights);
    const rows: Tensor2D = tile(tensor2d(anchors, [targets.anchorsPerImage, 4]), [batch, 1]);
    return giouBoxLoss(deltas, rows, boxes, weights);
  }

  /** The one readback of a step: the loss matrix, the box loss, and the squared norm of every gradient. */
  async #read({ figures, targets }: Pass): Promise<{ report: StepReport; gradientNorm: number }> {
    const classCount = this.#options.network.foregroundClassCount;
    const data = await readTensor(figures, this.#options.watch);
    const matrix = data.subarray(0, (classCount + 1) * classCount);
    const balance = balanceOf(matrix, classCount, targets);
    const report = {
      classification: balance.reduce((total, each) => total + each.foreground + each.background, 0),
      box: data[matrix.length]!,
      positives: targets.positives,
      balance,
      finite: data.every(Number.isFinite),
    };
    const squared = data.subarray(matrix.length + 1).reduce((total, each) => total + each, 0);
    return { report, gradientNorm: Math.sqrt(squared) };
  }

  async #toTorch(name: string, gradient: Tensor): Promise<NamedTensor> {
    const { shape } = this.graph.parameters.find((spec) => spec.name === name)!;
    const data = (await gradient.data()) as Float32Array;
    if (shape.length !== 4) return { name, shape, data };
    const [outputs, inputs, height, width] = shape as [number, number, number, number];
    return { name, shape, data: permuteFilter(data, outputs, inputs, height * width, 'toTorch') };
  }
}

interface Pass {
  readonly gradients: Tensor[];
  readonly figures: Tensor;
  readonly targets: BatchTargets;
}

/** The balance of every class out of the loss matrix (see `lossMatrix`). */
export function balanceOf(
  matrix: Float32Array,
  classCount: number,
  targets: Pick<BatchTargets, 'positivesOf' | 'positives' | 'backgroundTrueAnchors'>,
): ClassBalance[] {
  return Array.from({ length: classCount }, (_, classIndex) => {
    let backgroundOther = 0;
    for (let row = 0; row < classCount; row++) {
      if (row !== classIndex) backgroundOther += matrix[row * classCount + classIndex]!;
    }
    const backgroundTrue = matrix[classCount * classCount + classIndex]!;
    const positives = targets.positivesOf[classIndex]!;
    return {
      classIndex,
      foreground: matrix[classIndex * classCount + classIndex]!,
      background: backgroundTrue + backgroundOther,
      backgroundTrue,
      backgroundOther,
      positives,
      backgroundTrueAnchors: targets.backgroundTrueAnchors,
      backgroundOtherAnchors: targets.positives - positives,
    };
  });
}

/** What every gradient is multiplied by, with torch's own guard against a division by nothing. */
export function clipScale(gradientNorm: number, clipNorm = 0): number {
  return clipNorm > 0 ? Math.min(1, clipNorm / (gradientNorm + 1e-6)) : 1;
}

/** Squared norms in one vector: not finite where any gradient's element is not. */
function normsOf(gradients: readonly Tensor[]): Tensor1D {
  if (getBackend() === 'webgpu') return squaredNorms(backend() as WebGPUBackend, gradients) as Tensor1D;
  return concat(gradients.map((gradient) => reshape(sum(square(gradient)), [1])));
}

function column(values: Float32Array): Tensor2D {
  return tensor2d(values, [values.length, 1]);
}

function requireWholeCells(batch: Batch): void {
  if (batch.paddedHeight % 32 === 0 && batch.paddedWidth % 32 === 0) return;
  throw new Problem(
    'bad-input',
    `A batch of ${batch.paddedWidth}x${batch.paddedHeight} px cannot be computed: both sides must be multiples of 32.`,
    'Pad the images to a multiple of 32.',
  );
}
