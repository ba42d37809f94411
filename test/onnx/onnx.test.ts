/** What ONNX Runtime finds with our files is what we find. */
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildAnchors } from '../../shared/detector/anchors.ts';
import { decodeBoxes } from '../../shared/detector/boxCoder.ts';
import {
  buildRetinaNet,
  defaultNetworkOptions,
  pyramidSizes,
  type RetinaNetOptions,
} from '../../shared/detector/network.ts';
import {
  imageNetMean,
  imageNetStd,
  preprocessInto,
  resizeBilinear,
  type SizePx,
} from '../../shared/detector/preprocess.ts';
import { fnv1a32, uniformAt } from '../../shared/domain/random.ts';
import type { Batch, Detection, NamedTensor } from '../../shared/loss/executor.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import { exportedFiles } from '../../shared/weights/exportFiles.ts';
import { fixtureBatch, hashedWeights, type ModelFixture } from '../gpu/torchvisionFixture.ts';
import { torchvisionModels } from '../gpu/torchvisionModels.ts';
import { readFixture } from '../support/fixtures.ts';
import { initialWeights } from '../support/initialWeights.ts';
import { type OnnxImage, openOnnx } from './onnxDetector.ts';

const standard = {
  foregroundClassCount: 3,
  fpnChannels: 64,
  headConvCount: 4,
  trainableBackboneLayers: 5,
} as const;

const networks: Readonly<Record<string, RetinaNetOptions>> = {
  'nano, group norms': defaultNetworkOptions('nano', 3),
  'R50 as torchvision v2: batch norms, P6 from C5, group norms in the heads': {
    ...standard,
    ...{ backbone: 'resnet50', backboneNorm: 'batch', normEpsilon: 1e-5, p6From: 'C5', headNorm: 'group' },
  },
};

const frame: SizePx = { heightPx: 96, widthPx: 128 };
const resized: SizePx = { heightPx: 90, widthPx: 121 };
const original: SizePx = { heightPx: 180, widthPx: 242 };

beforeAll(async () => {
  await setBackend('cpu');
});

describe.each(Object.entries(networks))('%s', (_, network) => {
  const weights = livelyWeights(network);
  const pixels = noise('image', original.heightPx * original.widthPx * 3).map((value) => value / 2 + 0.5);
  const source = { ...original, data: pixels };
  const image: OnnxImage = { data: resizeBilinear(source, resized), size: resized };
  let ours: { logits: Float32Array; deltas: Float32Array; detections: Detection[] };

  beforeAll(async () => {
    const options = { network, boxLoss: 'l1', prior: 0.01, seed: 1, adapter: 'cpu', software: true } as const;
    const executor = await createReferenceExecutor(options);
    executor.importWeights(weights);
    const batch = batchOf(source);
    const [detections] = await executor.detect(batch, { scoreThreshold: 0.05 });
    ours = { ...(await executor.heads(batch)), detections: detections! };
    executor.dispose();
  }, 60_000);

  it('scores and decodes every anchor alike', async () => {
    const model = await openOnnx(onnxBytes(network, weights, false), frame);
    const { boxes, scores } = await model.run(image);
    const { heightPx, widthPx } = frame;
    const anchors = buildAnchors(heightPx, widthPx, pyramidSizes(heightPx, widthPx), network);
    expect(scores!.dims).toEqual([anchors.length / 4, 3]);
    expect(scores!.data).toHaveLength(ours.logits.length);
    expect(largestDifference(scores!.data, Array.from(ours.logits, sigmoid))).toBeLessThan(1e-4);
    const limits = [resized.widthPx, resized.heightPx];
    const decoded = Array.from(decodeBoxes(ours.deltas, anchors), (value, index) =>
      Math.min(Math.max(value, 0), limits[index % 2]!),
    );
    expect(largestDifference(boxes!.data, decoded)).toBeLessThan(1e-3);
    await model.close();
  });

  it('finds the same objects', async () => {
    const model = await openOnnx(onnxBytes(network, weights, true), frame);
    expect(model.inputNames).toEqual(['images', 'image_size']);
    expect(model.outputNames).toEqual(['boxes', 'scores', 'labels']);
    const { boxes, scores, labels } = await model.run(image);
    expect(ours.detections.length).toBeGreaterThan(20);
    expect(labels!.data).toEqual(ours.detections.map(({ classIndex }) => classIndex));
    expect(new Set(labels!.data).size).toBe(3);
    const ourScores = ours.detections.map(({ score }) => score);
    expect(largestDifference(scores!.data, ourScores)).toBeLessThan(1e-4);
    const ratio = [original.widthPx / resized.widthPx, original.heightPx / resized.heightPx];
    const inOriginal = boxes!.data.map((value, index) => value * ratio[index % 2]!);
    const ourBoxes = ours.detections.flatMap(({ boxPx }) => [...boxPx]);
    expect(largestDifference(inOriginal, ourBoxes)).toBeLessThan(1e-3);
    await model.close();
  });
});

const { r18, r50v1, r50v2 } = torchvisionModels;

