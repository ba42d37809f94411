/**
 * RetinaNet as torchvision 0.14 builds it: a backbone's C3, C4 and C5, a feature pyramid P3 to P7, and two subnets shared
 * by all levels. Every difference between its versions (and between loaded and random weights) is an option.
 */
import { anchorSizesOf, anchorsPerPosition, type FeatureSize } from './anchors.ts';
import {
  addBackbone,
  addConvNode,
  addGroupNorm,
  addRelu,
  type BackboneName,
  type BackboneOptions,
  type Feature,
} from './backbones.ts';
import { GraphBuilder, type GraphNode, type InitRule, type ParameterSpec } from './graph.ts';

/** JSON-serialisable: stored in every checkpoint, and enough to build the network again. */
export interface RetinaNetOptions extends BackboneOptions {
  /** K: the logits of an anchor. */
  readonly foregroundClassCount: number;
  readonly fpnChannels: number;
  /** Convolutions in each subnet before its last. */
  readonly headConvCount: number;
  /** `group`: bias-free convolutions with GroupNorm, as torchvision's v2. */
  readonly headNorm: 'none' | 'group';
  /** torchvision's v2 has 32 at any width; absent: 32 where that leaves each four channels, else 8. */
  readonly headNormGroups?: number;
  /** What P6 is made from: P5 in torchvision's v1, C5 in its v2 and in the paper. */
  readonly p6From: 'P5' | 'C5';
  /** Backbone stages that learn, counted from the last: 5 is all of it, torchvision's default for loaded weights is 3. */
  readonly trainableBackboneLayers: number;
  /** Per level P3 to P7, sizes in pixels of the network's frame; absent: torchvision's 32 to 812. */
  readonly anchorSizes?: readonly (readonly number[])[];
  /** Whether anchors' corners are rounded to whole pixels, as torchvision's are and detectron2's are not; absent: true. */
  readonly roundAnchors?: boolean;
}

export const levelNames = ['P3', 'P4', 'P5', 'P6', 'P7'] as const;
export type LevelName = (typeof levelNames)[number];

export interface NetworkGraph {
  readonly options: RetinaNetOptions;
  readonly nodes: readonly GraphNode[];
  readonly parameters: readonly ParameterSpec[];
  /** A: anchors at each position. */
  readonly anchorsPerPosition: number;
  /** Node ids per level P3 to P7. Channel of a logit is `a * K + k`, of a delta `a * 4 + i`. */
  readonly features: readonly string[];
  readonly logits: readonly string[];
  readonly deltas: readonly string[];
}

/**
 * Sensible options. `weights: 'random'` learns with GroupNorm everywhere, for frozen statistics of random weights normalise
 * nothing; `'loaded'` is torchvision's retinanet with frozen norms and its two first stages fixed.
 */
export function defaultNetworkOptions(
  backbone: BackboneName,
  foregroundClassCount: number,
  weights: 'random' | 'loaded' = 'random',
): RetinaNetOptions {
  const shared = { backbone, foregroundClassCount, normEpsilon: 1e-5, p6From: 'P5' } as const;
  if (backbone === 'nano') {
    return {
      ...shared,
      fpnChannels: 32,
      headConvCount: 2,
      headNorm: 'group',
      backboneNorm: 'group',
      trainableBackboneLayers: 5,
      anchorSizes: levelNames.map((_, level) => halfAnchorSizes(level)),
    };
  }
  const random = weights === 'random';
  return {
    ...shared,
    fpnChannels: 256,
    headConvCount: 4,
    headNorm: random ? 'group' : 'none',
    backboneNorm: random ? 'group' : 'frozen',
    trainableBackboneLayers: random ? 5 : 3,
  };
}

/** Half of torchvision's: nano works on small frames, where an object is seldom as large as 32 px. */
function halfAnchorSizes(level: number): number[] {
  const base = 16 * 2 ** level;
  return [base, Math.round(base * 2 ** (1 / 3)), Math.round(base * 2 ** (2 / 3))];
}

/** The network with every anchor `scale` times the size it has. 1: as it is. */
export function withAnchorScale(network: RetinaNetOptions, scale: number): RetinaNetOptions {
  if (scale === 1) return network;
  const scaled = levelNames.map((_, level) => anchorSizesOf(level, network).map((size) => size * scale));
  return { ...network, anchorSizes: scaled };
}

/** The whole detector as a graph of layers. */
export function buildRetinaNet(options: RetinaNetOptions): NetworkGraph {
  const graph = new GraphBuilder(trainablePredicate(options.trainableBackboneLayers));
  const backbone = addBackbone(graph, options);
  const pyramid = addPyramid(graph, backbone, options);
  const perPosition = anchorsPerPosition(options);
  const logits = pyramid.map((feature, level) => {
    const init: InitRule = { kind: 'prior' };
    const channels = perPosition * options.foregroundClassCount;
    const last = { name: 'cls_logits', channels, biasInit: init, std: lastClassStd(options) };
    return addSubnet(graph, 'head.classification_head', last, feature, levelNames[level]!, options);
  });
  const deltas = pyramid.map((feature, level) => {
    const init: InitRule = { kind: 'constant', value: 0 };
    const last = { name: 'bbox_reg', channels: perPosition * 4, biasInit: init, std: headStd };
    return addSubnet(graph, 'head.regression_head', last, feature, levelNames[level]!, options);
  });
  return {
    options,
    nodes: graph.nodes,
    parameters: graph.parameters,
    anchorsPerPosition: perPosition,
    features: pyramid.map((feature) => feature.id),
    logits,
    deltas,
  };
}

