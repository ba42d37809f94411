/**
 * The detector as compiled plans on a WebGPU device: what trains wherever WebGPU is. A step is asked for in turn and answers later,
 * when its figures have come through the ring; the next may be asked for before.
 */
import { decodeBoxes } from '../detector/boxCoder.ts';
import { initialParameter } from '../detector/init.ts';
import { matchIgnored } from '../detector/matcher.ts';
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
  HardAnchor,
  Measured,
  MeasureSettings,
  NamedTensor,
  Snapshot,
  StepReport,
  StepSettings,
} from '../loss/executor.ts';
import { gallery } from '../loss/gallery.ts';
import type { LogitHistogram } from '../loss/histogram.ts';
import { emptyHistogram } from '../loss/histogramOps.ts';
import { readHistogram } from '../loss/histogramWords.ts';
import { type ImagesPart, imagesParts, requireDivisible } from '../loss/microBatch.ts';
import { imageWeights, MovingPositives } from '../loss/normalizer.ts';
import { type Selection, selectAnchors } from '../loss/selection.ts';
import { type CountedStep, galleryCount, Snapshots } from '../loss/snapshots.ts';
import { balanceOfSums, type HardLogit } from '../loss/statistics.ts';
import { lossSettingsOf, strategies } from '../loss/strategies.ts';
import type { LossSettings } from '../loss/strategy.ts';
import type { CountedMatches } from '../loss/targets.ts';
import { type TermForm, termForm } from '../loss/term.ts';
import { requireWholeCells } from '../loss/wholeCells.ts';
import { EngineDevice } from './device/engineDevice.ts';
import type { Plan } from './device/plan.ts';
import type { Readback } from './device/readback.ts';
import type { CallTime } from './device/timestamps.ts';
import { Turns } from './device/turns.ts';
import { Feed, kindCapacity } from './feed.ts';
import { readDetections } from './kernels/detections/read.ts';
import { candidatesRef, settingsRef, writeDetectionSettings } from './kernels/detections/spec.ts';
import {
  type FiguresLayout,
  figuresLayout,
  hardLogitOf,
  readFigures,
  readHeaviest,
} from './kernels/loss/figures.ts';
import { unpackRows } from './kernels/loss/targets.ts';
import { controlRef } from './kernels/optimizer/optimizer.ts';
import { planBytes } from './memory/bytes.ts';
import { doesNotFit, whatFits, withWhatFits } from './memory/fits.ts';
import { type BufferRef, bindView } from './plan/call.ts';
import { strideOf, type TensorView } from './plan/tensor.ts';
import {
  detectionSections,
  forwardSections,
  heads,
  histogramRef,
  measuring,
  measuringSections,
  type PlannedNetwork,
  type PlannedShape,
  type StepSpec,
  stateRef,
  trainingSections,
} from './sections.ts';
import { timerOf } from './tuner/timer.ts';
import { Tuner, type TunerCache } from './tuner/tuner.ts';
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
  /** `mixed`: what the backward pass reads again is stored in half precision. Sums and gradients are f32 either way. */
  readonly precision: 'f32' | 'mixed';
  /** Milliseconds since any moment. */
  readonly clock: () => number;
}

/** An executor on the device, with fresh weights of the given seed. */
export async function createEngineExecutor(options: EngineExecutorOptions): Promise<EngineExecutor> {
  return new EngineExecutor(options);
}

/** Beside the parameters' names in the state, which never have a space. */
const movingName = 'moving positives';

/** How long a user waits at most, once per adapter and kind of network, for what the steps are faster by. */
const tuningBudgetMs = 15_000;

/** Keeps small gradients apart from zero where the layers they come through are stored in half precision. */
const mixedLossScale = 1024;

/** Plans of each kind that are kept: a run sees few shapes of batches, a folder of images many. */
const plansKept = 8;

/** A network on a batch's shape, ready to run. */
type Planned<Network extends PlannedNetwork = PlannedNetwork> = Network & { readonly plan: Plan };

