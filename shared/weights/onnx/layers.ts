/** The network's graph as ONNX nodes, NCHW. Constants keep torchvision's names; a norm of fixed statistics is part of its convolution. */
import type { FeatureSize } from '../../detector/anchors.ts';
import type { ConvNode, FrozenNormNode, GraphNode, GroupNormNode } from '../../detector/graph.ts';
import { inputId } from '../../detector/graph.ts';
import type { NetworkGraph } from '../../detector/network.ts';
import type { OnnxGraph } from './model.ts';

/** Every parameter of the network by torchvision's name, in torch's layout. */
export type Weights = ReadonlyMap<string, Float32Array>;

interface Layers {
  readonly onnx: OnnxGraph;
  readonly weights: Weights;
  /** Sizes of the activations by node id. */
  readonly sizes: Map<string, FeatureSize>;
  /** Norms by the id of the convolution they are folded into. */
  readonly folded: ReadonlyMap<string, FrozenNormNode>;
  /** The value of a node's activation. */
  readonly named: (id: string) => string;
}

/** Adds all layers; a node's activation is the value of its id. `input` names the normalised frame `[1, 3, height, width]`. */
export function addLayers(
  onnx: OnnxGraph,
  graph: NetworkGraph,
  weights: Weights,
  input: string,
  frame: FeatureSize,
): void {
  const layers: Layers = {
    onnx,
    weights,
    sizes: new Map([[inputId, frame]]),
    folded: foldedNorms(graph),
    named: (id) => (id === inputId ? input : id),
  };
  for (const node of graph.nodes) addLayer(layers, node);
}

function foldedNorms(graph: NetworkGraph): Map<string, FrozenNormNode> {
  return new Map(
    graph.nodes.flatMap((node) => (node.op === 'frozenNorm' ? [[node.input, node] as const] : [])),
  );
}

function addLayer(layers: Layers, node: GraphNode): void {
  const { onnx, sizes, named } = layers;
  const size = sizes.get(node.input)!;
  const input = named(node.input);
  sizes.set(node.id, size);
  switch (node.op) {
    case 'conv':
      sizes.set(node.id, strided(size, node.kernelSize, node.stride, node.padding));
      addConv(layers, node, input);
      break;
    case 'frozenNorm':
      break; // its convolution has it
    case 'groupNorm':
      addGroupNorm(layers, node, input, size);
      break;
    case 'relu':
      onnx.node('Relu', [input], node.id);
      break;
    case 'maxPool':
      sizes.set(node.id, strided(size, 3, 2, 1));
      onnx.node('MaxPool', [input], node.id, maxPool);
      break;
    case 'add':
      onnx.node('Add', [input, named(node.other)], node.id);
      break;
    case 'upsample': {
      sizes.set(node.id, sizes.get(node.like)!);
      const scales = onnx.floats('twice', [4], () => Float32Array.of(1, 1, 2, 2));
      onnx.node('Resize', [input, '', scales], node.id, nearest);
      break;
    }
  }
}

const maxPool = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
const nearest = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };

function strided(size: FeatureSize, kernelSize: number, stride: number, padding: number): FeatureSize {
  const out = (side: number) => Math.floor((side + 2 * padding - kernelSize) / stride) + 1;
  return { height: out(size.height), width: out(size.width) };
}

function addConv({ onnx, weights, folded }: Layers, node: ConvNode, input: string): void {
  const { inChannels, outChannels, kernelSize, stride, padding } = node;
  const norm = folded.get(node.id);
  const weight = () => weights.get(node.weight)!;
  const inputs = [input];
  const shape = [outChannels, inChannels, kernelSize, kernelSize];
  if (norm) {
    const { scale, shift } = scaleAndShift(norm, weights);
    inputs.push(onnx.floats(node.weight, shape, () => scaleRows(weight(), scale)));
    inputs.push(onnx.floats(`${norm.prefix}.shift`, [outChannels], () => shift));
  } else {
    inputs.push(onnx.floats(node.weight, shape, weight));
    const { bias } = node;
    if (bias) inputs.push(onnx.floats(bias, [outChannels], () => weights.get(bias)!));
  }
  onnx.node('Conv', inputs, norm?.id ?? node.id, {
    kernel_shape: [kernelSize, kernelSize],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  });
}

/** `x * scale + shift` of a norm of fixed statistics. */
function scaleAndShift({ prefix, epsilon }: FrozenNormNode, weights: Weights) {
  const of = (name: string) => weights.get(`${prefix}.${name}`)!;
  const variance = of('running_var');
  const scale = of('weight').map((weight, channel) => weight / Math.sqrt(variance[channel]! + epsilon));
  const mean = of('running_mean');
  const shift = of('bias').map((bias, channel) => bias - mean[channel]! * scale[channel]!);
  return { scale, shift };
}

/** Convolution weights OIHW, each output channel times its scale. */
function scaleRows(weight: Float32Array, scale: Float32Array): Float32Array {
  const row = weight.length / scale.length;
  const scaled = new Float32Array(weight.length);
  for (let channel = 0, at = 0; channel < scale.length; channel++) {
    for (const end = at + row; at < end; at++) scaled[at] = weight[at]! * scale[channel]!;
  }
  return scaled;
}

/** Opset 17 has no group norm of its own: the groups become the channels of an instance norm. */
function addGroupNorm(
  { onnx, weights }: Layers,
  node: GroupNormNode,
  input: string,
  { height, width }: FeatureSize,
): void {
  const { id, prefix, channels, groups } = node;
  const grouped = onnx.ints(`${groups} groups`, [1, groups, -1]);
  const whole = onnx.ints(`${channels}x${height}x${width}`, [1, channels, height, width]);
  const ones = onnx.floats(`${groups} ones`, [groups], () => new Float32Array(groups).fill(1));
  const zeros = onnx.floats(`${groups} zeros`, [groups], () => new Float32Array(groups));
  const perChannel = (name: string) => onnx.floats(name, [channels, 1, 1], () => weights.get(name)!);
  const rows = onnx.node('Reshape', [input, grouped], `${id}.groups`);
  const normal = { epsilon: { float: node.epsilon } };
  const normed = onnx.node('InstanceNormalization', [rows, ones, zeros], `${id}.normed`, normal);
  const back = onnx.node('Reshape', [normed, whole], `${id}.channels`);
  const scaled = onnx.node('Mul', [back, perChannel(`${prefix}.weight`)], `${id}.scaled`);
  onnx.node('Add', [scaled, perChannel(`${prefix}.bias`)], id);
}
