/** The backbones: torchvision's ResNets, and `nano`, a small one of the same build for weak GPUs and tests. */
import type { GraphBuilder, InitRule } from './graph.ts';
import { inputId } from './graph.ts';

export const backboneNames = ['nano', 'resnet18', 'resnet34', 'resnet50', 'resnet101'] as const;
export type BackboneName = (typeof backboneNames)[number];

/**
 * `frozen`: batch norm with fixed statistics, scale and offset (torchvision's FrozenBatchNorm2d). `batch`: fixed statistics, but
 * scale and offset learn (its BatchNorm2d in eval mode). `group`: learns from random weights and small batches.
 */
export type BackboneNorm = 'frozen' | 'batch' | 'group';

export interface BackboneOptions {
  readonly backbone: BackboneName;
  readonly backboneNorm: BackboneNorm;
  /** 1e-5; 0 with torchvision's COCO_V1 weights. */
  readonly normEpsilon: number;
  /** Which convolution of a bottleneck has the stride: torchvision's 3x3, or the 1x1 of the weights detectron2 starts from. */
  readonly bottleneckStride?: '3x3' | '1x1';
}

interface NormOptions {
  readonly kind: BackboneNorm;
  readonly epsilon: number;
}

interface Stage {
  readonly channels: number;
  readonly blocks: number;
  readonly stride: number;
}

interface BackboneSpec {
  readonly stem: { readonly channels: number; readonly kernelSize: number; readonly maxPool: boolean };
  readonly block: 'basic' | 'bottleneck';
  /** layer1 to layer4; layer2, 3 and 4 end at strides 8, 16 and 32. */
  readonly stages: readonly [Stage, Stage, Stage, Stage];
}

const resnetStem = { channels: 64, kernelSize: 7, maxPool: true };

function resnetStages(blocks: readonly [number, number, number, number]): BackboneSpec['stages'] {
  return [
    { channels: 64, blocks: blocks[0], stride: 1 },
    { channels: 128, blocks: blocks[1], stride: 2 },
    { channels: 256, blocks: blocks[2], stride: 2 },
    { channels: 512, blocks: blocks[3], stride: 2 },
  ];
}

const backbones: Readonly<Record<BackboneName, BackboneSpec>> = {
  nano: {
    stem: { channels: 16, kernelSize: 3, maxPool: false },
    block: 'basic',
    stages: [
      { channels: 24, blocks: 1, stride: 2 },
      { channels: 48, blocks: 1, stride: 2 },
      { channels: 80, blocks: 1, stride: 2 },
      { channels: 96, blocks: 1, stride: 2 },
    ],
  },
  resnet18: { stem: resnetStem, block: 'basic', stages: resnetStages([2, 2, 2, 2]) },
  resnet34: { stem: resnetStem, block: 'basic', stages: resnetStages([3, 4, 6, 3]) },
  resnet50: { stem: resnetStem, block: 'bottleneck', stages: resnetStages([3, 4, 6, 3]) },
  resnet101: { stem: resnetStem, block: 'bottleneck', stages: resnetStages([3, 4, 23, 3]) },
};

/** A feature map of the backbone: its node and its channels. */
export interface Feature {
  readonly id: string;
  readonly channels: number;
}

/** Adds the backbone under `backbone.body` and returns C3, C4 and C5 (strides 8, 16, 32). */
export function addBackbone(graph: GraphBuilder, options: BackboneOptions): Feature[] {
  const spec = backbones[options.backbone];
  const norm = { kind: options.backboneNorm, epsilon: options.normEpsilon };
  const body: Body = { graph, norm, strideFirst: options.bottleneckStride === '1x1' };
  const features: Feature[] = [];
  let feature = addStem(body, spec);
  spec.stages.forEach((stage, index) => {
    for (let block = 0; block < stage.blocks; block++) {
      const prefix = `backbone.body.layer${index + 1}.${block}`;
      const stride = block === 0 ? stage.stride : 1;
      feature = addBlock(body, prefix, feature, spec.block, stage.channels, stride);
    }
    if (index > 0) features.push(feature);
  });
  return features;
}

interface Body {
  readonly graph: GraphBuilder;
  readonly norm: NormOptions;
  /** A bottleneck's stride is on its first convolution, not its second. */
  readonly strideFirst: boolean;
}

function addStem({ graph, norm }: Body, spec: BackboneSpec): Feature {
  const { channels, kernelSize, maxPool } = spec.stem;
  const image = { id: inputId, channels: 3 };
  const conv = addConv(graph, 'backbone.body.conv1', image, channels, kernelSize, 2);
  const normed = addNorm(graph, 'backbone.body.bn1', conv, norm);
  const active = addRelu(graph, normed);
  if (!maxPool) return active;
  return { id: graph.add({ op: 'maxPool', id: 'backbone.body.maxpool', input: active.id }), channels };
}

