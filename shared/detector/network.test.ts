import { describe, expect, it } from 'vitest';
import { readFixture } from '../../test/support/fixtures.ts';
import { backboneNames } from './backbones.ts';
import { inputId } from './graph.ts';
import {
  buildRetinaNet,
  defaultNetworkOptions,
  levelNames,
  parameterCount,
  pyramidSizes,
  withAnchorScale,
} from './network.ts';

describe('parameters', () => {
  it('are those of torchvision for ResNet-18 with 64 channels, by name and shape', () => {
    const { params } = readFixture<{ params: { name: string; shape: number[] }[] }>('model_r18_fpn64');
    const options = { ...defaultNetworkOptions('resnet18', 3, 'loaded'), fpnChannels: 64 };
    const ours = buildRetinaNet(options).parameters;
    const shapes = (list: readonly { name: string; shape: readonly number[] }[]) =>
      new Map(list.map(({ name, shape }) => [name, [...shape]]));
    expect(shapes(ours)).toEqual(shapes(params));
    expect(ours.length).toBe(params.length);
  });

  it('are as many as in retinanet_resnet50_fpn', () => {
    const graph = buildRetinaNet(defaultNetworkOptions('resnet50', 91, 'loaded'));
    expect(parameterCount(graph)).toBe(34_014_999);
  });

  it('are as many as in retinanet_resnet50_fpn_v2, whose batch norms learn', () => {
    const options = {
      ...defaultNetworkOptions('resnet50', 91, 'loaded'),
      p6From: 'C5',
      headNorm: 'group',
      backboneNorm: 'batch',
    } as const;
    const graph = buildRetinaNet(options);
    expect(parameterCount(graph)).toBe(38_198_935);
    const buffers = graph.parameters.filter((spec) => spec.buffer).map((spec) => spec.name);
    expect(buffers.every((name) => /\.running_(mean|var)$/.test(name))).toBe(true);
  });

  it('stay under half a million in nano', () => {
    expect(parameterCount(buildRetinaNet(defaultNetworkOptions('nano', 3)))).toBeLessThan(500_000);
  });

  it('learn in the last three stages only, as torchvision has it for loaded weights', () => {
    const graph = buildRetinaNet(defaultNetworkOptions('resnet18', 3, 'loaded'));
    const frozen = graph.parameters
      .filter((spec) => !spec.trainable && !spec.buffer)
      .map((spec) => spec.name);
    expect(frozen.length).toBe(5);
    expect(frozen.every((name) => /^backbone\.body\.(conv1|layer1)/.test(name))).toBe(true);
  });

  it('all learn from random weights', () => {
    for (const backbone of backboneNames) {
      const graph = buildRetinaNet(defaultNetworkOptions(backbone, 3));
      expect(graph.parameters.every((spec) => spec.trainable && !spec.buffer)).toBe(true);
    }
  });
});

