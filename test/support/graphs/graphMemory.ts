/** A random network as the engine computes it: its memory before a step, and what to read there after it. */
import { type CompiledNetwork, compileNetwork } from '../../../shared/engine/compile/network.ts';
import { normsId, normWords } from '../../../shared/engine/compile/norms.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import {
  layoutParameters,
  type ParameterLayout,
  slotRef,
  toDeviceLayout,
  toTorchLayout,
} from '../../../shared/engine/plan/parameters.ts';
import { strideOf, type TensorSpec, type TensorView } from '../../../shared/engine/plan/tensor.ts';
import { parameterValues, type RandomGraph, randomValues } from './randomGraphs.ts';

export interface CompiledGraph {
  readonly graph: RandomGraph;
  readonly layout: ParameterLayout;
  readonly network: CompiledNetwork;
}

export function compileGraph(graph: RandomGraph, storage: TensorSpec['storage'] = 'f32'): CompiledGraph {
  const layout = layoutParameters(graph.parameters);
  const network = compileNetwork(graph, graph.frame, graph.outputs, layout, { training: true, storage });
  return { graph, layout, network };
}

export function imagesOf({ name, frame }: RandomGraph): Float32Array {
  return randomValues(`${name}/images`, frame.batch * frame.height * frame.width * 3);
}

export function outputGradientOf(
  { name }: RandomGraph,
  output: string,
  group: number,
  count: number,
): Float32Array {
  return randomValues(`${name}/${group}/${output}`, count);
}

/** With weights, norms, images and the outputs' gradients. */
export function memoryBefore({ graph, layout, network }: CompiledGraph): Memory {
  const memory = new Memory();
  for (const spec of graph.parameters) {
    const values = parameterValues(spec, graph.name);
    if (!spec.buffer) toDeviceLayout(spec.shape, values, memory.words(slotRef(layout, 'weights', spec.name)));
  }
  const byName = new Map(graph.parameters.map((spec) => [spec.name, spec]));
  const norms = normWords(network.normTable, (name) => parameterValues(byName.get(name)!, graph.name));
  memory.words({ kind: 'state', id: normsId, offsetWords: 0, words: norms.length }).set(norms);
  writeLevel(memory, network.input, 0, imagesOf(graph));
  graph.outputs.forEach((ids, group) => {
    const view = network.outputGradients[group]!;
    ids.forEach((id, level) => {
      const count = levelCount(view, level);
      writeLevel(memory, view, level, outputGradientOf(graph, id, group, count));
    });
  });
  return memory;
}

/** An output's level, NHWC without padding. */
export function readLevel(memory: Memory, view: TensorView, level: number): Float32Array {
  const values = new Float32Array(levelCount(view, level));
  const rows = memory.tensor(view);
  forEachValue(view, level, (at, index) => {
    values[index] = rows[at]!;
  });
  return values;
}

/** A parameter's gradient, in torch's layout. */
export function readGradient(memory: Memory, { layout }: CompiledGraph, name: string): Float32Array {
  const { shape } = layout.slots.get(name)!.spec;
  return toTorchLayout(shape, memory.words(slotRef(layout, 'gradients', name)));
}

function writeLevel(memory: Memory, view: TensorView, level: number, values: Float32Array): void {
  const rows = memory.tensor(view);
  forEachValue(view, level, (at, index) => {
    rows[at] = values[index]!;
  });
}

function levelCount({ tensor, levels }: TensorView, level: number): number {
  const { height, width } = levels[level]!;
  return tensor.batch * height * width * tensor.channels;
}

function forEachValue(view: TensorView, level: number, visit: (at: number, index: number) => void): void {
  const { channels } = view.tensor;
  const count = levelCount(view, level);
  for (let index = 0; index < count; index++) {
    const row = view.levels[level]!.firstRow + Math.floor(index / channels);
    visit(row * strideOf(channels) + (index % channels), index);
  }
}
