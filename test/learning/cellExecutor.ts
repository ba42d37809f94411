/**
 * A small real model behind the executor's interface, for tests of what surrounds a model: logistic regression of every
 * class on the mean colour of each 32-pixel cell, trained by SGD with momentum, gradients in closed form. A cell is
 * foreground of the class of the box that holds its centre. It learns, its losses are its own, and it takes no time.
 */
import type { HardAnchor, Measured, MeasureSettings, Snapshot } from '../../shared/loss/executor.ts';
import { addHistogram, emptyHistogram } from '../../shared/loss/histogramOps.ts';
import { imageWeights } from '../../shared/loss/normalizer.ts';
import { selectAnchors } from '../../shared/loss/selection.ts';
import {
  classificationLoss,
  computeStatistics,
  hardestAnchors,
  type ImageLogits,
} from '../../shared/loss/statistics.ts';
import { lossSettingsOf, strategies } from '../../shared/loss/strategies.ts';
import type { LossSettings } from '../../shared/loss/strategy.ts';
import { formGradient, termForm } from '../../shared/loss/term.ts';
import type {
  Batch,
  BatchShape,
  BatchTarget,
  Detection,
  DetectSettings,
  Executor,
  NamedTensor,
  StepReport,
  StepSettings,
} from '../../shared/training/ports.ts';

const cellPx = 32;
const featureCount = 4;

export class CellExecutor implements Executor {
  readonly adapter = 'plain arithmetic';
  readonly backend = 'test';
  readonly software = true;
  readonly parameterCount: number;
  readonly stepsUnderWay: number = 1;
  readonly #classCount: number;
  #weights: Float32Array;
  #momentum: Float32Array;
  #counted: Snapshot | null = null;
  #asked: Snapshot | null = null;
  #halted = false;

  constructor(classCount: number) {
    this.#classCount = classCount;
    this.parameterCount = classCount * featureCount;
    this.#weights = new Float32Array(this.parameterCount);
    this.#momentum = new Float32Array(this.parameterCount);
  }

