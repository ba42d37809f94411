/** A graph's nodes joined to layers, each of which is one operation forward: what follows a convolution is computed with it. */
import {
  type ConvNode,
  type FrozenNormNode,
  type GraphNode,
  type GroupNormNode,
  inputId,
} from '../../detector/graph.ts';
import { Problem } from '../../domain/problem.ts';

interface LayerBase {
  /** The node whose output the layer computes: the last of those that were joined. */
  readonly id: string;
  readonly relu: boolean;
}

export interface ConvLayer extends LayerBase {
  readonly kind: 'conv';
  readonly x: string;
  readonly node: ConvNode;
  readonly norm: FrozenNormNode | null;
  readonly residual: string | null;
}

export interface AffineLayer extends LayerBase {
  readonly kind: 'affine';
  readonly x: string;
  readonly norm: FrozenNormNode;
}

export interface GroupNormLayer extends LayerBase {
  readonly kind: 'groupNorm';
  readonly x: string;
  readonly node: GroupNormNode;
  readonly residual: string | null;
}

export interface MaxPoolLayer extends LayerBase {
  readonly kind: 'maxPool';
  readonly x: string;
}

export interface UpsampleLayer extends LayerBase {
  readonly kind: 'upsample';
  readonly x: string;
  readonly lateral: string | null;
}

export interface SumLayer extends LayerBase {
  readonly kind: 'sum';
  readonly inputs: readonly string[];
}

export type Layer = ConvLayer | AffineLayer | GroupNormLayer | MaxPoolLayer | UpsampleLayer | SumLayer;

/** Ids of the nodes whose outputs a layer reads. */
export function operandsOf(layer: Layer): readonly string[] {
  switch (layer.kind) {
    case 'conv':
    case 'groupNorm':
      return layer.residual ? [layer.x, layer.residual] : [layer.x];
    case 'upsample':
      return layer.lateral ? [layer.x, layer.lateral] : [layer.x];
    case 'sum':
      return layer.inputs;
    default:
      return [layer.x];
  }
}

/** Names of the parameters that a layer computes with; buffers are none. */
export function parametersOf(layer: Layer): readonly string[] {
  switch (layer.kind) {
    case 'conv': {
      const { weight, bias } = layer.node;
      return [weight, ...(bias ? [bias] : []), ...learntNames(layer.norm)];
    }
    case 'affine':
      return learntNames(layer.norm);
    case 'groupNorm':
      return [`${layer.node.prefix}.weight`, `${layer.node.prefix}.bias`];
    default:
      return [];
  }
}

function learntNames(norm: FrozenNormNode | null): string[] {
  return norm?.learns ? [`${norm.prefix}.weight`, `${norm.prefix}.bias`] : [];
}

/**
 * The layers that the outputs need, each after those that it reads. A node is joined to the one before it where nothing else reads
 * that one and it is no output itself.
 * @throws Problem `bad-input` naming an output that the graph does not have
 */
export function joinNodes(nodes: readonly GraphNode[], outputs: readonly string[]): Layer[] {
  const needed = neededNodes(nodes, outputs);
  const isWhole = soleReaders(needed, outputs);
  const layers = new Map<string, Layer>();
  for (const node of needed) {
    // Last in the map: all that the layer reads now stands before it.
    const put = (layer: Layer, instead?: string) => {
      if (instead) layers.delete(instead);
      layers.set(layer.id, layer);
    };
    const before = (id: string) => (isWhole(id) ? layers.get(id) : undefined);
    const joined = joinedTo(node, before);
    if (joined) put(joined.layer, joined.instead);
    else put(aloneLayer(node));
  }
  return [...layers.values()];
}

interface Joined {
  readonly layer: Layer;
  /** Id of the layer that it takes the place of. */
  readonly instead: string;
}

/** The layer before a node with the node joined to it; `before` knows those that only this node reads. */
function joinedTo(node: GraphNode, before: (id: string) => Layer | undefined): Joined | null {
  const { id } = node;
  if (node.op === 'frozenNorm') {
    const layer = before(node.input);
    const isFree =
      layer?.kind === 'conv' && !layer.node.bias && !layer.norm && !layer.residual && !layer.relu;
    return isFree ? { layer: { ...layer, id, norm: node }, instead: layer.id } : null;
  }
  if (node.op === 'relu') {
    const layer = before(node.input);
    const isFree = layer && layer.kind !== 'maxPool' && !layer.relu;
    return isFree ? { layer: { ...layer, id, relu: true }, instead: layer.id } : null;
  }
  if (node.op !== 'add') return null;
  const sides = [
    { layer: before(node.input), other: node.other },
    { layer: before(node.other), other: node.input },
  ];
  for (const { layer, other } of sides) {
    if (layer?.kind === 'upsample' && !layer.lateral && !layer.relu) {
      return { layer: { ...layer, id, lateral: other }, instead: layer.id };
    }
  }
  for (const { layer, other } of sides) {
    // Nothing adds what it reads itself: a kernel binds everything once.
    const adds = layer?.kind === 'conv' || layer?.kind === 'groupNorm';
    if (adds && !layer.residual && !layer.relu && layer.x !== other) {
      return { layer: { ...layer, id, residual: other }, instead: layer.id };
    }
  }
  return null;
}

function aloneLayer(node: GraphNode): Layer {
  const base = { id: node.id, relu: false, x: node.input };
  switch (node.op) {
    case 'conv':
      return { ...base, kind: 'conv', node, norm: null, residual: null };
    case 'frozenNorm':
      return { ...base, kind: 'affine', norm: node };
    case 'groupNorm':
      return { ...base, kind: 'groupNorm', node, residual: null };
    case 'maxPool':
      return { ...base, kind: 'maxPool' };
    case 'upsample':
      return { ...base, kind: 'upsample', lateral: null };
    case 'relu':
      return { kind: 'sum', id: node.id, relu: true, inputs: [node.input] };
    case 'add':
      return { kind: 'sum', id: node.id, relu: false, inputs: [node.input, node.other] };
  }
}

/** What a node computes with; an upsampling takes no more than its size from the node it is like. */
function readBy(node: GraphNode): string[] {
  return node.op === 'add' ? [node.input, node.other] : [node.input];
}

function neededNodes(nodes: readonly GraphNode[], outputs: readonly string[]): GraphNode[] {
  const known = new Set(nodes.map((node) => node.id));
  const missing = outputs.find((id) => !known.has(id));
  if (missing !== undefined) {
    throw new Problem('bad-input', `The network has no layer ${missing}.`, 'Ask for a layer that it has.');
  }
  const needed = new Set(outputs);
  for (const node of nodes.toReversed()) {
    if (needed.has(node.id)) for (const id of readBy(node)) needed.add(id);
  }
  return nodes.filter((node) => needed.has(node.id));
}

/** Whether exactly one node reads an id and nobody outside does. */
function soleReaders(nodes: readonly GraphNode[], outputs: readonly string[]): (id: string) => boolean {
  const readers = new Map<string, number>();
  for (const id of nodes.flatMap(readBy)) readers.set(id, (readers.get(id) ?? 0) + 1);
  const kept = new Set([inputId, ...outputs]);
  return (id) => readers.get(id) === 1 && !kept.has(id);
}
