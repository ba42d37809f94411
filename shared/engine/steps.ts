/**
 * A training step, in two halves: everything up to its last submit, in turn with other work; and its report, once the device has
 * answered. In between the next step may be asked for.
 */
import { decodeBoxes } from '../detector/boxCoder.ts';
import { matchIgnored } from '../detector/matcher.ts';
import type { Batch, BatchShape, HardAnchor, StepReport, StepSettings } from '../loss/executor.ts';
import { gallery } from '../loss/gallery.ts';
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
import type { Counting } from './counting.ts';
import type { EngineDevice } from './device/engineDevice.ts';
import type { Readback } from './device/readback.ts';
import { type Feed, kindCapacity } from './feed.ts';
import { imageOf, levelCountsOf, readHeads } from './heads.ts';
import {
  type FiguresLayout,
  figuresLayout,
  hardLogitOf,
  readFigures,
  readHeaviest,
} from './kernels/loss/figures.ts';
import { controlRef } from './kernels/optimizer/optimizer.ts';
import { type StepNumbers, stillNumbers } from './plan/settings.ts';
import type { Planned, Plans } from './plans.ts';
import { type StepSpec, stateRef, trainingSections } from './sections.ts';
import type { Weights } from './weights.ts';

/** What an executor is made of. */
export interface EngineContext {
  readonly device: EngineDevice;
  readonly spec: StepSpec;
  readonly weights: Weights;
  readonly feed: Feed;
  readonly plans: Plans;
  readonly counting: Counting;
}

/** All that a step's report is made of, but for what the device says. */
interface Asked {
  readonly batch: Batch;
  readonly settings: StepSettings;
  readonly form: TermForm;
  readonly matched: Omit<CountedMatches, 'matches'>;
  readonly counted: CountedStep;
  readonly selection: Selection | null;
  readonly parts: readonly AskedPart[];
  readonly figures: Readback;
}

interface AskedPart extends ImagesPart {
  readonly planned: Planned;
}

/** Gradients are f32 and lose nothing to halves; so scaled they stay clear of numbers so small that GPUs take them for zero. */
const halfLossScale = 1024;

export class Steps {
  readonly moving = new MovingPositives();
  readonly snapshots: Snapshots;
  readonly figures: FiguresLayout;
  /** What losses go backward with. */
  readonly lossScale: number;
  readonly #context: EngineContext;
  /** New weights are learnt on, whatever became of the old ones. */
  #resumes = false;

  constructor(context: EngineContext) {
    const { spec, counting } = context;
    this.#context = context;
    this.lossScale = spec.storage === 'f16' ? halfLossScale : 1;
    this.snapshots = new Snapshots(counting);
    this.figures = figuresLayout(spec.graph.options.foregroundClassCount, spec.facts);
  }

  /** The next step begins with weights that nothing has happened to. */
  resume(): void {
    this.#resumes = true;
  }

  planned(shape: BatchShape, capacity: number): Promise<Planned> {
    const { plans, spec } = this.#context;
    return plans.of('train', shape, capacity, (planned) => trainingSections(spec, planned, capacity));
  }

