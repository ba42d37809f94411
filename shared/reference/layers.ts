/** The graph on tfjs: one function per kind of layer, differentiable on every backend. */
import {
  add,
  avgPool,
  conv2d,
  customGrad,
  getBackend,
  image,
  maxPool,
  mean,
  mul,
  relu,
  reshape,
  rsqrt,
  square,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { ConvNode, FrozenNormNode, GraphNode, GroupNormNode } from '../detector/graph.ts';
import { inputId } from '../detector/graph.ts';
import type { NetworkGraph } from '../detector/network.ts';
import { groupNormOnGpu } from './kernels/groupNorm.ts';

/** Parameters on the device, by torchvision's names; convolutions HWIO, as tfjs wants them. */
export type ParameterLookup = (name: string) => Tensor;

/** A norm of fixed statistics as `x * scale + shift`. */
export interface FrozenNorm {
  readonly scale: Tensor1D;
  readonly shift: Tensor1D;
}

export interface LayerContext {
  readonly parameter: ParameterLookup;
  /** By prefix, what does not learn of a norm: all of it, or where its weight and bias do, the statistics alone. */
  readonly frozenNorm: (prefix: string) => FrozenNorm;
}

/** Activations by node id. */
export type Activations = ReadonlyMap<string, Tensor4D>;

/**
 * Runs the whole graph on images `[batch, height, width, 3]`; sides are multiples of 32. Where only some activations are `wanted`,
 * the others go as soon as nothing reads them any more (the images too): a ResNet-50 at 800 px would hold gigabytes.
 */
export function interpret(
  graph: NetworkGraph,
  images: Tensor4D,
  context: LayerContext,
  wanted?: readonly string[],
): Activations {
  const activations = new Map<string, Tensor4D>([[inputId, images]]);
  const read = (id: string): Tensor4D => {
    const activation = activations.get(id);
    if (!activation) throw new Error(`The graph reads ${id} before it is computed.`);
    return activation;
  };
  const folded = foldedNorms(graph);
  const active = activatedNorms(graph);
  const isDone = (node: GraphNode) =>
    (node.op === 'frozenNorm' && folded.has(node.input)) || (node.op === 'relu' && active.has(node.input));
  const unread = wanted && unreadAfter(graph, isDone, wanted);
  for (const node of graph.nodes) {
    if (isDone(node)) {
      activations.set(node.id, read(node.input));
      continue;
    }
    const norm = folded.get(node.id);
    const run = () => {
      const fused = { norm: norm ? wholeNorm(norm, context) : null, relu: active.has(node.id) };
      return runNode(node, read, context, fused);
    };
    activations.set(node.id, unread ? tidy(run) : run());
    for (const id of unread?.get(node.id) ?? []) read(id).dispose();
  }
  return activations;
}

/** By node, the activations that it is the last to read, but for the `wanted`. A node that is done already bears its input. */
function unreadAfter(
  graph: NetworkGraph,
  isDone: (node: GraphNode) => boolean,
  wanted: readonly string[],
): Map<string, string[]> {
  const bearers = new Map<string, string>();
  const bearerOf = (id: string) => bearers.get(id) ?? id;
  const lastReader = new Map<string, string>();
  for (const node of graph.nodes) {
    if (isDone(node)) bearers.set(node.id, bearerOf(node.input));
    else for (const id of inputsOf(node)) lastReader.set(bearerOf(id), node.id);
  }
  for (const id of wanted) lastReader.delete(bearerOf(id));
  const unread = new Map<string, string[]>();
  for (const [id, reader] of lastReader) unread.set(reader, [...(unread.get(reader) ?? []), id]);
  return unread;
}

function inputsOf(node: GraphNode): string[] {
  if (node.op === 'add') return [node.input, node.other];
  if (node.op === 'upsample') return [node.input, node.like];
  return [node.input];
}

/** Convolutions whose result goes to a frozen norm, to that norm: the pair is computed as one convolution. */
function foldedNorms(graph: NetworkGraph): Map<string, FrozenNormNode> {
  const convolutions = new Set(graph.nodes.filter((node) => node.op === 'conv').map((node) => node.id));
  const folded = new Map<string, FrozenNormNode>();
  for (const node of graph.nodes) {
    if (node.op === 'frozenNorm' && convolutions.has(node.input)) folded.set(node.input, node);
  }
  return folded;
}

/** Group norms that only a ReLU reads: the two are computed as one. */
function activatedNorms(graph: NetworkGraph): Set<string> {
  const norms = new Set(graph.nodes.filter((node) => node.op === 'groupNorm').map((node) => node.id));
  return new Set(
    graph.nodes.filter((node) => node.op === 'relu' && norms.has(node.input)).map((node) => node.input),
  );
}

interface Fused {
  readonly norm: FrozenNorm | null;
  readonly relu: boolean;
}

function runNode(
  node: GraphNode,
  read: (id: string) => Tensor4D,
  context: LayerContext,
  { norm, relu: withRelu }: Fused,
): Tensor4D {
  const input = read(node.input);
  switch (node.op) {
    case 'conv':
      return convolve(node, input, context, norm);
    case 'frozenNorm': {
      const { scale, shift } = wholeNorm(node, context);
      return add(mul(input, scale), shift);
    }
    case 'groupNorm':
      return groupNorm(node, input, context, withRelu);
    case 'relu':
      return relu(input);
    case 'maxPool':
      return maxPool(input, 3, 2, 1);
    case 'add':
      return add(input, read(node.other));
    case 'upsample':
      return upsample(input, read(node.like));
  }
}

/** A norm with its weight and bias; where they learn, the gradient flows to them. */
function wholeNorm({ prefix, learns }: FrozenNormNode, context: LayerContext): FrozenNorm {
  const fixed = context.frozenNorm(prefix);
  if (!learns) return fixed;
  const weight = context.parameter(`${prefix}.weight`);
  const bias = context.parameter(`${prefix}.bias`);
  return { scale: mul(weight, fixed.scale), shift: add(bias, mul(weight, fixed.shift)) };
}

/** A following frozen norm is folded into the weights: the gradient flows through the small product. */
function convolve(node: ConvNode, input: Tensor4D, context: LayerContext, norm: FrozenNorm | null): Tensor4D {
  const weight = context.parameter(node.weight) as Tensor4D;
  const scaled: Tensor4D = norm ? mul(weight, norm.scale) : weight;
  const sums = conv2d(input, scaled, node.stride, node.padding);
  const bias = norm ? norm.shift : node.bias ? context.parameter(node.bias) : null;
  return bias ? add(sums, bias) : sums;
}

/** torch's GroupNorm: biased variance over height, width and the channels of a group. */
function groupNorm(node: GroupNormNode, input: Tensor4D, context: LayerContext, withRelu: boolean): Tensor4D {
  const weight = context.parameter(`${node.prefix}.weight`);
  const bias = context.parameter(`${node.prefix}.bias`);
  const { groups, epsilon } = node;
  if (getBackend() === 'webgpu') {
    return groupNormOnGpu(input, weight, bias, { groups, epsilon, relu: withRelu });
  }
  const normed = groupNormOfOperations(input, weight, bias, groups, epsilon);
  return withRelu ? relu(normed) : normed;
}

/** Group norm out of tfjs's own operations, for every backend. */
export function groupNormOfOperations(
  input: Tensor4D,
  weight: Tensor,
  bias: Tensor,
  groups: number,
  epsilon: number,
): Tensor4D {
  const [batch, height, width, channels] = input.shape;
  const grouped = reshape(input, [batch, height * width, groups, channels / groups]);
  const centred = sub(grouped, mean(grouped, [1, 3], true));
  const variance = mean(square(centred), [1, 3], true);
  const normed = reshape(mul(centred, rsqrt(add(variance, epsilon))), input.shape);
  return add(mul(normed, weight), bias);
}

/**
 * Nearest neighbour to exactly twice the size, with a gradient of its own: tfjs 4.22's is wrong on webgpu for 43 of the
 * sizes 1 to 100 (f32 rounding of dy/Y), and on cpu for batches above one (`dyROffset` uses the image's batch stride). Each
 * input cell fed a 2x2 block, so its gradient is that block's sum.
 */
export function upsample(input: Tensor4D, like: Tensor4D): Tensor4D {
  const [, height, width] = input.shape;
  if (like.shape[1] !== 2 * height || like.shape[2] !== 2 * width) {
    throw new Error(
      `Cannot upsample ${height}x${width} to ${like.shape[1]}x${like.shape[2]}: not a factor of two.`,
    );
  }
  const operation = customGrad((value) => ({
    value: image.resizeNearestNeighbor(value as Tensor4D, [2 * height, 2 * width]),
    gradFunc: (gradient: Tensor) => mul(avgPool(gradient as Tensor4D, 2, 2, 'valid'), 4),
  }));
  return operation(input) as Tensor4D;
}
