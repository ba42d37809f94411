import { type InitOptions, initialParameter } from '../../shared/detector/init.ts';
import type { NetworkGraph } from '../../shared/detector/network.ts';

/** Every parameter and buffer of a network that has seen nothing, by name, in torch's layout. */
export function initialWeights(graph: NetworkGraph, options: InitOptions): Map<string, Float32Array> {
  return new Map(graph.parameters.map((spec) => [spec.name, initialParameter(spec, options)]));
}
