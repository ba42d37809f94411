/** Weights of a network that has seen nothing: a seed, a parameter's name and an element's index decide each number. */
import { fnv1a32, uniformAt } from '../domain/random.ts';
import type { ParameterSpec } from './graph.ts';
import { elementCount } from './network.ts';

export interface InitOptions {
  readonly seed: number;
  /** pi: the foreground probability that every anchor starts at. */
  readonly prior: number;
}

/** A parameter or buffer, in torch's layout. */
export function initialParameter(spec: ParameterSpec, { seed, prior }: InitOptions): Float32Array {
  const values = new Float32Array(elementCount(spec.shape));
  const stream = fnv1a32(`${seed}/${spec.name}`);
  switch (spec.init.kind) {
    case 'constant':
      return values.fill(spec.init.value);
    case 'prior':
      return values.fill(-Math.log((1 - prior) / prior));
    case 'uniform': {
      const { bound } = spec.init;
      return values.map((_, index) => (uniformAt(stream, index) * 2 - 1) * bound);
    }
    case 'normal': {
      const { std } = spec.init;
      return values.map((_, index) => normalAt(stream, index) * std);
    }
  }
}

/** Box-Muller over two uniforms of the stream. */
function normalAt(stream: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(stream, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniformAt(stream, 2 * index + 1));
}