/** All that a step is answered with, but for what the device says. */
interface Asked {
  readonly batch: Batch;
  readonly settings: StepSettings;
  readonly form: TermForm;
  readonly matched: Omit<CountedMatches, 'matches'>;
  readonly counted: CountedStep;
  readonly selectedAnchors: number | undefined;
  readonly parts: readonly (ImagesPart & { readonly planned: Planned })[];
  readonly figures: Readback;
}

export class EngineExecutor implements Executor {
  readonly adapter: string;
  readonly backend = 'engine';
  readonly software: boolean;
  readonly parameterCount: number;
  readonly stepsUnderWay = 3;
  readonly takesBytes = true;
  readonly graph: NetworkGraph;
  readonly device: EngineDevice;
  readonly #spec: StepSpec;
  readonly #weights: Weights;
  readonly #feed: Feed;
  readonly #tuner: Tuner | null;
  readonly #figures: FiguresLayout;
  readonly #moving = new MovingPositives();
  /** Those used last at the end. */
  readonly #plans = new Map<string, Planned>();
  /** What is written for a step, and the step: no other comes between. */
  readonly #asking = new Turns();
  /** Steps answer in their order. */
  readonly #answering = new Turns();
  readonly #snapshots = new Snapshots({ take: () => this.#takeHistogram() });
  /** On their way, in the order in which steps asked for them. */
  readonly #histograms: Promise<LogitHistogram>[] = [];
  /** Whether logits were counted since the last histogram was handed over. */
  #hasCounted = false;
  readonly #lossScale: number;
  /** The next counted step begins a new histogram. */
  #forgets = false;
  /** New weights are learnt on, whatever became of the old ones. */
  #resumes = false;

