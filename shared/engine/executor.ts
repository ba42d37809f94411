/**
 * The detector as compiled plans on a WebGPU device: what trains wherever WebGPU is. A step is asked for in turn and answers later,
 * when its figures have come through the ring; the next may be asked for before.
 */
import { initialParameter } from '../detector/init.ts';
import {
  buildRetinaNet,
  type NetworkGraph,
  parameterCount,
  type RetinaNetOptions,
} from '../detector/network.ts';
import type {
  Batch,
  BatchShape,
  Detection,
  DetectSettings,
  Executor,
  Measured,
  MeasureSettings,
  NamedTensor,
  Snapshot,
  StepReport,
  StepSettings,
} from '../loss/executor.ts';
import { readHistogram } from '../loss/histogramWords.ts';
import { imageWeights } from '../loss/normalizer.ts';
import { lossSettingsOf } from '../loss/strategies.ts';
import { termForm } from '../loss/term.ts';
import { requireWholeCells } from '../loss/wholeCells.ts';
import { Counting } from './counting.ts';
import { EngineDevice } from './device/engineDevice.ts';
import type { Plan } from './device/plan.ts';
import type { Readback } from './device/readback.ts';
import type { CallTime } from './device/timestamps.ts';
import { Turns } from './device/turns.ts';
import { Feed, kindCapacity } from './feed.ts';
import { readHeads, readNhwc } from './heads.ts';
import { readDetections } from './kernels/detections/read.ts';
import { candidatesRef, settingsRef, writeDetectionSettings } from './kernels/detections/spec.ts';
import { hardLogitOf, readHeaviest } from './kernels/loss/figures.ts';
import type { MatrixShape } from './kernels/wgsl.ts';
import { doesNotFit, whatFits } from './memory/fits.ts';
import type { BufferRef } from './plan/call.ts';
import { stillNumbers } from './plan/settings.ts';
import { type Planned, Plans } from './plans.ts';
import {
  detectionSections,
  forwardSections,
  histogramRef,
  measuring,
  measuringSections,
  type PlannedNetwork,
  type PlannedShape,
  type StepSpec,
  stateRef,
  trainingSections,
} from './sections.ts';
import { Steps } from './steps.ts';
import { Tuner, type TunerCache } from './tuner/tuner.ts';
import { workbenchOn } from './tuner/workbench.ts';
import { Weights } from './weights.ts';

export interface EngineExecutorOptions {
  readonly network: RetinaNetOptions;
  readonly boxLoss: 'l1' | 'giou';
  /** pi of the first weights. */
  readonly prior: number;
  readonly seed: number;
  /** For people: the adapter's name, and whether the CPU plays it. */
  readonly adapter: string;
  readonly software: boolean;
  /** Adapter and driver: what was found to be fast on them is found again under it. */
  readonly adapterKey: string;
  /** Where that is kept; absent: nothing is tried out. */
  readonly tunerCache?: TunerCache;
  readonly device: GPUDevice;
  /** Products of small matrices that the device was given, an experiment: the tuner tries them. Absent: none. */
  readonly matrices?: readonly MatrixShape[];
  /** `mixed`: what the backward pass reads again is stored in half precision. Sums and gradients are f32 either way. */
  readonly precision: 'f32' | 'mixed';
  /** Milliseconds since any moment. */
  readonly clock: () => number;
}

/** An executor on the device, with fresh weights of the given seed. */
export async function createEngineExecutor(options: EngineExecutorOptions): Promise<EngineExecutor> {
  return new EngineExecutor(options);
}

/** Of halves only for who stores in halves: f32 stays f32. */
function usableMatrices({ matrices = [], precision }: EngineExecutorOptions): MatrixShape[] {
  return matrices.filter(({ component, result }) => {
    return result === 'f32' && (component === 'f32' || precision === 'mixed');
  });
}

/** Beside the parameters' names in the state, which never have a space. */
const movingName = 'moving positives';

/** How long a user waits at most, once per adapter and kind of network, for what the steps are faster by. */
const tuningBudgetMs = 15_000;

export class EngineExecutor implements Executor {
  readonly adapter: string;
  readonly backend: 'engine' | 'engine-matrices';
  readonly software: boolean;
  readonly parameterCount: number;
  readonly stepsUnderWay = 3;
  readonly takesBytes = true;
  readonly graph: NetworkGraph;
  readonly device: EngineDevice;
  readonly #spec: StepSpec;
  readonly #weights: Weights;
  readonly #feed: Feed;
  readonly #plans: Plans;
  readonly #steps: Steps;
  readonly #tuner: Tuner | null;
  /** What is written for a pass, and the pass: nothing else comes between. */
  readonly #asking = new Turns();
  /** Steps answer in their order. */
  readonly #answering = new Turns();