  /** Everything up to the last submit. `ending`: the sections after the last part's gradients. */
  async ask(batch: Batch, settings: StepSettings, ending: readonly string[]): Promise<Asked> {
    requireWholeCells(batch);
    requireDivisible(batch, settings);
    const { weights, feed } = this.#context;
    const loss = lossSettingsOf(settings);
    const form = termForm(loss);
    await weights.settle(true);
    const { matches, ...matched } = feed.match(batch);
    const images =
      settings.normalizer === 'moving'
        ? this.moving.weights(matched.positivesPerImage)
        : imageWeights(matched.positivesPerImage);
    const numbers = this.#numbers(settings, form);
    const capacity = kindCapacity(batch);
    const looks = strategies[loss.strategy].selection === 'by-score';
    const parts: AskedPart[] = [];
    let selection: Selection | null = null;
    let figures: Readback | null = null;
    for (const part of imagesParts(batch, settings.microBatch)) {
      const planned = await this.planned(part.batch, capacity);
      const beginning = [...(parts.length === 0 ? this.#begin(settings) : []), 'forward'];
      feed.writeFrame(part.batch);
      feed.writeNumbers({ ...numbers, part: parts.length });
      if (looks) await planned.plan.run(beginning);
      if (parts.length === 0) selection = await this.#select(batch, matches, planned, loss, settings.draw);
      parts.push({ ...part, planned });
      const own = <Each>(values: readonly Each[]) =>
        values.slice(part.firstImage, part.firstImage + part.batch.batch);
      const termWeights = { images: own(images), ...(selection && { selected: own(selection.weights) }) };
      feed.writeTargets(part.batch, { matches: own(matches) }, termWeights, planned.rows, capacity);
      const isLast = part.firstImage + part.batch.batch === batch.batch;
      const rest = [...(looks ? [] : beginning), 'backward'];
      if (isLast) figures = await this.#finish(planned, [...rest, ...ending], settings);
      else await planned.plan.run(rest);
    }
    const counted = countStep(matches, images, selection);
    return { batch, settings, form, matched, counted, selection, parts, figures: figures! };
  }

  async answer({
    batch,
    settings,
    form,
    matched,
    counted,
    selection,
    parts,
    figures,
  }: Asked): Promise<StepReport> {
    const words = await figures.read();
    const { classification, box, finite, ...sums } = readFigures(words, this.figures);
    if (settings.statistics === 'all') {
      this.snapshots.add(counted, () => {
        const hard = readHeaviest(words, this.figures).map((each) => {
          const { planned, firstImage } = parts[each.part]!;
          return hardLogitOf(each, planned.rows, firstImage, form);
        });
        return this.gallery(hard, batch, parts[0]!.planned, galleryCount);
      });
    }
    const snapshot = await this.snapshots.collect();
    if (settings.snapshot && settings.statistics === 'all') this.snapshots.ask();
    const balance = settings.statistics === 'none' ? [] : balanceOfSums(sums, matched);
    return {
      ...{ classification, box, positives: matched.positives, balance, finite },
      ...(selection && { selectedAnchors: selection.selectedAnchors }),
      ...(snapshot && { snapshot }),
    };
  }

  /** At most `count` of them, heaviest first. */
  gallery(hard: readonly HardLogit[], batch: Batch, { grid }: Planned, count: number): HardAnchor[] {
    if (count === 0) return [];
    const { anchorsPerPosition: anchorsPerPlace } = this.#context.spec.graph;
    return gallery(hard, batch, { anchors: grid.anchors, anchorsPerPlace, count });
  }

  #numbers(settings: StepSettings, form: TermForm): StepNumbers {
    const { learningRate, momentum, weightDecay, decay = 'all', clipNorm = 0, statistics } = settings;
    const learning = { learningRate, momentum, weightDecay, decay, clipNorm, lossScale: this.lossScale };
    return { ...stillNumbers, ...learning, form, counted: statistics === 'all' };
  }

  /** Sections before the first part. */
  #begin({ statistics }: StepSettings): string[] {
    if (this.#resumes) this.#context.device.write(controlRef, new Uint32Array(controlRef.words));
    this.#resumes = false;
    return ['begin', ...(statistics === 'all' ? this.#context.counting.begin() : [])];
  }

  /** The last sections of a step, and copies of what it is answered with. */
  async #finish(
    { plan }: Planned,
    sections: readonly string[],
    { statistics, snapshot }: StepSettings,
  ): Promise<Readback> {
    const { device, counting } = this.#context;
    const counts = statistics === 'all';
    const { words, heaviestOffset } = this.figures;
    const copied = [stateRef('figures', counts ? words : heaviestOffset)];
    if (counts && snapshot) copied.push(counting.ref);
    let copies: Readback[] = [];
    await plan.run(sections, (encoder) => {
      copies = copied.map((ref) => device.copy(encoder, [ref]));
    });
    const [figures, histogram] = copies;
    if (histogram) counting.handOver(histogram);
    return figures!;
  }

  /** Which anchors count, where not all do: by the logits of the pass forward just submitted where the strategy looks at them. */
  async #select(
    batch: Batch,
    matches: readonly Int32Array[],
    planned: Planned,
    loss: LossSettings,
    draw: NonNullable<StepSettings['draw']> = { seed: 0, step: 0 },
  ): Promise<Selection | null> {
    const { selection } = strategies[loss.strategy];
    if (selection === 'all') return null;
    const { foregroundClassCount } = this.#context.spec.graph.options;
    const { anchors } = planned.grid;
    const count = anchors.length / 4;
    const seen = selection === 'by-score' ? await readHeads(planned) : null;
    const images = batch.targets.map(({ classIndices }, image) => ({
      logits: seen ? imageOf(seen.logits, image, count * foregroundClassCount) : new Float32Array(),
      foregroundClassCount,
      matches: matches[image]!,
      classIndices,
      boxes: () => decodeBoxes(imageOf(seen!.deltas, image, count * 4), anchors),
      levelCounts: levelCountsOf(planned),
    }));
    return selectAnchors(images, loss, draw);
  }
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
