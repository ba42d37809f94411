/** Steps on products of small matrices, chosen as if the tuner had found them to be the fastest. */
import { expect, it } from 'vitest';
import { buildRetinaNet } from '../../../shared/detector/network.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { createEngineExecutor, type EngineExecutorOptions } from '../../../shared/engine/executor.ts';
import type { MatrixShape } from '../../../shared/engine/kernels/wgsl.ts';
import { layoutParameters } from '../../../shared/engine/plan/parameters.ts';
import { trainingSections } from '../../../shared/engine/sections.ts';
import { isTuned, shapeKey, variantsOf } from '../../../shared/engine/tuner/trials.ts';
import { hashOf } from '../../../shared/engine/tuner/tuner.ts';
import { distance, network, settings, smallBatch } from '../smallStep.ts';
import { openTestDevice } from '../softwareDevice.ts';
import { nullDevice } from './nullDevice.ts';

const batch = smallBatch();
const halves: MatrixShape = { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 };
type On = Pick<EngineExecutorOptions, 'device' | 'precision'> & { matrices: readonly MatrixShape[] };

/** Told to take matrices wherever there are any. `software`: on a software adapter's kernels instead. */
function executor({ device, precision, matrices }: On, { seed = 3, software = false } = {}) {
  const found = allMatrices({ device, precision, matrices });
  return createEngineExecutor({
    ...{ network, boxLoss: 'l1', prior: 0.01, seed, adapter: 'a GPU', adapterKey: 'a GPU', software },
    ...{ device, precision, matrices, clock: () => performance.now() },
    tunerCache: { read: async () => found, write: async () => expect.unreachable() },
  });
}

function allMatrices({ device, precision, matrices }: On): string {
  const facts = deviceFacts(device, false, matrices);
  const graph = buildRetinaNet(network);
  const storage = precision === 'mixed' ? 'f16' : 'f32';
  const spec = {
    graph,
    parameters: layoutParameters(graph.parameters),
    boxLoss: 'l1',
    storage,
    facts,
  } as const;
  const planned = trainingSections(spec, batch, 16).network;
  const found = [...planned.forward, ...planned.backward].filter(isTuned).map((op) => {
    const variants = variantsOf(op, facts);
    const variant = variants.findLast(({ kind }) => kind === 'matrix') ?? variants[0]!;
    return [shapeKey(op), { variant, of: hashOf(variants) }];
  });
  return JSON.stringify(Object.fromEntries(found));
}

it('are compiled where the device was given them, of halves only for who stores in halves', async () => {
  const device = await nullDevice({ matrices: true });
  const texts: string[] = [];
  const create = device.createShaderModule.bind(device);
  Object.defineProperty(device, 'createShaderModule', {
    value: (descriptor: GPUShaderModuleDescriptor) => {
      texts.push(descriptor.code as string);
      return create(descriptor);
    },
  });
  const onMatrices = async (precision: On['precision'], matrices: readonly MatrixShape[]) => {
    texts.length = 0;
    const one = await executor({ device, precision, matrices });
    await one.gradients(batch, settings);
    one.dispose();
    const kernels = texts.filter((text) => text.includes('subgroup_matrix_left'));
    return { backend: one.backend, halves: kernels.filter((text) => text.includes('enable f16;')).length };
  };
  expect(await onMatrices('f32', [halves])).toEqual({ backend: 'engine', halves: 0 });
  const mixed = await onMatrices('mixed', [halves]);
  expect(mixed.backend).toBe('engine-matrices');
  // Forward and both gradients of most of its layers.
  expect(mixed.halves).toBeGreaterThan(40);
  device.destroy();
});

const { device, name, software, matrices } = await openTestDevice({ matrices: true });
const lacking = matrices.every(({ result }) => result !== 'f32');
const skipped = lacking ? `, skipped: ${name} has no products of small matrices` : '';

it.skipIf(lacking)(`are as accurate as in halves without them, for most seeds${skipped}`, async () => {
  const apart: number[] = [];
  for (const seed of [3, 4, 5]) {
    const on = { device, precision: 'mixed', matrices } as const;
    const exact = await executor({ ...on, precision: 'f32', matrices: [] }, { seed, software });
    const tried = await executor(on, { seed });
    expect(tried.backend).toBe('engine-matrices');
    const [whole, ours] = [await exact.gradients(batch, settings), await tried.gradients(batch, settings)];
    const loss = ours.report.classification + ours.report.box;
    expect(Math.abs(loss / (whole.report.classification + whole.report.box) - 1)).toBeLessThan(2e-4);
    apart.push(distance(ours.gradients, whole.gradients));
    exact.dispose();
    tried.dispose();
  }
  expect(apart.sort((a, b) => a - b)[1]).toBeLessThan(0.03);
});