/** A residual block; the bottleneck is v1.5, with its stride on the 3x3, unless `strideFirst`. */
function addBlock(
  { graph, norm, strideFirst }: Body,
  prefix: string,
  input: Feature,
  kind: BackboneSpec['block'],
  width: number,
  stride: number,
): Feature {
  const layers =
    kind === 'basic'
      ? [
          { kernelSize: 3, channels: width, stride },
          { kernelSize: 3, channels: width, stride: 1 },
        ]
      : [
          { kernelSize: 1, channels: width, stride: strideFirst ? stride : 1 },
          { kernelSize: 3, channels: width, stride: strideFirst ? 1 : stride },
          { kernelSize: 1, channels: width * 4, stride: 1 },
        ];
  let branch = input;
  layers.forEach((layer, index) => {
    const name = `${prefix}.conv${index + 1}`;
    const conv = addConv(graph, name, branch, layer.channels, layer.kernelSize, layer.stride);
    const normed = addNorm(graph, `${prefix}.bn${index + 1}`, conv, norm);
    branch = index + 1 < layers.length ? addRelu(graph, normed) : normed;
  });
  let shortcut = input;
  if (stride !== 1 || input.channels !== branch.channels) {
    const conv = addConv(graph, `${prefix}.downsample.0`, input, branch.channels, 1, stride);
    shortcut = addNorm(graph, `${prefix}.downsample.1`, conv, norm);
  }
  const sum = graph.add({ op: 'add', id: `${prefix}.add`, input: branch.id, other: shortcut.id });
  return addRelu(graph, { id: sum, channels: branch.channels });
}

function addConv(
  graph: GraphBuilder,
  name: string,
  input: Feature,
  outChannels: number,
  kernelSize: number,
  stride: number,
): Feature {
  // Kaiming-normal over the fan-out, as torchvision's ResNet.
  const init: InitRule = { kind: 'normal', std: Math.sqrt(2 / (outChannels * kernelSize ** 2)) };
  const shape = [outChannels, input.channels, kernelSize, kernelSize];
  const weight = graph.parameter(`${name}.weight`, shape, init);
  return addConvNode(graph, name, input, { outChannels, kernelSize, stride, weight, bias: null });
}

interface ConvShape {
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  /** The parameters' names. */
  readonly weight: string;
  readonly bias: string | null;
}

/** A convolution padded so that stride 1 keeps the size. */
export function addConvNode(graph: GraphBuilder, id: string, input: Feature, shape: ConvShape): Feature {
  const padding = (shape.kernelSize - 1) / 2;
  graph.add({ op: 'conv', id, input: input.id, inChannels: input.channels, padding, ...shape });
  return { id, channels: shape.outChannels };
}

function addNorm(graph: GraphBuilder, prefix: string, input: Feature, norm: NormOptions): Feature {
  const { channels } = input;
  if (norm.kind === 'group') return addGroupNorm(graph, prefix, input, { epsilon: norm.epsilon });
  const learns = norm.kind === 'batch';
  graph.parameter(`${prefix}.weight`, [channels], { kind: 'constant', value: 1 }, !learns);
  graph.parameter(`${prefix}.bias`, [channels], { kind: 'constant', value: 0 }, !learns);
  graph.parameter(`${prefix}.running_mean`, [channels], { kind: 'constant', value: 0 }, true);
  graph.parameter(`${prefix}.running_var`, [channels], { kind: 'constant', value: 1 }, true);
  const id = graph.add({
    op: 'frozenNorm',
    id: prefix,
    input: input.id,
    channels,
    epsilon: norm.epsilon,
    prefix,
    learns,
  });
  return { id, channels };
}

interface GroupNormOptions {
  readonly epsilon: number;
  /** Absent: 32 where that leaves each four channels, else 8. */
  readonly groups?: number | undefined;
  /** Where nodes share parameters; absent: the prefix. */
  readonly id?: string;
}

export function addGroupNorm(
  graph: GraphBuilder,
  prefix: string,
  input: Feature,
  options: GroupNormOptions,
): Feature {
  const { channels } = input;
  const { epsilon, id = prefix } = options;
  const groups = options.groups ?? (channels % 32 === 0 && channels >= 128 ? 32 : 8);
  graph.parameter(`${prefix}.weight`, [channels], { kind: 'constant', value: 1 });
  graph.parameter(`${prefix}.bias`, [channels], { kind: 'constant', value: 0 });
  graph.add({ op: 'groupNorm', id, input: input.id, channels, groups, epsilon, prefix });
  return { id, channels };
}

export function addRelu(graph: GraphBuilder, input: Feature): Feature {
  return {
    id: graph.add({ op: 'relu', id: `${input.id}.relu`, input: input.id }),
    channels: input.channels,
  };
}
