/** Holds the memory after a step against tfjs's autodiff. */
import { expect } from 'vitest';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import { type CompiledGraph, imagesOf, outputGradientOf, readGradient, readLevel } from './graphMemory.ts';
import { differentiateWithTfjs } from './tfjsAutodiff.ts';

interface Tolerance {
  readonly outputs: number;
  readonly gradients: number;
}

/** Outputs and parameters' gradients, relative to the largest value of each. */
export function expectAsTfjs(
  compiled: CompiledGraph,
  memory: Memory,
  tolerance: Tolerance = { outputs: 1e-4, gradients: 1e-3 },
): void {
  const { graph, network } = compiled;
  const expected = differentiateWithTfjs(graph, imagesOf(graph), (output, group, count) =>
    outputGradientOf(graph, output, group, count),
  );
  graph.outputs.forEach((ids, group) => {
    ids.forEach((id, level) => {
      const ours = readLevel(memory, network.outputs[group]!, level);
      expectClose(ours, expected.outputs.get(id)!.data, tolerance.outputs, 0, `${graph.name}: ${id}`);
    });
  });
  // What cancels out (a bias before a norm) is rounding: it is measured against the largest gradient.
  const largest = Math.max(0, ...[...expected.gradients.values()].map(largestOf));
  for (const [name, theirs] of expected.gradients) {
    const ours = readGradient(memory, compiled, name);
    expectClose(ours, theirs, tolerance.gradients, largest * 1e-3, `${graph.name}: gradient of ${name}`);
  }
}

function expectClose(
  ours: Float32Array,
  theirs: Float32Array,
  tolerance: number,
  least: number,
  what: string,
): void {
  expect(ours.length, what).toBe(theirs.length);
  let worst = 0;
  ours.forEach((value, index) => {
    const distance = Math.abs(value - theirs[index]!);
    worst = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(worst, distance);
  });
  const scale = Math.max(largestOf(theirs), least, Number.MIN_VALUE);
  expect(worst / scale, what).toBeLessThan(tolerance);
}

function largestOf(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