/** As torch counts `model.parameters()`: buffers, a frozen norm's vectors and a batch norm's statistics, are not among them. */
export function parameterCount(graph: NetworkGraph): number {
  return graph.parameters
    .filter((spec) => !spec.buffer)
    .reduce((sum, spec) => sum + elementCount(spec.shape), 0);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Sizes of P3 to P7 for a frame: every halving rounds up. */
export function pyramidSizes(paddedHeight: number, paddedWidth: number): FeatureSize[] {
  const halve = (side: number, times: number): number =>
    times === 0 ? side : halve(Math.ceil(side / 2), times - 1);
  return levelNames.map((_, level) => ({
    height: halve(paddedHeight, level + 3),
    width: halve(paddedWidth, level + 3),
  }));
}

/** torchvision's `trainable_backbone_layers`: the last stages learn, and the stem's norm only where everything does. */
function trainablePredicate(layers: number): (name: string) => boolean {
  const stages = ['layer4', 'layer3', 'layer2', 'layer1', 'conv1'].slice(0, layers);
  if (layers === 5) stages.push('bn1');
  return (name) =>
    !name.startsWith('backbone.body.') || stages.some((stage) => name.startsWith(`backbone.body.${stage}.`));
}

/** P3 to P7 under `backbone.fpn`: top-down with nearest upsampling, then two strided convolutions for P6 and P7. */
function addPyramid(graph: GraphBuilder, backbone: readonly Feature[], options: RetinaNetOptions): Feature[] {
  const channels = options.fpnChannels;
  const prefix = 'backbone.fpn';
  const inner = backbone.map((feature, index) =>
    addFpnConv(graph, `${prefix}.inner_blocks.${index}.0`, feature, channels, 1, 1),
  );
  for (let index = inner.length - 2; index >= 0; index--) {
    const lower = inner[index]!;
    const upper = graph.add({
      op: 'upsample',
      id: `${prefix}.upsample.${index}`,
      input: inner[index + 1]!.id,
      like: lower.id,
    });
    const sum = graph.add({ op: 'add', id: `${prefix}.add.${index}`, input: lower.id, other: upper });
    inner[index] = { id: sum, channels };
  }
  const levels = inner.map((feature, index) =>
    addFpnConv(graph, `${prefix}.layer_blocks.${index}.0`, feature, channels, 3, 1),
  );
  const p6Input = options.p6From === 'P5' ? levels.at(-1)! : backbone.at(-1)!;
  const p6 = addFpnConv(graph, `${prefix}.extra_blocks.p6`, p6Input, channels, 3, 2);
  const p7 = addFpnConv(graph, `${prefix}.extra_blocks.p7`, addRelu(graph, p6), channels, 3, 2);
  return [...levels, p6, p7];
}

function addFpnConv(
  graph: GraphBuilder,
  name: string,
  input: Feature,
  outChannels: number,
  kernelSize: number,
  stride: number,
): Feature {
  const shape = [outChannels, input.channels, kernelSize, kernelSize];
  const bound = Math.sqrt(3 / (input.channels * kernelSize ** 2)); // kaiming_uniform_(a=1)
  const weight = graph.parameter(`${name}.weight`, shape, { kind: 'uniform', bound });
  const bias = graph.parameter(`${name}.bias`, [outChannels], { kind: 'constant', value: 0 });
  return addConvNode(graph, name, input, { outChannels, kernelSize, stride, weight, bias });
}

interface HeadConv {
  readonly name: string;
  readonly channels: number;
  /** Null: no bias, for a norm follows. */
  readonly biasInit: InitRule | null;
  /** Deviation of its first weights. */
  readonly std: number;
}

/** Of new convolutions in the heads (Lin et al. 2017, section 4.1). */
const headStd = 0.01;

/**
 * Every anchor is to start at the prior. Without norms the towers fade out what they are given, and 0.01 keeps to that; behind a norm
 * it scatters logits by ±0.1 to ±0.3, which alone makes the first background loss 9 to 50 % larger than the prior's. Learning is no slower
 * for the small one.
 */
function lastClassStd({ headNorm }: RetinaNetOptions): number {
  return headNorm === 'group' ? 0.0003 : headStd;
}

/** One subnet on one level; returns the id of its output. Levels share parameters, so node ids bear the level. */
function addSubnet(
  graph: GraphBuilder,
  prefix: string,
  last: HeadConv,
  feature: Feature,
  level: LevelName,
  options: RetinaNetOptions,
): string {
  let tower = feature;
  const hasNorm = options.headNorm === 'group';
  for (let index = 0; index < options.headConvCount; index++) {
    const name = `${prefix}.conv.${index}`;
    const bias: InitRule | null = hasNorm ? null : { kind: 'constant', value: 0 };
    const conv = { name: `${name}.0`, channels: feature.channels, biasInit: bias, std: headStd };
    tower = addHeadConv(graph, conv, level, tower);
    if (hasNorm) {
      const norm = { epsilon: 1e-5, groups: options.headNormGroups, id: `${name}.1@${level}` };
      tower = addGroupNorm(graph, `${name}.1`, tower, norm);
    }
    tower = addRelu(graph, tower);
  }
  return addHeadConv(graph, { ...last, name: `${prefix}.${last.name}` }, level, tower).id;
}

function addHeadConv(
  graph: GraphBuilder,
  { name, channels: outChannels, biasInit, std }: HeadConv,
  level: LevelName,
  input: Feature,
): Feature {
  const shape = [outChannels, input.channels, 3, 3];
  const weight = graph.parameter(`${name}.weight`, shape, { kind: 'normal', std });
  const bias = biasInit && graph.parameter(`${name}.bias`, [outChannels], biasInit);
  const conv = { outChannels, kernelSize: 3, stride: 1, weight, bias };
  return addConvNode(graph, `${name}@${level}`, input, conv);
}
