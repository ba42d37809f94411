/** The reference detector against torchvision's own numbers, on WebGPU. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import type { StepSettings } from '../../shared/loss/executor.ts';
import { createReferenceExecutor, type ReferenceExecutor } from '../../shared/reference/executor.ts';
import { testDevice } from './softwareDevice.ts';
import {
  fixtureBatch,
  hashedWeights,
  type ModelFixture,
  readFixture,
  type TensorStats,
} from './torchvisionFixture.ts';

const model = readFixture<ModelFixture>('model_r18_fpn64');
const batch = fixtureBatch(model);

const network: RetinaNetOptions = {
  backbone: 'resnet18',
  foregroundClassCount: 3,
  fpnChannels: 64,
  headConvCount: 4,
  headNorm: 'none',
  backboneNorm: 'frozen',
  normEpsilon: 1e-5,
  p6From: 'P5',
  trainableBackboneLayers: 5,
};
const settings: StepSettings = {
  learningRate: 0.002,
  momentum: 0.9,
  weightDecay: 1e-4,
  alpha: 0.25,
  gamma: 2,
};

let executor: ReferenceExecutor;

beforeAll(async () => {
  const { device, watch } = await testDevice();
  executor = await createReferenceExecutor({
    network,
    boxLoss: 'l1',
    prior: 0.01,
    seed: 1,
    adapter: device.name,
    software: device.software,
    watch,
  });
  executor.importWeights(hashedWeights(model.params));
});
afterAll(() => executor?.dispose());

describe('the ResNet-18 RetinaNet of torchvision', () => {
  it('computes the same pyramid', async () => {
    const pyramid = await executor.activations(batch, executor.graph.features);
    for (const [level, stats] of model.features.entries()) {
      const { shape, data } = pyramid[level]!;
      const [n, height, width, channels] = shape as [number, number, number, number];
      expect([n, channels, height, width]).toEqual(stats.shape);
      expectStats(data, stats);
      const firstOfChannel0 = stats.first.map((_, pixel) => data[pixel * channels]!);
      if (height * width >= stats.first.length) expectClose(firstOfChannel0, stats.first, 1e-4);
    }
  });

  it('computes the same logits and deltas', async () => {
    const { logits, deltas } = await executor.heads(batch);
    expectStats(logits, model.cls_logits);
    expectStats(deltas, model.bbox_regression);
    expectClose(every(logits, 997), model.cls_logits_probe, 1e-4);
    expectClose(every(deltas, 997), model.bbox_regression_probe, 1e-4);
  });

  it('finds the same objects', async () => {
    const detections = await executor.detect(batch, { scoreThreshold: 0.05 });
    for (const [image, theirs] of model.detections.entries()) {
      const ours = detections[image]!;
      expect(ours.length).toBe(theirs.count);
      const first = ours.slice(0, theirs.scores.length);
      expectClose(
        first.map((each) => each.score),
        theirs.scores,
        1e-4,
      );
      expect(first.map((each) => each.classIndex)).toEqual(theirs.labels);
      expectClose(
        first.flatMap((each) => [...each.boxPx]),
        theirs.boxes,
        1e-4,
      );
    }
  });

  it('computes the same losses, and every gradient to 1e-3', async () => {
    const { report, gradients } = await executor.gradients(batch, settings);
    expect(report.finite).toBe(true);
    expectClose([report.classification], [model.losses.classification], 1e-4);
    expectClose([report.box], [model.losses.bbox_regression], 1e-4);
    const norms = new Map(gradients.map(({ name, data }) => [name, Math.hypot(...chunkNorms(data))]));
    expect([...norms.keys()].sort()).toEqual(Object.keys(model.grad_norms).sort());
    for (const [name, norm] of Object.entries(model.grad_norms)) {
      expect(Math.abs(norms.get(name)! - norm) / norm, `gradient norm of ${name}`).toBeLessThan(1e-3);
    }
    for (const [name, probe] of Object.entries(model.grad_probe)) {
      const ours = gradients.find((each) => each.name === name)!.data;
      const scale = norms.get(name)! / Math.sqrt(ours.length);
      probe.forEach((value, index) => {
        expect(Math.abs(ours[index]! - value) / scale, `${name}[${index}]`).toBeLessThan(1e-2);
      });
    }
  });
});

/** Relative to the larger of the two, with the array's mean size as the floor. */
function expectClose(ours: readonly number[], theirs: readonly number[], tolerance: number): void {
  expect(ours.length).toBe(theirs.length);
  const floor = theirs.reduce((sum, value) => sum + Math.abs(value), 0) / theirs.length;
  const worst = Math.max(
    ...ours.map((value, i) => Math.abs(value - theirs[i]!) / Math.max(floor, Math.abs(theirs[i]!))),
  );
  expect(worst).toBeLessThan(tolerance);
}

function expectStats(data: Float32Array, stats: TensorStats): void {
  let sum = 0;
  let absSum = 0;
  for (const value of data) {
    sum += value;
    absSum += Math.abs(value);
  }
  expect(Math.abs(absSum - stats.abs_sum) / stats.abs_sum).toBeLessThan(1e-4);
  expect(Math.abs(sum / data.length - stats.mean)).toBeLessThan(1e-4 * (absSum / data.length));
}

function every(data: Float32Array, stride: number): number[] {
  return Array.from({ length: Math.ceil(data.length / stride) }, (_, i) => data[i * stride]!);
}

/** Norms of slices: `Math.hypot` takes arguments, and an argument list has a limit. */
function chunkNorms(data: Float32Array): number[] {
  const norms: number[] = [];
  for (let at = 0; at < data.length; at += 4096) norms.push(Math.hypot(...data.subarray(at, at + 4096)));
  return norms;
}
