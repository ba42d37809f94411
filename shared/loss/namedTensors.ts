/** Tensors as they come from files, held to what a network has. */
import type { ParameterSpec } from '../detector/graph.ts';
import { elementCount } from '../detector/network.ts';
import { Problem } from '../domain/problem.ts';
import type { NamedTensor } from './executor.ts';

/**
 * The values of every parameter asked for, in the order of the specs.
 * @throws Problem `bad-input` naming the first tensor that is missing or has another shape
 */
export function valuesOf(
  specs: readonly ParameterSpec[],
  tensors: readonly NamedTensor[],
): { readonly spec: ParameterSpec; readonly data: Float32Array }[] {
  const byName = new Map(tensors.map((each) => [each.name, each]));
  return specs.map((spec) => ({ spec, data: matching(spec, byName.get(spec.name)) }));
}

function matching(spec: ParameterSpec, given: NamedTensor | undefined): Float32Array {
  const wanted = `[${spec.shape.join(', ')}]`;
  if (!given) {
    throw new Problem(
      'bad-input',
      `The weights have no tensor named ${spec.name} ${wanted}.`,
      'Use weights of the same backbone and network options.',
    );
  }
  const fits =
    given.shape.length === spec.shape.length && given.shape.every((side, i) => side === spec.shape[i]);
  if (!fits || given.data.length !== elementCount(spec.shape)) {
    throw new Problem(
      'bad-input',
      `The weights' tensor ${spec.name} has shape [${given.shape.join(', ')}] where the network has ${wanted}.`,
      'Use weights of the same backbone, network options and number of classes.',
    );
  }
  return given.data;
}
