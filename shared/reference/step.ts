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
import type { BatchTargets } from '../loss/targets.ts';
import { termForm } from '../loss/term.ts';
import { type DeviceWatch, readTensor } from './backend.ts';
import { squaredNorms } from './kernels/optimizer.ts';
import { giouBoxLoss, l1BoxLoss, lossTerms, oneHotTargets } from './losses.ts';
import type { Model } from './model.ts';
import type { Tallied, TalliedBatch, Tally } from './tally.ts';

export interface Pass {
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
export function backward(model: Model, { batch, targets, loss, boxLoss, tally }: PassSettings): Pass {
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
export async function readPass(
  { figures, tally }: Pass,
  watch: DeviceWatch | undefined,
): Promise<PassFigures> {
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
