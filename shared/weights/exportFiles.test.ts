import { describe, expect, it } from 'vitest';
import {
  buildRetinaNet,
  defaultNetworkOptions,
  elementCount,
  type RetinaNetOptions,
} from '../detector/network.ts';
import type { NamedTensor } from '../loss/executor.ts';
import type { ModelCardFacts } from './card/modelCard.ts';
import { torchScript } from './card/modelCardTorch.ts';
import { type ExportRequest, exportedFiles } from './exportFiles.ts';
import { openWeights } from './model/openWeights.ts';

const classes = ['RBC', 'WBC | "large"', 'Plättchen'];
const loaded = defaultNetworkOptions('resnet50', 3, 'loaded');
const small = { fpnChannels: 64, headConvCount: 1 } as const;

const facts: ModelCardFacts = {
  name: 'Run 3',
  classes,
  data: {
    countedAt: 'run',
    train: { images: 205, boxes: 1912, negatives: 3, boxesPerClass: [1700, 200, 12] },
    validation: { images: 87, boxes: 900, negatives: 1, boxesPerClass: [700, 150, 50] },
  },
  config: { batch: 2, minSizePx: 320, maxSizePx: 480, init: 'file:/home/ada/secret/cells.pth' },
  step: 400,
  seconds: 1234,
  adapter: 'NVIDIA Ampere',
  metrics: {
    ...{ step: 400, split: 'validation', images: 87, AP: 0.5123, AP50: 0.8 },
    perClass: { RBC: 0.6, 'WBC | "large"': 0.4, Plättchen: null },
  },
  version: '1.2.3',
  date: '2026-11-23T10:00:00.000Z',
};

const unknown: ModelCardFacts = {
  ...{ name: 'cells.pth', version: '1.2.3', date: '2026-11-23T10:00:00.000Z' },
  ...{ classes: null, data: null, config: null, step: null, seconds: null, adapter: null, metrics: null },
};

/** Every tensor's values are its own. */
function markedTensors(network: RetinaNetOptions): NamedTensor[] {
  return buildRetinaNet(network).parameters.map(({ name, shape }, index) => {
    const data = new Float32Array(elementCount(shape)).fill(index + 1);
    data[0] = -index;
    return { name, shape, data };
  });
}

function exported(network: RetinaNetOptions, more: Partial<ExportRequest> = {}) {
  const tensors = markedTensors(network);
  const [weights, json, text] = exportedFiles({
    ...{ stem: 'cells', format: 'safetensors', nms: true, network, tensors, card: facts },
    ...{ frame: { heightPx: 64, widthPx: 64 }, ...more },
  });
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    ...{ tensors, weights: weights!, names: [weights!.name, json!.name, text!.name] },
    ...{ card: JSON.parse(decode(json!.bytes)) as unknown, text: decode(text!.bytes) },
  };
}

describe('exported safetensors', () => {
  it.each<[string, RetinaNetOptions]>([
    ['nano', defaultNetworkOptions('nano', 3)],
    ['a ResNet-18 with group norms', { ...defaultNetworkOptions('resnet18', 3), ...small }],
    ['a ResNet-18 with frozen norms', { ...defaultNetworkOptions('resnet18', 3, 'loaded'), ...small }],
    [
      'the options of another world',
      {
        ...{ ...loaded, ...small, backboneNorm: 'batch', p6From: 'C5', headNorm: 'group' },
        ...{ headNormGroups: 16, roundAnchors: false, bottleneckStride: '1x1', normEpsilon: 0.001 },
      },
    ],
  ])('of %s are read back with their card as they were', (_, network) => {
    const { tensors, weights, card, names } = exported(network);
    expect(names).toEqual(['cells.safetensors', 'cells.json', 'cells.md']);
    const opened = openWeights(weights.bytes, weights.name, card);
    expect(opened.description.network).toEqual(network);
    expect(opened.description.classNames).toEqual(classes);
    expect(opened.description).toMatchObject({ content: 'retinanet', missing: [], extra: [] });
    const byName = new Map(opened.tensors().map((tensor) => [tensor.name, tensor]));
    expect(byName.size).toBe(tensors.length);
    for (const { name, shape, data } of tensors) {
      expect(byName.get(name)?.shape).toEqual(shape);
      expect(Buffer.compare(Buffer.from(data.buffer), bytesOf(byName.get(name)!.data))).toBe(0);
    }
  });

  it('leave out what the network has no place for, and refuse what has a hole', () => {
    const network = defaultNetworkOptions('nano', 3);
    const tensors = markedTensors(network);
    const counter = { name: 'backbone.body.bn1.num_batches_tracked', shape: [1], data: Float32Array.of(3) };
    const { weights } = exported(network, { tensors: [...tensors, counter] });
    expect(openWeights(weights.bytes, weights.name, null).description.extra).toEqual([]);
    expect(() => exported(network, { tensors: tensors.slice(0, -1) })).toThrow('it has no head.');
  });
});

