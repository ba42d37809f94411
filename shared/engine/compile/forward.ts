/** A unit of layers as one operation forward. */
import type { ConvNode } from '../../detector/graph.ts';
import type { BufferRef } from '../plan/call.ts';
import type { ConvShape, FoldedNorm, FoldNormsOp, Op } from '../plan/ops.ts';
import { type Layer, operandsOf } from './layers.ts';
import type { NormTable } from './norms.ts';
import type { Activations } from './tensors.ts';
import type { Unit } from './units.ts';

/** What both directions look up. */
export interface Lookup {
  readonly tensors: Activations;
  readonly weight: (name: string) => BufferRef;
  readonly norms: NormTable;
}

/** Ids of the members' operands in one place, level by level. */
export function operandIds({ members }: Unit, slot = 0): readonly string[] {
  return members.map((layer) => operandsOf(layer)[slot]!);
}

export function outputIds({ members }: Unit): readonly string[] {
  return members.map(({ id }) => id);
}

export function statisticsId({ id }: Layer): string {
  return `statistics ${id}`;
}

export function convShape(node: ConvNode): ConvShape {
  const { inChannels, outChannels, kernelSize, stride, padding } = node;
  return { inChannels, outChannels, kernelSize, stride, padding };
}

export function forwardOp(unit: Unit, { tensors, weight, norms }: Lookup): Op {
  const layer = unit.members[0]!;
  const folded = (prefix: string): FoldedNorm => norms.entries.get(prefix)!.folded;
  const operand = (slot: number) => tensors.view(operandIds(unit, slot));
  const { relu } = layer;
  const y = tensors.view(outputIds(unit));
  switch (layer.kind) {
    case 'conv':
      return {
        op: 'conv',
        conv: convShape(layer.node),
        x: operand(0),
        weight: weight(layer.node.weight),
        bias: layer.node.bias ? weight(layer.node.bias) : null,
        norm: layer.norm && folded(layer.norm.prefix),
        residual: layer.residual ? operand(1) : null,
        relu,
        y,
      };
    case 'affine':
      return { op: 'affine', x: operand(0), norm: folded(layer.norm.prefix), relu, y };
    case 'groupNorm':
      return {
        op: 'groupNorm',
        x: operand(0),
        groups: layer.node.groups,
        epsilon: layer.node.epsilon,
        weight: weight(`${layer.node.prefix}.weight`),
        bias: weight(`${layer.node.prefix}.bias`),
        residual: layer.residual ? operand(1) : null,
        relu,
        y,
        statistics: statisticsId(layer),
      };
    case 'maxPool':
      return { op: 'maxPool', x: operand(0), y };
    case 'upsample':
      return { op: 'upsample', x: operand(0), lateral: layer.lateral ? operand(1) : null, relu, y };
    case 'sum':
      return { op: 'sum', inputs: layer.inputs.map((_, slot) => operand(slot)), relu, mask: null, y };
  }
}

/** What is to be done before anything reads a learnt norm's scale and shift; null where none is read. */
export function foldNormsOp(units: readonly Unit[], { weight, norms }: Lookup): FoldNormsOp | null {
  const layers = units.map(({ members }) => members[0]!);
  const read = layers.flatMap((layer) =>
    layer.kind === 'conv' || layer.kind === 'affine' ? (layer.norm ?? []) : [],
  );
  const learnt = new Map(read.filter(({ learns }) => learns).map((node) => [node.prefix, node]));
  if (learnt.size === 0) return null;
  return {
    op: 'foldNorms',
    norms: [...learnt.values()].map(({ prefix, channels }) => {
      const { fixed, folded } = norms.entries.get(prefix)!;
      return { channels, weight: weight(`${prefix}.weight`), bias: weight(`${prefix}.bias`), fixed, folded };
    }),
  };
}