  constructor(options: EngineExecutorOptions) {
    const { network, boxLoss, prior, seed, software, clock, tunerCache: cache } = options;
    this.adapter = options.adapter;
    this.software = software;
    this.graph = buildRetinaNet(network);
    this.parameterCount = parameterCount(this.graph);
    const matrices = software ? [] : usableMatrices(options);
    this.backend = matrices.length > 0 ? 'engine-matrices' : 'engine';
    const device = new EngineDevice(options.device, { software, clock, matrices });
    const { facts } = device;
    // What is fastest where there are matrices is no way to compute where there are none, and the other way round.
    const kinds = new Set(matrices.map(({ component }) => `matrices of ${component}`));
    const adapterKey = [options.adapterKey, ...kinds].join(' / ');
    const tuned = { facts, adapterKey, bench: workbenchOn(device, clock), clock, budgetMs: tuningBudgetMs };
    this.device = device;
    this.#tuner = cache ? new Tuner({ ...tuned, cache }) : null;
    this.#weights = new Weights(this.graph, device, (spec) => initialParameter(spec, { prior, seed }));
    this.#feed = new Feed(this.graph, device);
    this.#plans = new Plans(device, this.#feed);
    this.#spec = {
      ...{ graph: this.graph, parameters: this.#weights.layout, boxLoss, facts },
      storage: options.precision === 'mixed' ? 'f16' : 'f32',
      choices: this.#tuner?.choices,
    };
    this.#steps = new Steps({
      ...{ device, spec: this.#spec, weights: this.#weights, feed: this.#feed, plans: this.#plans },
      counting: new Counting(device, histogramRef(this.#spec), network.foregroundClassCount, this.#asking),
    });
  }

  async prepare(shape: BatchShape, tell: (sentence: string) => void): Promise<void> {
    requireWholeCells(shape);
    const capacity = kindCapacity({ targets: [] });
    const limits = this.device.limits();
    const lower = (of: PlannedShape) => trainingSections(this.#spec, of, capacity);
    const fits = whatFits((of) => this.#plans.bytesOf(of, lower, limits), shape, limits);
    if (!fits.fits) throw doesNotFit(shape, fits, limits);
    await this.#asking.take(async () => {
      if (this.#tuner) {
        const { network } = trainingSections(this.#spec, shape, capacity);
        await this.#tuner.tune([...network.forward, ...network.backward], tell);
      }
      tell('Compiling the network for this GPU');
      await this.#steps.planned(shape, capacity);
    });
  }

  /** Asked for in turn; answers when the device has. A strategy that selects by score waits for its logits in between. */
  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const asked = await this.#computing(() => this.#steps.ask(batch, settings, ['decide', 'update']));
    return this.#answering.take(() => this.#steps.answer(asked));
  }

  /**
   * How long each dispatch takes of a step as the last one on such a batch; null where the device does not tell. The step is taken: what
   * trains is not asked.
   */
  profile(batch: Batch): Promise<readonly CallTime[] | null> {
    return this.#computing(async () => {
      const { plan } = await this.#steps.planned(batch, kindCapacity(batch));
      return plan.profile(['begin', 'forward', 'backward', 'decide', 'update']);
    });
  }

  /** The gradients of a step that is not taken, in torch's layout; its logits are not counted. */
  gradients(batch: Batch, settings: StepSettings): Promise<{ report: StepReport; gradients: NamedTensor[] }> {
    const statistics = settings.statistics === 'none' ? 'none' : 'balance';
    return this.#computing(async () => {
      const asked = await this.#steps.ask(batch, { ...settings, statistics, snapshot: false }, ['decide']);
      const report = await this.#steps.answer(asked);
      return { report, gradients: await this.#weights.exportGradients(this.#steps.lossScale) };
    });
  }

  /** Candidates are chosen and decoded on the device; those that overlap a better one go here. */
  detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]> {
    const lower = (shape: PlannedShape) => detectionSections(this.#spec, shape);
    return this.#pass('detect', batch, 0, lower, async ({ plan, detection }) => {
      this.device.write(settingsRef(detection), writeDetectionSettings(detection, batch.targets, settings));
      const [found] = await this.#runAndRead(plan, ['detect'], [candidatesRef(detection)]);
      return readDetections(detection, found!, batch.targets, settings);
    });
  }

  /** In plans and state of its own: what a run counts is left alone. */
  measure(batch: Batch, settings: MeasureSettings): Promise<Measured> {
    const form = termForm(lossSettingsOf({ ...settings, strategy: 'focal' }));
    const { foregroundClassCount } = this.graph.options;
    const capacity = kindCapacity(batch);
    const lower = (shape: PlannedShape) => measuringSections(this.#spec, shape, capacity);
    return this.#pass('measure', batch, capacity, lower, async (planned) => {
      const { figures } = this.#steps;
      const matched = this.#feed.match(batch);
      const weights = { images: imageWeights(matched.positivesPerImage) };
      this.#feed.writeTargets(batch, matched, weights, planned.rows, capacity);
      this.#feed.writeNumbers({ ...stillNumbers, form, counted: true });
      const refs = [stateRef('figures', figures.words), histogramRef(this.#spec)].map(measuring);
      const [words, counts] = await this.#runAndRead(planned.plan, ['forward', 'count'], refs);
      const hard = readHeaviest(words!, figures).map((each) => hardLogitOf(each, planned.rows, 0, form));
      return {
        histogram: readHistogram(counts!, foregroundClassCount),
        hardest: this.#steps.gallery(hard, batch, planned, settings.hardest),
        positives: matched.positives,
      };
    });
  }

  lastSnapshot(): Promise<Snapshot | null> {
    return this.#answering.take(() => this.#steps.snapshots.last());
  }

  /** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
  heads(batch: Batch): Promise<{ logits: Float32Array; deltas: Float32Array }> {
    const lower = (shape: PlannedShape) => forwardSections(this.#spec, shape, false);
    return this.#pass('forward', batch, 0, lower, async (planned) => {
      await planned.plan.run(['forward']);
      return readHeads(planned);
    });
  }

  /** Activations of the pyramid and the heads by node id, NHWC, for tests. */
  activations(batch: Batch, ids: readonly string[]): Promise<{ shape: number[]; data: Float32Array }[]> {
    const lower = (shape: PlannedShape) => forwardSections(this.#spec, shape, true);
    return this.#pass('features', batch, 0, lower, async ({ plan, network }) => {
      await plan.run(['forward']);
      return Promise.all(ids.map((id) => readNhwc(plan, network.viewOf(id)!)));
    });
  }

  exportWeights(): Promise<NamedTensor[]> {
    return this.#asking.take(() => this.#weights.export());
  }

  importWeights(tensors: readonly NamedTensor[]): void {
    this.#weights.import(tensors);
    this.#steps.resume();
  }

  exportState(): Promise<NamedTensor[]> {
    return this.#asking.take(async () => [
      ...(await this.#weights.exportMomentum()),
      { name: movingName, shape: [1], data: Float32Array.of(this.#steps.moving.average) },
    ]);
  }

  importState(tensors: readonly NamedTensor[]): void {
    this.#weights.importMomentum(tensors);
    const average = tensors.find(({ name }) => name === movingName)?.data[0];
    if (average !== undefined) this.#steps.moving.average = average;
  }

  dispose(): void {
    this.device.dispose();
  }

  /** In turn. Who never prepared computes as whoever trained on this adapter before: what was found fastest then is not tried again. */
  #computing<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return this.#asking.take(async () => {
      await this.#tuner?.recall();
      return work();
    });
  }

  /** A pass forward in its turn, weights and frames being on the device. */
  #pass<Network extends PlannedNetwork, Answer>(
    purpose: string,
    batch: Batch,
    capacity: number,
    lower: (shape: PlannedShape) => Network,
    work: (planned: Planned<Network>) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#computing(async () => {
      requireWholeCells(batch);
      await this.#weights.settle(false);
      const planned = await this.#plans.of(purpose, batch, capacity, lower);
      this.#feed.writeFrame(batch);
      return work(planned);
    });
  }

  async #runAndRead(
    plan: Plan,
    sections: readonly string[],
    refs: readonly BufferRef[],
  ): Promise<Uint32Array[]> {
    let copies: Readback[] = [];
    await plan.run(sections, (encoder) => {
      copies = refs.map((ref) => this.device.copy(encoder, [ref]));
    });
    return Promise.all(copies.map((copy) => copy.read()));
  }
}
