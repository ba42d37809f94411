/**
 * A batch computed in parts: targets and weights are made of all of it first, so that the parts' losses and gradients sum to the
 * batch's own.
 */
import { matchBackground } from '../detector/matcher.ts';
import { Problem } from '../domain/problem.ts';
import type { ClassBalance } from './balance.ts';
import type { Batch, StepSettings } from './executor.ts';
import { strategies } from './strategies.ts';
import type { BatchTargets } from './targets.ts';

export interface ImagesPart {
  /** Its place in the whole batch. */
  readonly firstImage: number;
  readonly batch: Batch;
}

export interface BatchPart extends ImagesPart {
  readonly targets: BatchTargets;
}

/** @throws Problem `bad-input` where the strategy has to see the logits of the whole batch before it weighs any */
export function requireDivisible(
  { batch }: Pick<Batch, 'batch'>,
  { microBatch = 0, strategy = 'focal' }: Pick<StepSettings, 'microBatch' | 'strategy'>,
): void {
  if (microBatch === 0 || microBatch >= batch || strategies[strategy].selection !== 'by-score') return;
  throw new Problem(
    'bad-input',
    `${strategies[strategy].label} picks anchors by their scores in the whole batch, so ${batch} images cannot be computed ${microBatch} at a time.`,
    `Compute the whole batch at once (images at once: 0), use a batch of ${microBatch}, or choose a loss that counts every anchor.`,
  );
}

/** `microBatch` images each, the last one perhaps fewer; 0: one part, the whole. Arrays are views. */
export function imagesParts(batch: Batch, microBatch = 0): ImagesPart[] {
  const size = microBatch === 0 ? batch.batch : microBatch;
  if (size >= batch.batch) return [{ firstImage: 0, batch }];
  return Array.from({ length: Math.ceil(batch.batch / size) }, (_, part) => {
    const [from, to] = [part * size, Math.min((part + 1) * size, batch.batch)];
    return { firstImage: from, batch: batchSlice(batch, from, to) };
  });
}

/** The same with their targets. */
export function partsOf(batch: Batch, targets: BatchTargets, microBatch = 0): BatchPart[] {
  const parts = imagesParts(batch, microBatch);
  if (parts.length === 1) return [{ ...parts[0]!, targets }];
  return parts.map((part) => {
    const to = part.firstImage + part.batch.batch;
    return { ...part, targets: targetsSlice(batch, targets, part.firstImage, to) };
  });
}

/** Of the parts of a batch, class by class. */
export function sumBalances(parts: readonly (readonly ClassBalance[])[]): ClassBalance[] {
  return parts.reduce<ClassBalance[]>(
    (sums, part) => part.map((each, index) => (sums[index] ? sumOf(sums[index], each) : each)),
    [],
  );
}

function sumOf(one: ClassBalance, other: ClassBalance): ClassBalance {
  const names = Object.keys(one) as (keyof ClassBalance)[];
  const sums = Object.fromEntries(names.map((name) => [name, one[name] + other[name]]));
  return { ...(sums as unknown as ClassBalance), classIndex: one.classIndex };
}

function batchSlice(batch: Batch, from: number, to: number): Batch {
  const imageSize = batch.paddedHeight * batch.paddedWidth * 3;
  return {
    ...batch,
    batch: to - from,
    images: batch.images.subarray(from * imageSize, to * imageSize),
    ...(batch.bytes && { bytes: batch.bytes.slice(from, to) }),
    targets: batch.targets.slice(from, to),
  };
}

function targetsSlice(batch: Batch, targets: BatchTargets, from: number, to: number): BatchTargets {
  const { anchorsPerImage: count } = targets;
  const rows = <A extends Float32Array | Int32Array>(values: A, width = 1) =>
    values.subarray(from * count * width, to * count * width) as A;
  const positivesOf = targets.positivesOf.map(() => 0);
  let backgroundTrueAnchors = 0;
  const matches = targets.matches.slice(from, to);
  matches.forEach((each, image) => {
    const { classIndices } = batch.targets[from + image]!;
    for (const match of each) {
      if (match >= 0) positivesOf[classIndices[match]!]!++;
      else if (match === matchBackground) backgroundTrueAnchors++;
    }
  });
  return {
    anchorsPerImage: count,
    matches,
    classes: rows(targets.classes),
    classWeights: rows(targets.classWeights),
    boxWeights: rows(targets.boxWeights),
    boxes: rows(targets.boxes, 4),
    positivesOf,
    positives: positivesOf.reduce((total, each) => total + each, 0),
    backgroundTrueAnchors,
  };
}
