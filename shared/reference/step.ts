/** A step up to the point where it is taken: loss, gradients, and the one readback that tells of both. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  add,
  backend,
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
  tensor2d,
  tidy,
  tile,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import type { Batch, StepReport } from '../loss/executor.ts';
import { type BatchPart, sumBalances } from '../loss/microBatch.ts';
import type { BatchTargets } from '../loss/targets.ts';
import { termForm } from '../loss/term.ts';
import { readTensor } from './backend.ts';
import type { DeviceWatch } from './deviceWatch.ts';
import { squaredNorms } from './kernels/optimizer.ts';
import { giouBoxLoss, l1BoxLoss, lossTerms, oneHotTargets } from './losses.ts';
import type { Model } from './model.ts';
import type { Tallied, TalliedBatch, Tally } from './tally.ts';

interface Pass {
  /** In the order of `trainableNames`. */
  readonly gradients: readonly Tensor[];
  /** Classification loss, box loss, squared norms of the gradients, and the figures of the tally. */
  readonly figures: Tensor;
  readonly tally: Tally | undefined;
}

export interface PassSettings extends TalliedBatch {
  readonly boxLoss: 'l1' | 'giou';
  /** What is to be known of the logits, if anything. */
  readonly tally: ((logits: Tensor2D) => Tally) | undefined;
}

/** Loss, its figures and all gradients, on the device; the caller disposes of them. */
function backward(model: Model, { batch, targets, loss, boxLoss, tally }: PassSettings): Pass {
  const classCount = model.foregroundClassCount;
  const names = model.parameters.trainableNames();
  let pass: Pass | null = null;
  tidy(() => {
    const losses: Tensor[] = [];
    const seen: Tensor2D[] = [];
    const total = (...learnt: Tensor[]): Tensor => {
      const byName = new Map(names.map((name, index) => [name, learnt[index]!]));
      const { logits, deltas } = model.forward(batch, byName);
      if (tally) seen.push(keep(logits));
      const terms = lossTerms(logits, oneHotTargets(targets.classes, classCount), termForm(loss));
      const classification = sum(mul(terms, column(targets.classWeights)));
      const box = boxTerms(deltas, model.anchorsOf(batch), targets, batch, boxLoss);
      losses.push(keep(classification), keep(box));
      return add(classification, box);
    };
    const { grads } = valueAndGrads(total)(names.map((name) => model.parameters.value(name)));
    const under = tally?.(seen[0]!);
    const parts = [...losses.map((each) => reshape(each, [-1])), normsOf(grads)];
    const figures = keep(concat(under ? [...parts, under.figures] : parts) as Tensor1D);
    dispose([...losses, ...seen]);
    pass = { gradients: grads.map(keep), figures, tally: under };
  });
  return pass!;
}

function boxTerms(
  deltas: Tensor2D,
  anchors: Float32Array,
  targets: BatchTargets,
  { batch }: Batch,
  boxLoss: 'l1' | 'giou',
): Tensor {
  const weights = column(targets.boxWeights);
  const boxes = tensor2d(targets.boxes, [targets.classes.length, 4]);
  if (boxLoss === 'l1') return l1BoxLoss(deltas, boxes, weights);
  const rows: Tensor2D = tile(tensor2d(anchors, [targets.anchorsPerImage, 4]), [batch, 1]);
  return giouBoxLoss(deltas, rows, boxes, weights);
}

export interface PassFigures extends Pick<StepReport, 'classification' | 'box' | 'finite'> {
  readonly gradientNorm: number;
  readonly tallied: Tallied | undefined;
}

/** The one readback of a step. */
async function readPass({ figures, tally }: Pass, watch: DeviceWatch | undefined): Promise<PassFigures> {
  const data = await readTensor(figures, watch);
  const tallyStart = tally ? data.length - tally.figures.size : data.length;
  const own = data.subarray(0, tallyStart);
  return {
    classification: own[0]!,
    box: own[1]!,
    finite: own.every(Number.isFinite),
    gradientNorm: Math.sqrt(own.subarray(2).reduce((total, each) => total + each, 0)),
    tallied: tally?.finish(data.subarray(tallyStart)),
  };
}

/** Gradients of a batch, and what is known of it. The caller disposes of the gradients. */
export interface Summed {
  readonly gradients: readonly Tensor[];
  readonly figures: PassFigures;
}

/** A batch's parts one after the other, each pass's memory free before the next. */
export async function backwardOfParts(
  model: Model,
  parts: readonly (PassSettings & Pick<BatchPart, 'firstImage'>)[],
): Promise<Summed> {
  let gradients: readonly Tensor[] = [];
  const read: PassFigures[] = [];
  try {
    for (const part of parts) {
      const pass = backward(model, part);
      const before = gradients;
      gradients = before.length > 0 ? pass.gradients.map((each, i) => add(before[i]!, each)) : pass.gradients;
      if (before.length > 0) dispose([...before, ...pass.gradients]);
      try {
        read.push(await readPass(pass, model.watch));
      } finally {
        dispose(pass.figures);
      }
    }
    if (read.length === 1) return { gradients, figures: read[0]! };
    const gradientNorm = await readNorm(gradients, model.watch);
    return { gradients, figures: sumFigures(read, parts, gradientNorm) };
  } catch (error) {
    dispose([...gradients]);
    throw error;
  }
}

function sumFigures(
  read: readonly PassFigures[],
  parts: readonly Pick<BatchPart, 'firstImage'>[],
  gradientNorm: number,
): PassFigures {
  const total = (name: 'classification' | 'box') => read.reduce((sum, each) => sum + each[name], 0);
  const tallied = read.flatMap((each) => each.tallied ?? []);
  return {
    classification: total('classification'),
    box: total('box'),
    finite: read.every(({ finite }) => finite) && Number.isFinite(gradientNorm),
    gradientNorm,
    tallied: tallied[0] && {
      balance: sumBalances(tallied.map(({ balance }) => balance)),
      hardest: () =>
        tallied.flatMap((each, part) =>
          each.hardest().map((hard) => ({ ...hard, image: hard.image + parts[part]!.firstImage })),
        ),
    },
  };
}

async function readNorm(gradients: readonly Tensor[], watch: DeviceWatch | undefined): Promise<number> {
  const norms = tidy(() => normsOf(gradients));
  try {
    const squares = await readTensor(norms, watch);
    return Math.sqrt(squares.reduce((total, each) => total + each, 0));
  } finally {
    dispose(norms);
  }
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
