/**
 * From a network's graph to the operations of a step: nodes joined, levels packed, the backward pass written out, nothing computed
 * that nobody asks for.
 */
import { inputId } from '../../detector/graph.ts';
import type { NetworkGraph } from '../../detector/network.ts';
import type { Op } from '../plan/ops.ts';
import { type ParameterLayout, slotRef } from '../plan/parameters.ts';
import type { TensorSpec, TensorView } from '../plan/tensor.ts';
import { emitBackward } from './backward.ts';
import { foldNormsOp, forwardOp, type Lookup } from './forward.ts';
import { type Activation, Gradients } from './gradients.ts';
import { joinNodes, type Layer, operandsOf } from './layers.ts';
import { layoutNorms, type NormTable } from './norms.ts';
import { inferShapes } from './shapes.ts';
import { Activations } from './tensors.ts';
import { learningLayers, scheduleUnits } from './units.ts';

export interface FrameShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

export interface CompileOptions {
  readonly training: boolean;
  /** Of the activations that the forward pass leaves; input, outputs and gradients are f32 either way. */
  readonly storage: TensorSpec['storage'];
}

export interface CompiledNetwork {
  readonly forward: readonly Op[];
  /** From `outputGradients`, all written by then. ADDS to the arena of gradients. Empty without training. */
  readonly backward: readonly Op[];
  /** The batch of images, `[batch rows][4]`, the fourth channel zero. */
  readonly input: TensorView;
  /** One a group. */
  readonly outputs: readonly TensorView[];
  /** Of the same shapes; empty without training. */
  readonly outputGradients: readonly TensorView[];
  readonly normTable: NormTable;
  /** A node's output; null where it is joined to the next one, or is not needed. */
  readonly viewOf: (nodeId: string) => TensorView | null;
}

/**
 * `outputs`: groups of node ids; those of a group become the levels of one packed tensor.
 * @throws Problem `bad-input` naming the layer that does not fit the frame, or the output that there is not
 */
export function compileNetwork(
  graph: Pick<NetworkGraph, 'nodes' | 'parameters'>,
  frame: FrameShape,
  outputs: readonly (readonly string[])[],
  layout: ParameterLayout,
  { training, storage }: CompileOptions,
): CompiledNetwork {
  const shapes = inferShapes(graph.nodes, frame);
  const layers = joinNodes(graph.nodes, outputs.flat());
  const isTrainable = (name: string) => layout.slots.get(name)!.spec.trainable;
  const learning = training ? learningLayers(layers, isTrainable) : new Set<string>();
  const { units, packs } = scheduleUnits(layers, outputs, shapes, (id) => learning.has(id));
  const exact = new Set([inputId, ...outputs.flat()]);
  const tensors = new Activations(shapes, packs, frame.batch, (id) => (exact.has(id) ? 'f32' : storage));
  const lookup: Lookup = {
    tensors,
    weight: (name) => slotRef(layout, 'weights', name),
    norms: layoutNorms(graph.nodes),
  };
  const fold = foldNormsOp(units, lookup);
  const outputGradients = training
    ? outputs.map((ids, group) => tensors.like(ids, `gradient of output ${group}`))
    : [];
  const backward: Op[] = [];
  const gradients = new Gradients(activationsOf(layers, learning), tensors, backward);
  outputGradients.forEach((gradient, group) => {
    gradients.begin(outputs[group]!, gradient);
  });
  const gradient = (name: string) => (isTrainable(name) ? slotRef(layout, 'gradients', name) : null);
  for (const unit of units.toReversed()) {
    if (learning.has(unit.members[0]!.id))
      emitBackward(unit, { ...lookup, gradient, gradients, ops: backward });
  }
  const computed = new Set([inputId, ...layers.map(({ id }) => id)]);
  return {
    forward: [...(fold ? [fold] : []), ...units.map((unit) => forwardOp(unit, lookup))],
    backward,
    input: tensors.view([inputId]),
    outputs: outputs.map((ids) => tensors.view(ids)),
    outputGradients,
    normTable: lookup.norms,
    viewOf: (id) => (computed.has(id) ? tensors.view([id]) : null),
  };
}

/** Of what needs a gradient: how often it is read, and whether a ReLU made it. */
function activationsOf(layers: readonly Layer[], learning: ReadonlySet<string>): Map<string, Activation> {
  const readers = new Map<string, number>();
  for (const id of layers.flatMap(operandsOf)) readers.set(id, (readers.get(id) ?? 0) + 1);
  return new Map(
    layers
      .filter(({ id }) => learning.has(id))
      .map(({ id, relu }) => [id, { readers: readers.get(id) ?? 0, relu }]),
  );
}
