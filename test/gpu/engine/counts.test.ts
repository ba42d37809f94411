/** What a step of ResNet-18-FPN asks of a GPU: counted at WebGPU on the null backend, which computes nothing; and from the plan, where that has too little memory. */
import { afterAll, expect, it } from 'vitest';
import { type Counted, meterWebGPU } from '../../../bench/meter.ts';
import { randomBatch, type StepCase, settings, start, stepCase } from '../../../bench/stepCases.ts';
import { buildRetinaNet } from '../../../shared/detector/network.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { createEngineExecutor, type EngineExecutor } from '../../../shared/engine/executor.ts';
import { planBytes } from '../../../shared/engine/memory/bytes.ts';
import { layoutParameters } from '../../../shared/engine/plan/parameters.ts';
import { trainingSections } from '../../../shared/engine/sections.ts';
import type { Batch } from '../../../shared/loss/executor.ts';
import { nullDevice } from './nullDevice.ts';

/** Ten thousand in the release's own check: `BOXWRIGHT_STEPS=10000`. */
const manySteps = Number(process.env.BOXWRIGHT_STEPS ?? 1000);

const meter = meterWebGPU();
const open: { executor: EngineExecutor; device: GPUDevice }[] = [];

afterAll(() => {
  for (const { executor, device } of open) {
    executor.dispose();
    device.destroy();
  }
});

it('makes at most 180 dispatches and holds at most 0.45 GB, at 512 px', async () => {
  const { executor, batch, counted } = await ready('r18@512x1');
  const before = { ...counted };
  const startMs = performance.now();
  await take(executor, batch, 20);
  const stepMs = (performance.now() - startMs) / 20;
  const dispatches = (counted.dispatches - before.dispatches) / 20;
  console.log(
    `${dispatches} dispatches, ${stepMs.toFixed(2)} ms of JavaScript, ${counted.peakBytes / 1e6} MB`,
  );
  expect(dispatches).toBeGreaterThan(50);
  expect(dispatches).toBeLessThanOrEqual(180);
  expect(counted.peakBytes).toBeGreaterThan(0.2e9);
  expect(counted.peakBytes).toBeLessThanOrEqual(0.45e9);
});

it('plans at most 1.1 GB for a batch of four', async () => {
  const of = stepCase('r18@512x4');
  const graph = buildRetinaNet(of.network);
  const device = await nullDevice();
  const parameters = layoutParameters(graph.parameters);
  const facts = deviceFacts(device, false);
  const spec = { graph, parameters, boxLoss: 'l1', storage: 'f32', facts } as const;
  const { sections, pinned } = trainingSections(spec, shapeOf(of), 64);
  const { total } = planBytes(
    sections.flatMap(({ calls }) => calls),
    pinned,
  );
  device.destroy();
  console.log(`${total / 1e6} MB`);
  expect(total).toBeGreaterThan(0.5e9);
  expect(total).toBeLessThanOrEqual(1.1e9);
});

it(`makes nothing in ${manySteps} steps but the steps`, async () => {
  const { executor, batch, counted } = await ready('nano@64x1');
  const before = { ...counted };
  await take(executor, batch, manySteps);
  expect(counted.dispatches).toBeGreaterThan(before.dispatches + 50 * manySteps);
  expect(made(counted)).toEqual(made(before));
}, 600_000);

function made({ buffers, bindGroups, pipelines, bytes }: Counted) {
  return { buffers, bindGroups, pipelines, bytes };
}

/** An executor that has taken its first steps. */
async function ready(name: string): Promise<{ executor: EngineExecutor; batch: Batch; counted: Counted }> {
  const of = stepCase(name);
  const counted = meter.account(name);
  const device = await nullDevice();
  const executor = await createEngineExecutor({
    ...{ network: of.network, boxLoss: 'l1', ...start, precision: 'f32' },
    ...{ adapter: 'null backend', software: false, device, clock: () => performance.now() },
  });
  open.push({ executor, device });
  await executor.prepare(shapeOf(of), () => {});
  const batch = randomBatch(of);
  await take(executor, batch, 10);
  return { executor, batch, counted };
}

function shapeOf({ batch, sidePx }: StepCase) {
  return { batch, paddedHeight: sidePx, paddedWidth: sidePx };
}

/** As many under way as in training; every tenth asks for the histogram. */
async function take(executor: EngineExecutor, batch: Batch, count: number): Promise<void> {
  const under: Promise<unknown>[] = [];
  for (let step = 0; step < count; step++) {
    under.push(executor.step(batch, { ...settings, snapshot: step % 10 === 9 }));
    if (under.length >= executor.stepsUnderWay) await under.shift();
  }
  await Promise.all(under);
}