describe('the model card', () => {
  const { card, text } = exported(defaultNetworkOptions('nano', 3));

  it('says what is known', () => {
    expect(card).toMatchObject({
      ...{ step: 400, classes, backbone: 'nano', adapter: 'NVIDIA Ampere', AP50: 0.8, seconds: 1234 },
      ...{ config: { minSizePx: 320, init: 'file:cells.pth' }, data: facts.data, metrics: facts.metrics },
    });
    for (const words of [
      '| 1 | WBC \\| "large" | 200 | 150 |',
      '| Learnt from | 205 | 1912 | 3 |',
      'the images and labels that the training used',
      '400 steps, 21 minutes',
      'On NVIDIA Ampere',
      'Started from the file cells.pth',
      'Images in a step: 2; the short side 320 px, the long one at most 480 px',
      '| AP50 (IoU 0.50) | 0.800 |',
      '| AP of Plättchen | not measurable |',
      'fewer than 50 boxes to learn from: Plättchen (12)',
      'The figures above come from 87 images',
      'classes = ["RBC", "WBC | \\"large\\"", "Plättchen"]',
      'min_size=320, max_size=480',
    ]) {
      expect(text).toContain(words);
    }
  });

  it('tells nobody where files lie', () => {
    expect(JSON.stringify(card) + text).not.toMatch(/home|secret/);
  });

  it('leaves out what is not known', () => {
    const { card, text } = exported(defaultNetworkOptions('nano', 3), { card: unknown });
    expect(card).toMatchObject({ step: null, classes: null, data: null, metrics: null, AP50: null });
    expect(text).not.toMatch(/null|undefined|NaN|## (Classes|Data|Training|How good)/);
    expect(text).toContain('nobody knows');
    expect(text).toContain('classes = range(3)');
  });

  it('says where labels have changed, and where weights were measured on what they know', () => {
    const changed: ModelCardFacts = {
      ...facts,
      data: { ...facts.data!, countedAt: 'export' },
      metrics: { ...facts.metrics!, step: 300, split: 'reviewed' },
    };
    const { text } = exported(defaultNetworkOptions('nano', 3), { card: changed });
    expect(text).toContain('The labels have changed since the training');
    expect(text).toContain('After step 300, not of the weights in this file, measured on 87 reviewed images');
    expect(text).toContain('on new images it will be worse');
  });

  it('explains an ONNX file', () => {
    const network = defaultNetworkOptions('nano', 3);
    const { text, names, card } = exported(network, { format: 'onnx' });
    expect(names[0]).toBe('cells.onnx');
    expect(card).toMatchObject({ onnx: { opset: 17, frame: { heightPx: 64, widthPx: 64 }, nms: true } });
    expect(text).toContain('`images`, float32 [1, 3, 64, 64]');
    expect(text).toContain('session.run(["boxes", "scores", "labels"], inputs)');
    expect(exported(network, { format: 'onnx', nms: false }).text).toContain('def suppress(');
  });
});

describe('the script for torchvision', () => {
  const scriptOf = (network: RetinaNetOptions) =>
    torchScript({ network, file: 'cells.safetensors', classes, minSizePx: null, maxSizePx: null });

  it('is one call for the networks that torchvision has', () => {
    const v1 = scriptOf({ ...loaded, normEpsilon: 0 });
    expect(v1).toContain(
      'model = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3)',
    );
    expect(v1).toContain('module.eps = 0');
    const v2 = scriptOf({ ...loaded, backboneNorm: 'batch', headNorm: 'group', p6From: 'C5' });
    expect(v2).toContain('model = retinanet_resnet50_fpn_v2(');
    expect(v2).not.toContain('module.eps');
  });

  it('builds every other one', () => {
    const nano = scriptOf(defaultNetworkOptions('nano', 3));
    expect(nano).toContain('torch.nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)');
    expect(nano).toContain('enumerate([24, 48, 80, 96], start=1)');
    expect(nano).toContain('channels = [48, 80, 96]');
    expect(nano).toContain('    [16, 20, 25],');
    expect(nano).toContain('for _ in range(2)');
    const wide = {
      ...defaultNetworkOptions('resnet34', 3, 'loaded'),
      fpnChannels: 512,
      p6From: 'C5',
    } as const;
    expect(scriptOf(wide)).toContain('last.use_P5 = False');
  });
});

function bytesOf(data: Float32Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