  constructor(options: EngineExecutorOptions) {
    const { network, boxLoss, prior, seed, software, clock } = options;
    this.adapter = options.adapter;
    this.software = software;
    this.graph = buildRetinaNet(network);
    this.parameterCount = parameterCount(this.graph);
    this.device = new EngineDevice(options.device, { software, clock });
    this.#weights = new Weights(this.graph, this.device, (spec) => initialParameter(spec, { prior, seed }));
    this.#feed = new Feed(this.graph, this.device);
    this.#figures = figuresLayout(network.foregroundClassCount, this.device.facts);
    const { adapterKey, tunerCache: cache } = options;
    const time = timerOf(this.device, clock);
    this.#tuner = cache
      ? new Tuner({ facts: this.device.facts, adapterKey, cache, time, clock, budgetMs: tuningBudgetMs })
      : null;
    this.#lossScale = options.precision === 'mixed' ? mixedLossScale : 1;
    this.#spec = {
      graph: this.graph,
      parameters: this.#weights.layout,
      boxLoss,
      storage: options.precision === 'mixed' ? 'f16' : 'f32',
      facts: this.device.facts,
      choices: this.#tuner?.choices,
    };
  }

  async prepare(shape: BatchShape, tell: (sentence: string) => void): Promise<void> {
    requireWholeCells(shape);
    const capacity = kindCapacity({ targets: [] });
    const limits = this.device.limits();
    const bytesOf = (of: BatchShape) => {
      const { sections, pinned } = trainingSections(this.#spec, of, capacity);
      return planBytes(
        sections.flatMap(({ calls }) => calls),
        pinned,
        limits.maxBufferBytes,
      );
    };
    const fits = whatFits(bytesOf, shape, limits);
    if (!fits.fits) throw doesNotFit(shape, fits, limits);
    if (this.#tuner) {
      const { network } = trainingSections(this.#spec, shape, capacity);
      await this.#asking.take(() => this.#tuner!.tune([...network.forward, ...network.backward], tell));
    }
    tell('Compiling the network for this GPU');
    await this.#asking
      .take(() => this.#training(shape, capacity))
      .catch((error) => {
        throw withWhatFits(error, bytesOf, shape, limits);
      });
  }

  /** Asked for in turn; answers when the device has. A strategy that selects by score waits for its logits in between. */
  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const asked = await this.#asking.take(() => this.#ask(batch, settings, ['decide', 'update']));
    return this.#answering.take(() => this.#answer(asked));
  }

  /**
   * How long each dispatch takes of a step as the last one on such a batch; null where the device does not tell. The step is taken: what
   * trains is not asked.
   */
  profile(batch: Batch): Promise<readonly CallTime[] | null> {
    return this.#asking.take(async () => {
      const { plan } = await this.#training(batch, kindCapacity(batch));
      return plan.profile(['begin', 'forward', 'backward', 'decide', 'update']);
    });
  }

  /** The gradients of a step that is not taken, in torch's layout; its logits are not counted. */
  gradients(batch: Batch, settings: StepSettings): Promise<{ report: StepReport; gradients: NamedTensor[] }> {
    const statistics = settings.statistics === 'none' ? 'none' : 'balance';
    return this.#asking.take(async () => {
      const asked = await this.#ask(batch, { ...settings, statistics, snapshot: false }, ['decide']);
      return { report: await this.#answer(asked), gradients: await this.#weights.exportGradients() };
    });
  }

  /** Candidates are chosen and decoded on the device; those that overlap a better one go here. */
  detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]> {
    return this.#asking.take(async () => {
      requireWholeCells(batch);
      await this.#weights.settle(false);
      const planned = await this.#planned('detect', batch, 0, (shape) =>
        detectionSections(this.#spec, shape),
      );
      const { detection } = planned;
      this.#feed.writeFrame(batch);
      this.device.write(settingsRef(detection), writeDetectionSettings(detection, batch.targets, settings));
      let found: Readback | null = null;
      await planned.plan.run(['detect'], (encoder) => {
        found = this.device.copy(encoder, [candidatesRef(detection)]);
      });
      return readDetections(detection, await found!.read(), batch.targets, settings);
    });
  }

  /** In plans and state of its own: what a run counts is left alone. */
  measure(batch: Batch, settings: MeasureSettings): Promise<Measured> {
    return this.#asking.take(async () => {
      requireWholeCells(batch);
      const form = termForm(lossSettingsOf({ ...settings, strategy: 'focal' }));
      await this.#weights.settle(false);
      const capacity = kindCapacity(batch);
      const planned = await this.#planned('measure', batch, capacity, (shape) =>
        measuringSections(this.#spec, shape, capacity),
      );
      const matched = this.#feed.match(batch);
      const weights = { images: imageWeights(matched.positivesPerImage) };
      this.#feed.writeFrame(batch);
      this.#feed.writeTargets(batch, matched, weights, planned.rows, capacity);
      this.#feed.writeNumbers({ ...resting, form, counted: true });
      const refs = [stateRef('figures', this.#figures.words), histogramRef(this.#spec)].map(measuring);
      const reads: Readback[] = [];
      await planned.plan.run(['forward', 'count'], (encoder) => {
        for (const ref of refs) reads.push(this.device.copy(encoder, [ref]));
      });
      const [figures, histogram] = await Promise.all(reads.map((each) => each.read()));
      const hard = readHeaviest(figures!, this.#figures);
      return {
        histogram: readHistogram(histogram!, this.graph.options.foregroundClassCount),
        hardest: this.#gallery(
          hard.map((each) => hardLogitOf(each, planned.rows, 0, form)),
          batch,
          planned,
          settings.hardest,
        ),
        positives: matched.positives,
      };
    });
  }

  lastSnapshot(): Promise<Snapshot | null> {
    return this.#answering.take(() => this.#snapshots.last());
  }

  /** Raw head outputs: logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]`. */
  async heads(batch: Batch): Promise<{ logits: Float32Array; deltas: Float32Array }> {
    const { logits, deltas } = await this.#forward(batch);
    return { logits, deltas };
  }

  /** Activations of the pyramid and the heads by node id, NHWC, for tests. */
  activations(batch: Batch, ids: readonly string[]): Promise<{ shape: number[]; data: Float32Array }[]> {
    return this.#asking.take(async () => {
      await this.#weights.settle(false);
      const planned = await this.#planned('features', batch, 0, (shape) =>
        forwardSections(this.#spec, shape, true),
      );
      this.#feed.writeFrame(batch);
      await planned.plan.run(['forward']);
      return Promise.all(ids.map((id) => readNhwc(planned.plan, planned.network.viewOf(id)!)));
    });
  }

  exportWeights(): Promise<NamedTensor[]> {
    return this.#asking.take(() => this.#weights.export());
  }

  importWeights(tensors: readonly NamedTensor[]): void {
    this.#weights.import(tensors);
    this.#resumes = true;
  }

  exportState(): Promise<NamedTensor[]> {
    return this.#asking.take(async () => [
      ...(await this.#weights.exportMomentum()),
      { name: movingName, shape: [1], data: Float32Array.of(this.#moving.average) },
    ]);
  }

  importState(tensors: readonly NamedTensor[]): void {
    this.#weights.importMomentum(tensors);
    const average = tensors.find(({ name }) => name === movingName)?.data[0];
    if (average !== undefined) this.#moving.average = average;
  }

  dispose(): void {
    this.device.dispose();
    this.#plans.clear();
  }

  /** Everything of a step up to its last submit. */
  async #ask(batch: Batch, settings: StepSettings, ending: readonly string[]): Promise<Asked> {
    requireWholeCells(batch);
    requireDivisible(batch, settings);
    const loss = lossSettingsOf(settings);
    const form = termForm(loss);
    const counts = settings.statistics === 'all';
    await this.#weights.settle(true);
    const { matches, ...matched } = this.#feed.match(batch);
    const images =
      settings.normalizer === 'moving'
        ? this.#moving.weights(matched.positivesPerImage)
        : imageWeights(matched.positivesPerImage);
    const capacity = kindCapacity(batch);
    const parts: (ImagesPart & { planned: Planned })[] = [];
    const numbers = {
      ...resting,
      ...settings,
      lossScale: this.#lossScale,
      decay: settings.decay ?? 'all',
      form,
      counted: counts,
    };
    let selection: Selection | null = null;
    const { words, heaviestOffset } = this.#figures;
    const copied = [stateRef('figures', counts ? words : heaviestOffset)];
    const handsOver = counts && settings.snapshot === true;
    let reads: Readback[] = [];
    for (const part of imagesParts(batch, settings.microBatch)) {
      const planned = await this.#training(part.batch, capacity);
      const isFirst = parts.length === 0;
      parts.push({ ...part, planned });
      if (isFirst) this.#resume();
      const isLast = part.firstImage + part.batch.batch === batch.batch;
      const beginning = [
        ...(isFirst ? ['begin'] : []),
        ...(isFirst && counts ? this.#forgetting() : []),
        'forward',
      ];
      this.#feed.writeFrame(part.batch);
      this.#feed.writeNumbers({ ...numbers, clipNorm: settings.clipNorm ?? 0, part: parts.length - 1 });
      const selects = strategies[loss.strategy].selection;
      if (selects === 'by-score') await planned.plan.run(beginning);
      if (isFirst && selects !== 'all') {
        selection = await this.#select(batch, matches, planned, loss, settings.draw);
      }
      const own = <Each>(values: readonly Each[]) =>
        values.slice(part.firstImage, part.firstImage + part.batch.batch);
      const weights = { images: own(images), ...(selection && { selected: own(selection.weights) }) };
      this.#feed.writeTargets(part.batch, { matches: own(matches) }, weights, planned.rows, capacity);
      const rest = [...(selects === 'by-score' ? [] : beginning), 'backward', ...(isLast ? ending : [])];
      await planned.plan.run(rest, (encoder) => {
        if (!isLast) return;
        const refs = handsOver ? [...copied, histogramRef(this.#spec)] : copied;
        reads = refs.map((ref) => this.device.copy(encoder, [ref]));
      });
    }
    const [figures, histogram] = reads;
    if (histogram) this.#handOver(histogram);
    return {
      batch,
      settings,
      form,
      matched,
      counted: countStep(matches, images, selection),
      selectedAnchors: selection?.selectedAnchors,
      parts,
      figures: figures!,
    };
  }

  #resume(): void {
    if (this.#resumes) this.device.write(controlRef, new Uint32Array(controlRef.words));
    this.#resumes = false;
  }

  /** A histogram that was handed over is not counted on. */
  #forgetting(): string[] {
    const sections = this.#forgets ? ['forget'] : [];
    this.#forgets = false;
    this.#hasCounted = true;
    return sections;
  }

  #handOver(histogram: Readback): void {
    const handed = this.#readHistogram(histogram.read());
    // Whoever collects it is told; that nobody does is no failure of its own.
    handed.catch(() => {});
    this.#histograms.push(handed);
    this.#forgets = true;
    this.#hasCounted = false;
  }

  async #readHistogram(words: Promise<Uint32Array>): Promise<LogitHistogram> {
    return readHistogram(await words, this.graph.options.foregroundClassCount);
  }

  /** That of the step that asked first; where none did, what was counted up to now. */
  #takeHistogram(): Promise<LogitHistogram> {
    const asked = this.#histograms.shift();
    if (asked) return asked;
    return this.#asking.take(async () => {
      if (!this.#hasCounted) return emptyHistogram(this.graph.options.foregroundClassCount);
      this.#hasCounted = false;
      this.#forgets = true;
      return this.#readHistogram(this.device.read(histogramRef(this.#spec)));
    });
  }

  /** Which anchors count, by the logits of the forward pass that has just been submitted where the strategy looks at them. */
  async #select(
    batch: Batch,
    matches: readonly Int32Array[],
    planned: Planned,
    loss: LossSettings,
    draw: NonNullable<StepSettings['draw']> = { seed: 0, step: 0 },
  ): Promise<Selection> {
    const { foregroundClassCount } = this.graph.options;
    const { anchors } = planned.grid;
    const count = anchors.length / 4;
    const looks = strategies[loss.strategy].selection === 'by-score';
    const { logits, deltas } = looks ? await readHeads(planned) : { logits: null, deltas: null };
    const images = batch.targets.map(({ classIndices }, image) => ({
      logits: logits ? imageOf(logits, image, count * foregroundClassCount) : new Float32Array(),
      foregroundClassCount,
      matches: matches[image]!,
      classIndices,
      boxes: () => decodeBoxes(imageOf(deltas!, image, count * 4), anchors),
      levelCounts: levelCountsOf(planned),
    }));
    return selectAnchors(images, loss, draw);
  }

  async #answer({
    batch,
    settings,
    form,
    matched,
    counted,
    selectedAnchors,
    parts,
    figures,
  }: Asked): Promise<StepReport> {
    const words = await figures.read();
    const { classification, box, finite, ...sums } = readFigures(words, this.#figures);
    if (settings.statistics === 'all') {
      this.#snapshots.add(counted, () => {
        const hard = readHeaviest(words, this.#figures).map((each) => {
          const { planned, firstImage } = parts[each.part]!;
          return hardLogitOf(each, planned.rows, firstImage, form);
        });
        return this.#gallery(hard, batch, parts[0]!.planned, galleryCount);
      });
    }
    const snapshot = await this.#snapshots.collect();
    if (settings.snapshot) this.#snapshots.ask();
    const balance = settings.statistics === 'none' ? [] : balanceOfSums(sums, matched);
    return {
      classification,
      box,
      positives: matched.positives,
      balance,
      finite,
      ...(selectedAnchors !== undefined && { selectedAnchors }),
      ...(snapshot && { snapshot }),
    };
  }

  #gallery(hard: readonly HardLogit[], batch: Batch, { grid }: Planned, count: number): HardAnchor[] {
    if (count === 0) return [];
    const { anchorsPerPosition: anchorsPerPlace } = this.graph;
    return gallery(hard, batch, { anchors: grid.anchors, anchorsPerPlace, count });
  }

  #forward(batch: Batch): Promise<{ logits: Float32Array; deltas: Float32Array; planned: Planned }> {
    return this.#asking.take(async () => {
      requireWholeCells(batch);
      await this.#weights.settle(false);
      const planned = await this.#planned('forward', batch, 0, (shape) =>
        forwardSections(this.#spec, shape, false),
      );
      this.#feed.writeFrame(batch);
      await planned.plan.run(['forward']);
      return { ...(await readHeads(planned)), planned };
    });
  }

  #training(shape: BatchShape, capacity: number): Promise<Planned> {
    return this.#planned('train', shape, capacity, (planned) =>
      trainingSections(this.#spec, planned, capacity),
    );
  }

  #shapeOf({ batch, paddedHeight, paddedWidth, bytes }: BatchShape): PlannedShape {
    return { batch, paddedHeight, paddedWidth, pixelWords: this.#feed.pixelWords({ bytes }) };
  }

  async #planned<Network extends PlannedNetwork>(
    kind: string,
    of: BatchShape,
    capacity: number,
    lower: (shape: PlannedShape) => Network,
  ): Promise<Planned<Network>> {
    const shape = this.#shapeOf(of);
    const { batch, paddedHeight, paddedWidth, pixelWords } = shape;
    const key = `${kind} ${batch}x${paddedHeight}x${paddedWidth} ${capacity} ${pixelWords}`;
    // Of a kind all are made by the same function.
    let planned = this.#plans.get(key) as Planned<Network> | undefined;
    if (!planned) {
      const network = lower(shape);
      planned = { ...network, plan: await this.device.createPlan(network) };
    }
    this.#plans.delete(key);
    this.#plans.set(key, planned);
    const [oldest] = this.#plans;
    if (this.#plans.size > plansKept && oldest) {
      this.#plans.delete(oldest[0]);
      await oldest[1].plan.dispose();
    }
    return planned;
  }
}