  async prepare(_shape: BatchShape, _tell: (sentence: string) => void): Promise<void> {}

  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const loss = lossSettingsOf(settings);
    const { images, selectedAnchors } = this.#weigh(batch, loss, settings.draw);
    const { balance, histogram } = computeStatistics(images, this.#classCount, loss);
    const gradient = this.#gradient(batch, images, loss);
    const classification = classificationLoss(balance);
    this.#halted ||= !(Number.isFinite(classification) && gradient.every(Number.isFinite));
    const finite = !this.#halted;
    if (finite) this.#update(gradient, settings);
    const positives = balance.reduce((sum, entry) => sum + entry.positives, 0);
    const report = { classification, box: 0, positives, balance, finite };
    const snapshot = this.#asked;
    this.#asked = null;
    if (settings.statistics === 'all') {
      const hardest = this.#hardest(batch, images, loss, 12);
      this.#counted = merged(this.#counted, { steps: 1, histogram, scale: meanWeight(images), hardest });
    }
    if (settings.snapshot) [this.#asked, this.#counted] = [this.#counted, null];
    return {
      ...report,
      ...(selectedAnchors === null ? {} : { selectedAnchors }),
      ...(snapshot ? { snapshot } : {}),
    };
  }

  async measure(batch: Batch, settings: MeasureSettings): Promise<Measured> {
    const loss = lossSettingsOf(settings);
    const { images } = this.#weigh(batch, loss);
    const { balance, histogram } = computeStatistics(images, this.#classCount, loss);
    const positives = balance.reduce((sum, entry) => sum + entry.positives, 0);
    return { histogram, hardest: this.#hardest(batch, images, loss, settings.hardest), positives };
  }

  async lastSnapshot(): Promise<Snapshot | null> {
    const last = this.#counted ? merged(this.#asked, this.#counted) : this.#asked;
    [this.#asked, this.#counted] = [null, null];
    return last;
  }

  async detect(batch: Batch, settings: DetectSettings): Promise<Detection[][]> {
    return batch.targets.map((target, image) => {
      const cells = cellsOf(batch, image);
      const found = cells.flatMap((cell) =>
        Array.from({ length: this.#classCount }, (_, classIndex) => ({
          boxPx: toOriginal(cell, target),
          score: sigmoid(this.#logit(cell, classIndex)),
          classIndex,
        })),
      );
      const kept = found.filter(({ score }) => score > settings.scoreThreshold);
      return kept.sort((a, b) => b.score - a.score);
    });
  }

  async exportWeights(): Promise<NamedTensor[]> {
    return [this.#tensor(this.#weights)];
  }

  importWeights(tensors: readonly NamedTensor[]): void {
    this.#weights = tensors[0]!.data.slice();
    this.#halted = false;
  }

  async exportState(): Promise<NamedTensor[]> {
    return [this.#tensor(this.#momentum)];
  }

  importState(tensors: readonly NamedTensor[]): void {
    this.#momentum = tensors[0]!.data.slice();
  }

  dispose(): void {}

  #tensor(data: Float32Array): NamedTensor {
    return { name: 'cells.weight', shape: [this.#classCount, featureCount], data: data.slice() };
  }

  #logits(cell: Cell): number[] {
    return Array.from({ length: this.#classCount }, (_, classIndex) => this.#logit(cell, classIndex));
  }

  #logit(cell: Cell, classIndex: number): number {
    let logit = 0;
    for (let f = 0; f < featureCount; f++)
      logit += this.#weights[classIndex * featureCount + f]! * cell.features[f]!;
    return logit;
  }

  /** Logits, matches and weights of every cell, as the strategy has them. */
  #weigh(batch: Batch, loss: LossSettings, draw = { seed: 0, step: 0 }) {
    const seen = batch.targets.map((target, image) => {
      const cells = cellsOf(batch, image);
      const matches = Int32Array.from(cells, (cell) => matchCell(cell, target));
      const logits = Float32Array.from(cells.flatMap((cell) => this.#logits(cell)));
      return { cells, logits, matches, classIndices: target.classIndices };
    });
    if (strategies[loss.strategy].selection !== 'all') {
      const candidates = seen.map(({ cells, ...image }) => ({
        ...image,
        foregroundClassCount: this.#classCount,
        boxes: () => Float32Array.from(cells.flatMap(({ x, y }) => [x, y, x + cellPx, y + cellPx])),
        levelCounts: [cells.length],
      }));
      const { weights, selectedAnchors } = selectAnchors(candidates, loss, draw);
      return { images: seen.map((image, at) => ({ ...image, weights: weights[at]! })), selectedAnchors };
    }
    const scales = imageWeights(seen.map(({ matches }) => matches.filter((match) => match >= 0).length));
    const images = seen.map((image, at) => ({
      ...image,
      weights: Float32Array.from(image.matches, (match) => (match === -2 ? 0 : scales[at]!)),
    }));
    return { images, selectedAnchors: null };
  }

  #gradient(batch: Batch, images: readonly ImageLogits[], loss: LossSettings): Float64Array {
    const gradient = new Float64Array(this.parameterCount);
    const form = termForm(loss);
    images.forEach(({ logits, matches, classIndices, weights }, image) => {
      cellsOf(batch, image).forEach(({ features }, cell) => {
        if (weights[cell] === 0) return;
        for (let k = 0; k < this.#classCount; k++) {
          const isTarget = matches[cell]! >= 0 && classIndices[matches[cell]!] === k;
          const slope = formGradient(logits[cell * this.#classCount + k]!, isTarget, form) * weights[cell]!;
          features.forEach((feature, f) => {
            gradient[k * featureCount + f]! += slope * feature;
          });
        }
      });
    });
    return gradient;
  }

  #hardest(batch: Batch, images: readonly ImageLogits[], loss: LossSettings, count: number): HardAnchor[] {
    const hardest = hardestAnchors(images, this.#classCount, termForm(loss), { count, anchorsPerPlace: 1 });
    return hardest.map(({ image, anchor, ...rest }) => {
      const target = batch.targets[image]!;
      return { ...rest, imageId: target.imageId, boxPx: toOriginal(cellsOf(batch, image)[anchor]!, target) };
    });
  }

  #update(gradient: Float64Array, { learningRate, momentum, weightDecay }: StepSettings): void {
    for (let p = 0; p < this.parameterCount; p++) {
      this.#momentum[p] = this.#momentum[p]! * momentum + gradient[p]! + weightDecay * this.#weights[p]!;
      this.#weights[p]! -= learningRate * this.#momentum[p]!;
    }
  }
}

function merged(before: Snapshot | null, next: Snapshot): Snapshot {
  if (!before) return next;
  const steps = before.steps + next.steps;
  const histogram = emptyHistogram(next.histogram.foregroundClassCount);
  for (const each of [before, next]) addHistogram(histogram, each.histogram);
  const scale = (before.scale * before.steps + next.scale * next.steps) / steps;
  return { steps, histogram, scale, hardest: next.hardest };
}

function meanWeight(images: readonly ImageLogits[]): number {
  const weights = images.flatMap(({ weights, matches }) =>
    [...weights].filter((_, at) => matches[at] !== -2),
  );
  return weights.reduce((sum, each) => sum + each, 0) / Math.max(1, weights.length);
}

interface Cell {
  /** Top left corner in the padded frame. */
  readonly x: number;
  readonly y: number;
  /** Mean normalised red, green, blue, and 1. */
  readonly features: readonly number[];
}

function cellsOf(batch: Batch, image: number): Cell[] {
  const cells: Cell[] = [];
  for (let y = 0; y < batch.paddedHeight; y += cellPx) {
    for (let x = 0; x < batch.paddedWidth; x += cellPx)
      cells.push({ x, y, features: meanColour(batch, image, x, y) });
  }
  return cells;
}

function meanColour(batch: Batch, image: number, left: number, top: number): number[] {
  const sum = [0, 0, 0];
  for (let y = top; y < top + cellPx; y++) {
    for (let x = left; x < left + cellPx; x++) {
      const at = ((image * batch.paddedHeight + y) * batch.paddedWidth + x) * 3;
      for (let channel = 0; channel < 3; channel++) sum[channel]! += batch.images[at + channel]!;
    }
  }
  return [...sum.map((total) => total / (cellPx * cellPx)), 1];
}

/** Index of the box around the cell's centre, -1 background, -2 ignored. */
function matchCell(cell: Cell, target: BatchTarget): number {
  const holder = boxAround(cell, target.boxes);
  if (holder >= 0) return holder;
  return boxAround(cell, target.ignoreBoxes) >= 0 ? -2 : -1;
}

function boxAround(cell: Cell, boxes: Float32Array): number {
  const x = cell.x + cellPx / 2;
  const y = cell.y + cellPx / 2;
  for (let p = 0; p < boxes.length; p += 4) {
    if (boxes[p]! <= x && x < boxes[p + 2]! && boxes[p + 1]! <= y && y < boxes[p + 3]!) return p / 4;
  }
  return -1;
}

function toOriginal(cell: Cell, target: BatchTarget): [number, number, number, number] {
  const ratioX = target.originalWidthPx / target.widthPx;
  const ratioY = target.originalHeightPx / target.heightPx;
  return [cell.x * ratioX, cell.y * ratioY, (cell.x + cellPx) * ratioX, (cell.y + cellPx) * ratioY];
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
