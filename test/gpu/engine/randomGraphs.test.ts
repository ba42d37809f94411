/** Random networks on a device: their kernels compute what tfjs's autodiff computes. `ENGINE_GRAPHS=200` for as many as the unit test has. */
import '@tensorflow/tfjs';
import { setBackend } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { obtainDevice } from '../../../electron/terminal/device.ts';
import { lowerOps } from '../../../shared/engine/kernels/lower.ts';
import { registerCpuConvolutions } from '../../../shared/reference/kernels/register.ts';
import { expectAsTfjs } from '../../support/graphs/expectations.ts';
import { compileGraph, memoryBefore } from '../../support/graphs/graphMemory.ts';
import { randomGraph } from '../../support/graphs/randomGraphs.ts';
import { factsOf, runCalls } from './runCalls.ts';

const graphCount = Number(process.env.ENGINE_GRAPHS ?? 24);
const graphs = fc.sample(randomGraph, { seed: 5, numRuns: graphCount });

let device: GPUDevice;

beforeAll(async () => {
  await setBackend('cpu');
  registerCpuConvolutions();
  ({ device } = await obtainDevice({ preferSoftware: true }));
});

describe('random networks on the device', () => {
  it.each(graphs)('$name', async (graph) => {
    const compiled = compileGraph(graph);
    const { forward, backward } = compiled.network;
    const calls = lowerOps([...forward, ...backward], factsOf(device, true));
    expectAsTfjs(compiled, await runCalls(device, calls, memoryBefore(compiled)));
  });
});
