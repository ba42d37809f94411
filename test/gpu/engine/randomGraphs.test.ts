/**
 * Random networks on a device: their kernels compute what tfjs's autodiff computes. `ENGINE_GRAPHS=200` for as many as the unit test has.
 * With a GPU's kernels (`BOXWRIGHT_KERNELS=gpu`) every convolution takes any of the ways that a tuner might choose for it.
 */
import '@tensorflow/tfjs';
import { setBackend } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import type { FilterVariant } from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import type { ConvVariant } from '../../../shared/engine/kernels/convolution/gatherVariants.ts';
import { type Choices, lowerOps } from '../../../shared/engine/kernels/lower.ts';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import type { DeviceFacts } from '../../../shared/engine/kernels/wgsl.ts';
import { variantsOf } from '../../../shared/engine/tuner/trials.ts';
import { registerCpuConvolutions } from '../../../shared/reference/kernels/register.ts';
import { expectAsTfjs } from '../../support/graphs/expectations.ts';
import { type CompiledGraph, compileGraph, memoryBefore } from '../../support/graphs/graphMemory.ts';
import { randomGraph } from '../../support/graphs/randomGraphs.ts';
import { tensorsOf } from '../../support/graphs/soundness.ts';
import { kernelsAsMeant, openTestDevice } from '../softwareDevice.ts';
import { runCalls } from './runCalls.ts';

const graphCount = Number(process.env.ENGINE_GRAPHS ?? 12);
const graphs = fc.sample(randomGraph, { seed: 5, numRuns: graphCount });

let device: GPUDevice;
let facts: DeviceFacts;

beforeAll(async () => {
  await setBackend('cpu');
  registerCpuConvolutions();
  const obtained = await openTestDevice();
  device = obtained.device;
  facts = deviceFacts(device, obtained.software);
});

/** One way after the other. */
function anyWay(): Choices {
  let count = 0;
  const next = <Way>(ways: readonly Way[]) => ways[count++ % ways.length];
  return {
    conv: (op) => next(variantsOf(op, facts) as ConvVariant[]),
    filter: (op) => next(variantsOf(op, facts) as FilterVariant[]),
  };
}

const ways = kernelsAsMeant ? undefined : anyWay();

async function run(compiled: CompiledGraph): Promise<Memory> {
  const { forward, backward } = compiled.network;
  const ops = [...forward, ...backward];
  const halves = ops.flatMap((op) => {
    const { reads, write } = tensorsOf(op);
    return [...reads, ...(write ? [write] : [])].filter(({ tensor }) => tensor.storage === 'f16');
  });
  const ids = new Set(halves.map(({ tensor }) => tensor.id));
  return runCalls(device, lowerOps(ops, facts, ways), memoryBefore(compiled), ids);
}

describe('random networks on the device', () => {
  it.each(graphs)('$name', async (graph) => {
    const compiled = compileGraph(graph);
    expectAsTfjs(compiled, await run(compiled));
  });

  it('one with activations in halves', async () => {
    const compiled = compileGraph(graphs[3]!, 'f16');
    expectAsTfjs(compiled, await run(compiled), { outputs: 5e-3, gradients: 2e-2 });
  });
});
