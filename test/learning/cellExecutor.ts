/**
 * A small real model behind the executor's interface, for tests of what surrounds a model: logistic regression of every
 * class on the mean colour of each 32-pixel cell, trained by SGD with momentum, gradients in closed form. A cell is
 * foreground of the class of the box that holds its centre. It learns, its losses are its own, and it takes no time.
 */
import type { ClassBalance } from '../../shared/loss/balance.ts';
import type {
  Batch,
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
  readonly #classCount: number;
  #weights: Float32Array;
  #momentum: Float32Array;

  constructor(classCount: number) {
    this.#classCount = classCount;
    this.parameterCount = classCount * featureCount;
    this.#weights = new Float32Array(this.parameterCount);
    this.#momentum = new Float32Array(this.parameterCount);
  }

  async step(batch: Batch, settings: StepSettings): Promise<StepReport> {
    const balance = Array.from({ length: this.#classCount }, (_, classIndex) => emptyBalance(classIndex));
    const gradient = new Float64Array(this.parameterCount);
    batch.targets.forEach((target, image) => {
      const cells = cellsOf(batch, image);
      const matches = cells.map((cell) => matchCell(cell, target));
      const scale = 1 / Math.max(1, matches.filter((match) => match >= 0).length) / batch.batch;
      cells.forEach((cell, at) => {
        if (matches[at] !== -2) this.#accumulate(cell, matches[at]!, scale, balance, gradient);
      });
    });
    const classification = balance.reduce((sum, entry) => sum + entry.foreground + entry.background, 0);
    const finite = Number.isFinite(classification) && gradient.every(Number.isFinite);
    if (finite) this.#update(gradient, settings);
    const positives = balance.reduce((sum, entry) => sum + entry.positives, 0);
    return { classification, box: 0, positives, balance, finite };
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

  #logit(cell: Cell, classIndex: number): number {
    let logit = 0;
    for (let f = 0; f < featureCount; f++)
      logit += this.#weights[classIndex * featureCount + f]! * cell.features[f]!;
    return logit;
  }

  #accumulate(
    cell: Cell,
    match: number,
    scale: number,
    balance: MutableBalance[],
    gradient: Float64Array,
  ): void {
    for (const entry of balance) {
      const probability = sigmoid(this.#logit(cell, entry.classIndex));
      const isForeground = match === entry.classIndex;
      const loss = -Math.log(isForeground ? probability : 1 - probability) * scale;
      if (isForeground) {
        entry.foreground += loss;
        entry.positives++;
      } else {
        entry.background += loss;
        if (match >= 0) entry.backgroundOther += loss;
        else entry.backgroundTrue += loss;
        if (match >= 0) entry.backgroundOtherAnchors++;
        else entry.backgroundTrueAnchors++;
      }
      for (let f = 0; f < featureCount; f++) {
        const slope = (probability - (isForeground ? 1 : 0)) * scale * cell.features[f]!;
        gradient[entry.classIndex * featureCount + f]! += slope;
      }
    }
  }

  #update(gradient: Float64Array, { learningRate, momentum, weightDecay }: StepSettings): void {
    for (let p = 0; p < this.parameterCount; p++) {
      this.#momentum[p] = this.#momentum[p]! * momentum + gradient[p]! + weightDecay * this.#weights[p]!;
      this.#weights[p]! -= learningRate * this.#momentum[p]!;
    }
  }
}

type MutableBalance = { -readonly [K in keyof ClassBalance]: ClassBalance[K] };

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

/** Class of the box around the cell's centre, -1 background, -2 ignored. */
function matchCell(cell: Cell, target: BatchTarget): number {
  const holder = boxAround(cell, target.boxes);
  if (holder >= 0) return target.classIndices[holder]!;
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

function emptyBalance(classIndex: number): MutableBalance {
  return {
    classIndex,
    foreground: 0,
    background: 0,
    backgroundTrue: 0,
    backgroundOther: 0,
    positives: 0,
    backgroundTrueAnchors: 0,
    backgroundOtherAnchors: 0,
  };
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
