/** Whether a batch can be computed on a device at all, and what could instead: told from plans, before anything is allocated. */
import { Problem } from '../../domain/problem.ts';
import type { BatchShape } from '../../loss/executor.ts';
import type { RangeLimits } from '../plan/cuts.ts';
import type { PlanBytes } from './bytes.ts';

export interface MemoryLimits extends RangeLimits {
  /** What there is to be had of the device's memory, where anybody knows. */
  readonly budgetBytes: number | null;
}

/** Frames are padded to multiples of this. */
const sideStep = 32;

export interface Fits {
  readonly needs: PlanBytes;
  readonly fits: boolean;
  /** The largest smaller batch of the same frames that fits; null where a single image does not. */
  readonly batch: BatchShape | null;
  /** The same batch of the largest smaller frames that fit; null where none do. */
  readonly side: BatchShape | null;
}

/** `bytesOf` plans a shape; it is asked for a few. Larger batches and frames are taken to need more memory. */
export function whatFits(
  bytesOf: (shape: BatchShape) => PlanBytes,
  shape: BatchShape,
  limits: MemoryLimits,
): Fits {
  const needs = bytesOf(shape);
  if (isWithin(needs, limits)) return { needs, fits: true, batch: null, side: null };
  const fitting = (candidate: BatchShape) => isWithin(bytesOf(candidate), limits);
  const batch = largestFitting(shape.batch - 1, (count) => ({ ...shape, batch: count }), fitting);
  const steps = Math.max(shape.paddedHeight, shape.paddedWidth) / sideStep;
  const side = largestFitting(steps - 1, (count) => shrunk(shape, count / steps), fitting);
  return { needs, fits: false, batch, side };
}

/** @returns what to throw before the first step of a plan that does not fit */
export function doesNotFit(shape: BatchShape, { needs, batch, side }: Fits, limits: MemoryLimits): Problem {
  const instead = [
    batch
      ? `a batch of ${batch.batch} at this size, or this batch ${batch.batch} at once (images at once: ${batch.batch}, --micro-batch ${batch.batch})`
      : null,
    side ? `${describe(side)}` : null,
  ].filter((each) => each !== null);
  const need = shape.batch === 1 ? 'needs' : 'need';
  return new Problem(
    'out-of-memory',
    `${describe(shape)} ${need} ${megabytes(needs.total)} of the GPU's memory, ${reason(needs, limits)}.`,
    instead.length > 0
      ? `What fits: ${instead.join(', or ')}.`
      : 'Not even a single small image fits: choose a smaller network.',
    figures(needs, limits),
  );
}

/** @throws Problem `out-of-memory` where a device's limits alone forbid what a plan needs; of what batch it is, nobody says here */
export function requireWithin(needs: PlanBytes, limits: MemoryLimits): void {
  if (isWithin(needs, limits)) return;
  throw new Problem(
    'out-of-memory',
    `This needs ${megabytes(needs.total)} of the GPU's memory, ${reason(needs, limits)}.`,
    'Use a smaller batch, smaller images or a smaller backbone.',
    figures(needs, limits),
  );
}

/**
 * What to throw where there was no room for a plan: because the device's limits forbid it, or because it turned out to have less
 * memory; how much there is, nobody knows.
 */
export function withWhatFits(
  error: unknown,
  bytesOf: (shape: BatchShape) => PlanBytes,
  shape: BatchShape,
  limits: MemoryLimits,
): unknown {
  if (!(error instanceof Problem) || error.kind !== 'out-of-memory') return error;
  const asked = whatFits(bytesOf, shape, limits);
  if (!asked.fits) return doesNotFit(shape, asked, limits);
  const half = { ...limits, budgetBytes: Math.floor(asked.needs.total / 2) };
  const { needs, batch, side } = whatFits(bytesOf, shape, half);
  const instead = [batch ? `a batch of ${batch.batch}` : null, side ? describe(side) : null].filter(
    (each) => each !== null,
  );
  const need = shape.batch === 1 ? 'needs' : 'need';
  const remedy =
    instead.length > 0
      ? `${describe(shape)} ${need} ${megabytes(needs.total)}; half of it is enough for ${instead.join(', or for ')}.`
      : error.remedy;
  return new Problem('out-of-memory', error.message, remedy, error.detail);
}

function isWithin(bytes: PlanBytes, { maxBufferBytes, maxBindingBytes, budgetBytes }: MemoryLimits): boolean {
  return (
    bytes.largestBuffer <= maxBufferBytes &&
    bytes.largestBinding <= maxBindingBytes &&
    bytes.total <= (budgetBytes ?? Number.POSITIVE_INFINITY)
  );
}

/** By halving: `most` and what is below it, not 0. */
function largestFitting(
  most: number,
  shapeOf: (count: number) => BatchShape,
  fits: (shape: BatchShape) => boolean,
): BatchShape | null {
  let [good, bad] = [0, most + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(shapeOf(middle))) good = middle;
    else bad = middle;
  }
  return good > 0 ? shapeOf(good) : null;
}

function shrunk(shape: BatchShape, factor: number): BatchShape {
  const side = (px: number) => Math.max(sideStep, Math.floor((px * factor) / sideStep + 1e-9) * sideStep);
  return { ...shape, paddedHeight: side(shape.paddedHeight), paddedWidth: side(shape.paddedWidth) };
}

function describe({ batch, paddedHeight, paddedWidth }: BatchShape): string {
  return `${batch} image${batch === 1 ? '' : 's'} of ${paddedWidth} x ${paddedHeight} px`;
}

function reason(needs: PlanBytes, limits: MemoryLimits): string {
  if (limits.budgetBytes !== null && needs.total > limits.budgetBytes) {
    return `but there are ${megabytes(limits.budgetBytes, Math.floor)}`;
  }
  const [most, allowed] =
    needs.largestBinding > limits.maxBindingBytes
      ? [needs.largestBinding, limits.maxBindingBytes]
      : [needs.largestBuffer, limits.maxBufferBytes];
  return `${megabytes(most)} of it in one piece, but this GPU allows at most ${megabytes(allowed, Math.floor)} in one piece`;
}

/** For a report. */
function figures(needs: PlanBytes, limits: MemoryLimits): string {
  return (
    `arena ${needs.arena} B, parameters ${needs.parameters} B, state ${needs.state} B, ` +
    `largest buffer ${needs.largestBuffer} of ${limits.maxBufferBytes} B, ` +
    `largest binding ${needs.largestBinding} of ${limits.maxBindingBytes} B, budget ${limits.budgetBytes ?? 'unknown'}`
  );
}

/** What is needed is rounded up, what there is down: a little too much never reads as enough. */
function megabytes(bytes: number, round = Math.ceil): string {
  return bytes >= 1e9 ? `${(round(bytes / 1e7) / 100).toFixed(2)} GB` : `${round(bytes / 1e6)} MB`;
}
