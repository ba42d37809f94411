/** 200 random networks: what the compiled operations compute is what tfjs's autodiff computes. */
import '@tensorflow/tfjs';
import { setBackend } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectAsTfjs } from '../../../test/support/graphs/expectations.ts';
import { compileGraph, memoryBefore } from '../../../test/support/graphs/graphMemory.ts';
import { randomGraph } from '../../../test/support/graphs/randomGraphs.ts';
import { unsoundIn } from '../../../test/support/graphs/soundness.ts';
import { registerCpuConvolutions } from '../../reference/kernels/register.ts';
import { interpretOps } from '../kernels/interpret.ts';

beforeAll(async () => {
  await setBackend('cpu');
  registerCpuConvolutions();
});

describe('a compiled network', () => {
  it('has the outputs and the gradients that tfjs finds', () => {
    const agrees = fc.property(randomGraph, (graph) => {
      const compiled = compileGraph(graph);
      const { forward, backward, input, outputGradients } = compiled.network;
      const ops = [...forward, ...backward];
      expect(unsoundIn(ops, [input, ...outputGradients]), graph.name).toEqual([]);
      const memory = memoryBefore(compiled);
      interpretOps(ops, memory);
      expectAsTfjs(compiled, memory);
    });
    fc.assert(agrees, { seed: 5, numRuns: 200 });
  });
});