describe.each([r18, r50v1, r50v2])("torchvision's numbers: $name", ({ fixture, network }) => {
  it('finds the objects that torchvision finds', async () => {
    const theirs = readFixture<ModelFixture>(fixture);
    const weights = hashedWeights(theirs.params!, theirs.hash_prefix);
    const batch = fixtureBatch(theirs);
    const size: SizePx = { heightPx: batch.paddedHeight, widthPx: batch.paddedWidth };
    const onnx = await openOnnx(onnxBytes(network, weights, true, size), size);
    for (const [index, found] of theirs.detections.entries()) {
      const { boxes, scores, labels } = await onnx.run(pixelsOf(batch, index));
      const { length } = found.scores;
      const target = batch.targets[index]!;
      const ratio = [target.originalWidthPx / target.widthPx, target.originalHeightPx / target.heightPx];
      const inOriginal = boxes!.data.slice(0, length * 4).map((value, i) => value * ratio[i % 2]!);
      expect(scores!.dims).toEqual([found.count]);
      expect(labels!.data.slice(0, length)).toEqual(found.labels);
      expect(largestRelative(scores!.data.slice(0, length), found.scores)).toBeLessThan(1e-4);
      expect(largestRelative(inOriginal, found.boxes)).toBeLessThan(1e-4);
    }
    await onnx.close();
  }, 60_000);
});

describe('an ONNX file', () => {
  const nano = networks['nano, group norms']!;

  it('finds nothing where there is nothing', async () => {
    const blind = livelyWeights(nano).map((tensor) =>
      tensor.name.endsWith('cls_logits.bias') ? { ...tensor, data: tensor.data.map(() => -30) } : tensor,
    );
    const model = await openOnnx(onnxBytes(nano, blind, true), frame);
    const black = new Float32Array(resized.heightPx * resized.widthPx * 3);
    const { boxes, scores, labels } = await model.run({ data: black, size: resized });
    expect([boxes!.dims, scores!.dims, labels!.dims]).toEqual([[0, 4], [0], [0]]);
    await model.close();
  });

  it('is not written for a frame that is no multiple of 32', () => {
    const odd = { heightPx: 96, widthPx: 100 };
    expect(() => onnxBytes(nano, livelyWeights(nano), true, odd)).toThrow('multiples of 32');
  });

  it('is not written without a tensor, or with a spoilt one', () => {
    const weights = livelyWeights(nano);
    expect(() => onnxBytes(nano, weights.slice(1), true)).toThrow('it has no backbone.body.conv1.weight');
    weights[0]!.data[5] = Number.NaN;
    expect(() => onnxBytes(nano, weights, true)).toThrow('conv1.weight holds NaN at element 5');
  });
});

/** An image of a batch before its normalisation. */
function pixelsOf(batch: Batch, index: number): OnnxImage {
  const { heightPx, widthPx } = batch.targets[index]!;
  const data = new Float32Array(heightPx * widthPx * 3);
  const start = index * batch.paddedHeight * batch.paddedWidth * 3;
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / (widthPx * 3));
    const normalised = batch.images[start + row * batch.paddedWidth * 3 + (at % (widthPx * 3))]!;
    data[at] = normalised * imageNetStd[at % 3]! + imageNetMean[at % 3]!;
  }
  return { data, size: { heightPx, widthPx } };
}

function batchOf(source: SizePx & { data: Float32Array }): Batch {
  const { heightPx: paddedHeight, widthPx: paddedWidth } = frame;
  const images = new Float32Array(paddedHeight * paddedWidth * 3);
  preprocessInto({ images, batchIndex: 0, paddedHeight, paddedWidth }, source, resized);
  const target = {
    ...{ imageId: '0', ...resized },
    ...{ originalHeightPx: original.heightPx, originalWidthPx: original.widthPx },
    ...{ boxes: new Float32Array(0), classIndices: new Int32Array(0), ignoreBoxes: new Float32Array(0) },
  };
  return { images, batch: 1, paddedHeight, paddedWidth, targets: [target] };
}

/** Weights of which each kind matters: norms with statistics of their own, heads that find things. */
function livelyWeights(network: RetinaNetOptions): NamedTensor[] {
  const graph = buildRetinaNet(network);
  const initial = initialWeights(graph, { seed: 3, prior: 0.002 });
  return graph.parameters.map(({ name, shape }) => {
    const data = initial.get(name)!;
    const hash = noise(name, data.length);
    // A new class layer behind norms is all but silent.
    const gain = name.endsWith('cls_logits.weight') ? 500 : name.endsWith('bbox_reg.weight') ? 2 : 1;
    const isConv = shape.length === 4;
    return { name, shape, data: data.map((value, i) => (isConv ? value * gain : value + 0.3 * hash[i]!)) };
  });
}

function onnxBytes(
  network: RetinaNetOptions,
  tensors: readonly NamedTensor[],
  nms: boolean,
  size = frame,
): Uint8Array {
  const unknown = { data: null, config: null, step: null, seconds: null, adapter: null, metrics: null };
  const [file] = exportedFiles({
    ...{ stem: 'model', format: 'onnx', nms, network, tensors, frame: size },
    card: { name: 'model', classes: ['a', 'b', 'c'], version: '0', date: '2026-01-01T00:00:00Z', ...unknown },
  });
  return file!.bytes;
}

/** In -1..1, the same for the same name. */
function noise(name: string, count: number): Float32Array {
  const stream = fnv1a32(name);
  return new Float32Array(count).map((_, index) => uniformAt(stream, index) * 2 - 1);
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Infinite where the lengths differ. */
function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

/** Of the value itself where it is above 1. */
function largestRelative(a: readonly number[], b: readonly number[]): number {
  const scale = b.map((value) => Math.max(1, Math.abs(value)));
  const over = (values: readonly number[]) => values.map((value, index) => value / scale[index]!);
  return largestDifference(over(a), over(b));
}