describe('the graph', () => {
  it.each(backboneNames)('of %s reads only what came before, and names every node once', (backbone) => {
    const graph = buildRetinaNet(defaultNetworkOptions(backbone, 3));
    const seen = new Set([inputId]);
    for (const node of graph.nodes) {
      expect(seen.has(node.input), node.id).toBe(true);
      if (node.op === 'add') expect(seen.has(node.other), node.id).toBe(true);
      if (node.op === 'upsample') expect(seen.has(node.like), node.id).toBe(true);
      expect(seen.has(node.id), node.id).toBe(false);
      seen.add(node.id);
    }
    for (const id of [...graph.features, ...graph.logits, ...graph.deltas]) expect(seen.has(id)).toBe(true);
  });

  it.each(backboneNames)('of %s has channels that fit, and P3 at stride 8', (backbone) => {
    const graph = buildRetinaNet(defaultNetworkOptions(backbone, 3));
    const channels = new Map([[inputId, 3]]);
    const strides = new Map([[inputId, 1]]);
    for (const node of graph.nodes) {
      const before = channels.get(node.input)!;
      if (node.op === 'conv') expect(before, node.id).toBe(node.inChannels);
      if (node.op === 'groupNorm') expect(node.channels % node.groups, node.id).toBe(0);
      if (node.op === 'add') {
        expect(channels.get(node.other), node.id).toBe(before);
        expect(strides.get(node.other), node.id).toBe(strides.get(node.input));
      }
      channels.set(node.id, node.op === 'conv' ? node.outChannels : before);
      const factor =
        node.op === 'conv' ? node.stride : node.op === 'maxPool' ? 2 : node.op === 'upsample' ? 0.5 : 1;
      strides.set(node.id, strides.get(node.input)! * factor);
    }
    expect(graph.features.map((id) => strides.get(id))).toEqual([8, 16, 32, 64, 128]);
    expect(graph.logits.map((id) => channels.get(id))).toEqual(levelNames.map(() => 27));
    expect(graph.deltas.map((id) => channels.get(id))).toEqual(levelNames.map(() => 36));
  });

  it('has the stride of a bottleneck where the options say', () => {
    const options = defaultNetworkOptions('resnet50', 3, 'loaded');
    const strided = (bottleneckStride?: '3x3' | '1x1') =>
      buildRetinaNet({ ...options, ...(bottleneckStride && { bottleneckStride }) })
        .nodes.filter((node) => node.op === 'conv' && node.stride === 2)
        .map((node) => node.id)
        .filter((id) => /layer\d\.0\.conv/.test(id));
    const blocks = [2, 3, 4].map((layer) => `backbone.body.layer${layer}.0`);
    expect(strided('1x1')).toEqual(blocks.map((block) => `${block}.conv1`));
    expect(strided()).toEqual(blocks.map((block) => `${block}.conv2`));
    expect(strided('3x3')).toEqual(strided());
  });

  it('has the groups of the heads that the options say, else of four channels or more', () => {
    const groups = (fpnChannels: number, headNormGroups?: number) => {
      const options = { ...defaultNetworkOptions('nano', 3), fpnChannels };
      const { nodes } = buildRetinaNet(headNormGroups ? { ...options, headNormGroups } : options);
      const inHeads = nodes.filter((node) => node.op === 'groupNorm' && node.id.startsWith('head.'));
      return [...new Set(inHeads.map((node) => node.op === 'groupNorm' && node.groups))];
    };
    expect([groups(256), groups(64), groups(64, 32)]).toEqual([[32], [8], [32]]);
  });

  it('is built again from its options as JSON', () => {
    const options = defaultNetworkOptions('nano', 4);
    const again = JSON.parse(JSON.stringify(options)) as typeof options;
    expect(buildRetinaNet(again)).toEqual(buildRetinaNet(options));
  });
});

it('scales the anchors that a network has, on every level, and nothing else', () => {
  const nano = defaultNetworkOptions('nano', 3);
  const resnet = defaultNetworkOptions('resnet18', 3);
  expect(withAnchorScale(nano, 1)).toBe(nano);
  expect(withAnchorScale(nano, 0.5)).toEqual({
    ...nano,
    anchorSizes: nano.anchorSizes!.map((sizes) => sizes.map((size) => size / 2)),
  });
  // Of the usual sizes of torchvision too, which stand nowhere in the options, and of what was scaled before.
  const halved = withAnchorScale(resnet, 0.5);
  expect(halved.anchorSizes?.map(([first]) => first)).toEqual([16, 32, 64, 128, 256]);
  expect(withAnchorScale(halved, 2).anchorSizes?.[2]).toEqual([128, 161, 203]);
});

it('halves the pyramid rounding up', () => {
  expect(pyramidSizes(800, 1344).map(({ height, width }) => [height, width])).toEqual([
    [100, 168],
    [50, 84],
    [25, 42],
    [13, 21],
    [7, 11],
  ]);
});