/** Of a step that nothing is learnt by. */
const resting = {
  learningRate: 0,
  momentum: 0,
  weightDecay: 0,
  decay: 'all',
  clipNorm: 0,
  part: 0,
  lossScale: 1,
} as const;

function levelCountsOf({ grid }: PlannedNetwork): number[] {
  return grid.levels.map(({ height, width }) => height * width * grid.perPosition);
}

function imageOf(values: Float32Array, image: number, length: number): Float32Array {
  return values.subarray(image * length, (image + 1) * length);
}

/** How much the anchors count that are not ignored. */
function countStep(
  matches: readonly Int32Array[],
  images: readonly number[],
  selection: Selection | null,
): CountedStep {
  let [anchors, weight] = [0, 0];
  matches.forEach((own, image) => {
    const selected = selection?.weights[image];
    for (let anchor = 0; anchor < own.length; anchor++) {
      if (own[anchor] === matchIgnored) continue;
      anchors++;
      weight += selected ? selected[anchor]! : images[image]!;
    }
  });
  return { anchors, weight };
}

async function readHeads({
  plan,
  network,
  rows,
}: Planned): Promise<{ logits: Float32Array; deltas: Float32Array }> {
  const [logits, deltas] = [network.outputs[heads.logits]!, network.outputs[heads.deltas]!];
  const read = async (view: TensorView): Promise<Float32Array> => {
    const packed = floatsOf(await plan.read(bindView(view, 'read').ref));
    return unpackRows(packed, view.tensor.channels / rows.perPosition, rows);
  };
  const [first, second] = await Promise.all([read(logits), read(deltas)]);
  return { logits: first!, deltas: second! };
}

/** One level of a tensor without the padding of its channels. */
async function readNhwc(plan: Plan, view: TensorView): Promise<{ shape: number[]; data: Float32Array }> {
  const { batch, channels } = view.tensor;
  const { height, width } = view.levels[0]!;
  const ref: BufferRef = bindView(view, 'read').ref;
  const rows = floatsOf(await plan.read(ref));
  const data = new Float32Array(batch * height * width * channels);
  const stride = strideOf(channels);
  for (let row = 0; row * channels < data.length; row++) {
    data.set(rows.subarray(row * stride, row * stride + channels), row * channels);
  }
  return { shape: [batch, height, width, channels], data };
}

function floatsOf(words: Uint32Array): Float32Array {
  return new Float32Array(words.buffer, words.byteOffset, words.length);
}
