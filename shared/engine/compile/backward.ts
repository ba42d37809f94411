/** A unit of layers backward: the gradients of its parameters, and what it contributes to those of what it reads. */
import type { FrozenNormNode } from '../../detector/graph.ts';
import type { BufferRef } from '../plan/call.ts';
import type { LearntNorm, Op } from '../plan/ops.ts';
import type { TensorView } from '../plan/tensor.ts';
import { convShape, type Lookup, operandIds, outputIds, statisticsId } from './forward.ts';
import type { Gradients } from './gradients.ts';
import type { AffineLayer, ConvLayer, GroupNormLayer } from './layers.ts';
import type { Unit } from './units.ts';

export interface BackwardLookup extends Lookup {
  /** Null where a parameter does not learn. */
  readonly gradient: (name: string) => BufferRef | null;
  readonly gradients: Gradients;
  /** Takes what is to be computed. */
  readonly ops: Op[];
}

/** The gradient of what the unit writes has all its contributions when this is called. */
export function emitBackward(unit: Unit, lookup: BackwardLookup): void {
  const { gradients, ops, tensors } = lookup;
  const layer = unit.members[0]!;
  const dy = gradients.settle(outputIds(unit));
  const x = operandIds(unit);
  switch (layer.kind) {
    case 'conv':
      convBackward(layer, unit, dy, lookup);
      return;
    case 'affine':
      affineBackward(layer, unit, dy, lookup);
      return;
    case 'groupNorm':
      groupNormBackward(layer, unit, dy, lookup);
      return;
    case 'maxPool': {
      const target = gradients.target(x, dy);
      if (target) ops.push({ op: 'maxPoolGradient', x: tensors.view(x), dy, target });
      return;
    }
    case 'upsample': {
      if (layer.lateral) gradients.pass(operandIds(unit, 1), dy);
      const target = gradients.target(x, dy);
      if (target) ops.push({ op: 'upsampleGradient', dy, target });
      return;
    }
    case 'sum':
      layer.inputs.forEach((_, slot) => {
        gradients.pass(operandIds(unit, slot), dy);
      });
  }
}

/** The filter's gradient comes first: what was read forward is not kept any longer than that. */
function convBackward(
  { node, norm, residual }: ConvLayer,
  unit: Unit,
  dy: TensorView,
  lookup: BackwardLookup,
): void {
  const { gradients, ops, tensors, weight, gradient } = lookup;
  const [x, conv] = [operandIds(unit), convShape(node)];
  const folded = norm && lookup.norms.entries.get(norm.prefix)!.folded;
  const learnt = norm && learntNorm(norm, lookup);
  const weightGradient = gradient(node.weight);
  const biasGradient = node.bias ? gradient(node.bias) : null;
  if (weightGradient || biasGradient || learnt) {
    ops.push({
      op: 'convFilterGradient',
      conv,
      x: tensors.view(x),
      dy,
      weightGradient: weightGradient ?? unwanted(weight(node.weight), node.weight),
      biasGradient,
      norm: folded,
      normGradient: learnt && { ...learnt, convWeight: weight(node.weight) },
    });
  }
  if (residual) gradients.pass(operandIds(unit, 1), dy);
  const target = gradients.target(x, dy);
  if (target)
    ops.push({ op: 'convInputGradient', conv, dy, weight: weight(node.weight), norm: folded, target });
}

function affineBackward({ norm }: AffineLayer, unit: Unit, dy: TensorView, lookup: BackwardLookup): void {
  const { gradients, ops, tensors } = lookup;
  const x = operandIds(unit);
  const learnt = learntNorm(norm, lookup);
  const target = gradients.target(x, dy);
  const { folded } = lookup.norms.entries.get(norm.prefix)!;
  ops.push({ op: 'affineGradient', x: tensors.view(x), dy, norm: folded, learnt, target });
}

function groupNormBackward(layer: GroupNormLayer, unit: Unit, dy: TensorView, lookup: BackwardLookup): void {
  const { gradients, ops, tensors, weight, gradient } = lookup;
  const { prefix, groups } = layer.node;
  const x = operandIds(unit);
  if (layer.residual) gradients.pass(operandIds(unit, 1), dy);
  ops.push({
    op: 'groupNormGradient',
    x: tensors.view(x),
    dy,
    groups,
    weight: weight(`${prefix}.weight`),
    statistics: statisticsId(layer),
    weightGradient: gradient(`${prefix}.weight`),
    biasGradient: gradient(`${prefix}.bias`),
    target: gradients.target(x, dy),
  });
}

/** Null where neither the norm's weight nor its bias is trained. */
function learntNorm(
  { prefix, learns }: FrozenNormNode,
  { norms, weight, gradient }: BackwardLookup,
): LearntNorm | null {
  if (!learns) return null;
  const names = [`${prefix}.weight`, `${prefix}.bias`] as const;
  const [weightGradient, biasGradient] = names.map(gradient);
  if (!weightGradient && !biasGradient) return null;
  return {
    weightGradient: weightGradient ?? unwanted(weight(names[0]), names[0]),
    biasGradient: biasGradient ?? unwanted(weight(names[1]), names[1]),
    fixed: norms.entries.get(prefix)!.fixed,
  };
}

/** Room for a gradient that a kernel cannot but write, beside others that are wanted. */
function unwanted({ words }: BufferRef, name: string): BufferRef {
  return { kind: 'arena', id: `unwanted gradient of ${name}`, offsetWords: 0, words };
}
