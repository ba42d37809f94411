/** What a step has to compute, whoever computes it: the multiplications and additions of its convolutions. */
import { type ConvNode, type GraphNode, inputId } from '../shared/detector/graph.ts';
import type { NetworkGraph } from '../shared/detector/network.ts';

/**
 * Forward, the input's gradient where something below it learns, the filter's where the filter learns. Everything else of a step (norms,
 * loss, optimizer) is left out: some hundredths.
 */
export function stepFlops(graph: NetworkGraph, sidePx: number, batch: number): number {
  const trainable = new Set(graph.parameters.filter((spec) => spec.trainable).map((spec) => spec.name));
  const sides = new Map([[inputId, sidePx]]);
  const learning = new Set<string>();
  let flops = 0;
  for (const node of graph.nodes) {
    const reads = inputsOf(node);
    const learnsBelow = reads.some((id) => learning.has(id));
    if (learnsBelow || ownParameters(node).some((name) => trainable.has(name))) learning.add(node.id);
    const side = Math.ceil(sides.get(node.op === 'upsample' ? node.like : node.input)! / strideOf(node));
    sides.set(node.id, side);
    if (node.op !== 'conv') continue;
    const passes = 1 + Number(learnsBelow) + Number(trainable.has(node.weight));
    flops += passes * 2 * batch * side * side * filterSize(node);
  }
  return flops;
}

function inputsOf(node: GraphNode): string[] {
  return node.op === 'add' ? [node.input, node.other] : [node.input];
}

function ownParameters(node: GraphNode): string[] {
  if (node.op === 'conv') return node.bias ? [node.weight, node.bias] : [node.weight];
  return 'prefix' in node ? [`${node.prefix}.weight`, `${node.prefix}.bias`] : [];
}

function strideOf(node: GraphNode): number {
  if (node.op === 'maxPool') return 2;
  return node.op === 'conv' ? node.stride : 1;
}

function filterSize({ kernelSize, inChannels, outChannels }: ConvNode): number {
  return kernelSize * kernelSize * inChannels * outChannels;
}
