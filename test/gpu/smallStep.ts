/** A batch, a network and settings small enough for a software GPU, and how close two computations of them must come. */
import { expect } from 'vitest';
import { buildAnchors } from '../../shared/detector/anchors.ts';
import { applyIgnoreBoxes, matchAnchors } from '../../shared/detector/matcher.ts';
import { defaultNetworkOptions, pyramidSizes } from '../../shared/detector/network.ts';
import { fnv1a32, uniformAt } from '../../shared/domain/random.ts';
import type { Batch, BatchTarget, NamedTensor, StepSettings } from '../../shared/loss/executor.ts';
import {
  createReferenceExecutor,
  type ReferenceExecutor,
  type ReferenceExecutorOptions,
} from '../../shared/reference/executor.ts';
import type { testDevice } from './softwareDevice.ts';

export const side = 64;
export const classCount = 3;
export const network = defaultNetworkOptions('nano', classCount);
export const settings: StepSettings = {
  learningRate: 0.02,
  momentum: 0.9,
  weightDecay: 1e-4,
  alpha: 0.25,
  gamma: 2,
};

/** Two images: three objects and an ignore region, and one object of another size. */
export function smallBatch(): Batch {
  const target = (imageId: string, boxes: number[], classes: number[], ignored: number[]): BatchTarget => ({
    imageId,
    heightPx: side,
    widthPx: side - 4,
    originalHeightPx: side * 2,
    originalWidthPx: side * 2 - 8,
    boxes: Float32Array.from(boxes),
    classIndices: Int32Array.from(classes),
    ignoreBoxes: Float32Array.from(ignored),
  });
  const stream = fnv1a32('executor batch');
  const images = Float32Array.from({ length: 2 * side * side * 3 }, (_, i) => uniformAt(stream, i) * 2 - 1);
  const first = target('a', [4, 6, 24, 27, 30, 8, 47, 22, 10, 36, 50, 60], [0, 1, 0], [50, 0, 60, 30]);
  const second = target('b', [12, 12, 44, 40], [2], []);
  return { images, batch: 2, paddedHeight: side, paddedWidth: side, targets: [first, second] };
}

export function smallAnchors(): Float32Array {
  return buildAnchors(side, side, pyramidSizes(side, side), network);
}

export function matchesOf(target: BatchTarget): Int32Array {
  const anchors = smallAnchors();
  return applyIgnoreBoxes(matchAnchors(anchors, target.boxes), anchors, target.ignoreBoxes);
}

export function smallExecutor(
  { device: { name: adapter, software }, watch }: Awaited<ReturnType<typeof testDevice>>,
  options: Partial<ReferenceExecutorOptions> = {},
): Promise<ReferenceExecutor> {
  const usual = { network, boxLoss: 'l1', prior: 0.01, seed: 1 } as const;
  return createReferenceExecutor({ ...usual, adapter, software, watch, ...options });
}

export function expectNear(ours: number, theirs: number, floor = 1e-6): void {
  expect(Math.abs(ours - theirs)).toBeLessThan(2e-5 * Math.abs(theirs) + floor);
}

export function expectEqual(ours: readonly NamedTensor[], theirs: readonly NamedTensor[]): void {
  expect(ours.map((each) => each.name)).toEqual(theirs.map((each) => each.name));
  for (const [index, each] of ours.entries()) {
    const same = each.data.every((value, i) => Object.is(value, theirs[index]!.data[i]));
    expect(same, each.name).toBe(true);
  }
}

/** Of all gradients together, relative. */
export function distance(ours: readonly NamedTensor[], theirs: readonly NamedTensor[]): number {
  let [apart, length] = [0, 0];
  ours.forEach(({ data }, index) => {
    data.forEach((value, at) => {
      apart += (value - theirs[index]!.data[at]!) ** 2;
      length += theirs[index]!.data[at]! ** 2;
    });
  });
  return Math.sqrt(apart / length);
}
