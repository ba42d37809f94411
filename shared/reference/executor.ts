/**
 * The detector on tfjs with its autodiff: the oracle that every kernel is held against, and what trains where nothing
 * faster is there. The backend (webgpu, webgl, cpu) is chosen by whoever registers it.
 */
import { dispose, getBackend, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs-core';
import { decodeDetections } from '../detector/decode.ts';
import { permuteFilter } from '../detector/filterLayout.ts';
import { type NetworkGraph, parameterCount, type RetinaNetOptions } from '../detector/network.ts';
import type {
  Batch,
  Detection,
  DetectSettings,
  Executor,
  HardAnchor,
  Measured,
  MeasureSettings,
  NamedTensor,
  Snapshot,
  StepReport,
  StepSettings,
} from '../loss/executor.ts';
import { gallery } from '../loss/gallery.ts';
import { partsOf, requireDivisible } from '../loss/microBatch.ts';
import { imageWeights, MovingPositives } from '../loss/normalizer.ts';
import { type CountedStep, galleryCount, Snapshots } from '../loss/snapshots.ts';
import { lossSettingsOf } from '../loss/strategies.ts';
import { type BatchTargets, prepareTargets } from '../loss/targets.ts';
import { readTensor } from './backend.ts';
import type { DeviceWatch } from './deviceWatch.ts';
import { type Heads, Model } from './model.ts';
import { weighSelected } from './selection.ts';
import { backwardOfParts, clipScale, type PassFigures } from './step.ts';
import { type LogitCounter, logitCounter, type Tallied, type TalliedBatch } from './tally.ts';

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
  readonly stepsUnderWay = 1;
  readonly graph: NetworkGraph;
  readonly #options: ReferenceExecutorOptions;
  readonly #model: Model;
  readonly #moving = new MovingPositives();
  readonly #counter: LogitCounter;
  readonly #snapshots: Snapshots;
  /** A step was not finite: no further one is taken until weights are imported. */
  #halted = false;

  constructor(options: ReferenceExecutorOptions) {
    this.#options = options;
    this.adapter = options.adapter;
    this.software = options.software;
    this.backend = `tfjs-${getBackend()}`;
    this.#model = new Model(options);
    this.graph = this.#model.graph;
    this.parameterCount = parameterCount(this.graph);
    this.#counter = logitCounter(this.#model.foregroundClassCount, options.watch);
    this.#snapshots = new Snapshots(this.#counter);
  }

  /** tfjs compiles as it goes and tells of memory only when it is used up. */
  async prepare(): Promise<void> {}

  /**
   * One step of SGD. Where the loss or a gradient is not finite, no weight changes and the report says so. A strategy that selects by
   * score costs a forward pass more; statistics cost no readback of their own.
   */
  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const work = await this.#compute(batch, settings, settings.statistics === 'all');
    try {
      const { report, tallied } = work;
      if (tallied && settings.statistics === 'all') {
        this.#snapshots.add(countedStep(work.of.targets), () => this.#gallery(tallied, batch, galleryCount));
      }
      const snapshot = await this.#snapshots.collect();
      if (settings.snapshot) this.#snapshots.ask();
      this.#halted ||= !report.finite;
      if (!this.#halted) {
        const gradientScale = clipScale(work.gradientNorm, settings.clipNorm);
        this.#model.parameters.update(work.gradients, { ...settings, gradientScale });
      }
      return { ...report, finite: !this.#halted, ...(snapshot && { snapshot }) };
    } finally {
      dispose([...work.gradients]);
    }
  }

  /** The gradients of a step that is not taken; its logits are not counted. */
  async gradients(batch: Batch, settings: StepSettings): Promise<Gradients> {
    const { report, gradients } = await this.#compute(batch, settings, false);
    try {
      const names = this.#model.parameters.trainableNames();
      return {
        report,
        gradients: await Promise.all(names.map((name, i) => this.#toTorch(name, gradients[i]!))),
      };
    } finally {
      dispose([...gradients]);
    }
  }

  async detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]> {
    const { logits, deltas } = await this.heads(batch);
    const anchors = this.#model.anchorsOf(batch);
    const foregroundClassCount = this.#model.foregroundClassCount;
    const count = anchors.length / 4;
    const levelCounts = this.#model.levelCountsOf(batch);
    return batch.targets.map((frame, index) => {
      const head = {
        logits: logits.subarray(
          index * count * foregroundClassCount,
          (index + 1) * count * foregroundClassCount,
        ),
        deltas: deltas.subarray(index * count * 4, (index + 1) * count * 4),
        anchors,
        levelCounts,
        foregroundClassCount,
      };
      return decodeDetections(head, frame, settings);
    });
  }

  async measure(batch: Batch, settings: MeasureSettings): Promise<Measured> {
    const { watch, foregroundClassCount } = this.#model;
    const of = this.#prepare(batch, { ...settings, strategy: 'focal' }, imageWeights);
    const counter = logitCounter(foregroundClassCount, watch);
    const logits = tidy(() => this.#model.forward(batch).logits);
    const tally = counter.tally(logits, of, true);
    try {
      const tallied = tally.finish(await readTensor(tally.figures, watch));
      return {
        histogram: await counter.take(),
        hardest: this.#gallery(tallied, batch, settings.hardest),
        positives: of.targets.positives,
      };
    } finally {
      dispose([logits, tally.figures]);
      counter.dispose();
    }
  }

  lastSnapshot(): Promise<Snapshot | null> {
    return this.#snapshots.last();
  }

  /** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
  heads(batch: Batch): Promise<Heads> {
    return this.#model.heads(batch);
  }

  /** Activations of the graph by node id, NHWC, for tests. */
  activations(batch: Batch, ids: readonly string[]): Promise<{ shape: number[]; data: Float32Array }[]> {
    return this.#model.activations(batch, ids);
  }

  exportWeights(): Promise<NamedTensor[]> {
    return this.#model.parameters.exportWeights();
  }

  importWeights(tensors: readonly NamedTensor[]): void {
    this.#model.parameters.importWeights(tensors);
    this.#halted = false;
  }

  async exportState(): Promise<NamedTensor[]> {
    const average = { name: movingName, shape: [1], data: Float32Array.of(this.#moving.average) };
    return [...(await this.#model.parameters.exportState()), average];
  }

  importState(tensors: readonly NamedTensor[]): void {
    this.#model.parameters.importState(tensors);
    const average = tensors.find(({ name }) => name === movingName)?.data[0];
    if (average !== undefined) this.#moving.average = average;
  }

  dispose(): void {
    this.#counter.dispose();
    this.#model.parameters.dispose();
  }

  #prepare(
    batch: Batch,
    settings: Pick<StepSettings, 'alpha' | 'gamma' | 'strategy' | 'beta' | 'hardCount' | 'hardNms'>,
    weightsOf: (positivesPerImage: readonly number[]) => readonly number[],
  ): TalliedBatch {
    const { boxLoss } = this.#options;
    const classCount = this.#model.foregroundClassCount;
    const targets = prepareTargets(batch, this.#model.anchorsOf(batch), classCount, boxLoss, weightsOf);
    return { batch, targets, loss: lossSettingsOf(settings) };
  }

  async #compute(batch: Batch, settings: StepSettings, counted: boolean): Promise<Work> {
    requireDivisible(batch, settings);
    const prepared = this.#prepare(
      batch,
      settings,
      settings.normalizer === 'moving' ? (positives) => this.#moving.weights(positives) : imageWeights,
    );
    const { loss } = prepared;
    const selected = await weighSelected(this.#model, batch, prepared.targets, loss, settings.draw);
    const of = selected ? { ...prepared, targets: selected.targets } : prepared;
    const wanted = settings.statistics !== 'none';
    const { boxLoss } = this.#options;
    const parts = partsOf(batch, of.targets, settings.microBatch).map((part) => {
      const tallied = { batch: part.batch, targets: part.targets, loss };
      const tally = (logits: Tensor2D) => this.#counter.tally(logits, tallied, counted);
      return { ...part, loss, boxLoss, tally: wanted ? tally : undefined };
    });
    const { gradients, figures } = await backwardOfParts(this.#model, parts);
    const { classification, box, finite, gradientNorm, tallied } = figures;
    const { positives } = of.targets;
    const report = { classification, box, positives, balance: tallied?.balance ?? [], finite };
    const { selectedAnchors } = selected ?? {};
    return {
      ...{ of, gradients, gradientNorm, tallied },
      report: selectedAnchors === undefined ? report : { ...report, selectedAnchors },
    };
  }

  #gallery(tallied: Tallied, batch: Batch, count: number): HardAnchor[] {
    if (count === 0) return [];
    const anchors = this.#model.anchorsOf(batch);
    const { anchorsPerPosition } = this.graph;
    return gallery(tallied.hardest(), batch, { anchors, anchorsPerPlace: anchorsPerPosition, count });
  }

  async #toTorch(name: string, gradient: Tensor): Promise<NamedTensor> {
    const { shape } = this.graph.parameters.find((spec) => spec.name === name)!;
    const data = await readTensor(gradient, this.#model.watch);
    if (shape.length !== 4) return { name, shape, data };
    const [outputs, inputs, height, width] = shape as [number, number, number, number];
    return { name, shape, data: permuteFilter(data, outputs, inputs, height * width, 'toTorch') };
  }
}

/** A step that is computed and not taken yet. */
interface Work extends Pick<PassFigures, 'gradientNorm' | 'tallied'> {
  readonly of: TalliedBatch;
  readonly gradients: readonly Tensor[];
  readonly report: StepReport;
}
/** How much the anchors of a step count that are not ignored. */
function countedStep({ classes, classWeights }: BatchTargets): CountedStep {
  let [anchors, weight] = [0, 0];
  for (let row = 0; row < classes.length; row++) {
    if (classes[row]! < 0) continue;
    anchors++;
    weight += classWeights[row]!;
  }
  return { anchors, weight };
}
