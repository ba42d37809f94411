/** What a step asks of a GPU, counted at WebGPU on the null backend, which computes nothing; and from the plan, where that has too little memory. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Counted, meterWebGPU } from '../../../bench/meter.ts';
import { randomBatch, settings, start, stepCase } from '../../../bench/stepCases.ts';
import { planStep } from '../../../bench/stepPlan.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { createEngineExecutor, type EngineExecutor } from '../../../shared/engine/executor.ts';
import type { Batch } from '../../../shared/loss/executor.ts';
import { nullDevice } from './nullDevice.ts';

/** `BOXWRIGHT_STEPS=10000` takes ten thousand. */
const manySteps = Number(process.env.BOXWRIGHT_STEPS ?? 1000);

const meter = meterWebGPU();
let device: GPUDevice;
let executor: EngineExecutor;

afterEach(() => {
  executor?.dispose();
  device.destroy();
});

describe('a step of ResNet-18-FPN at 512 px', () => {
  it('makes at most 180 dispatches and holds at most 0.45 GB', async () => {
    device = await nullDevice();
    const { counted, steps } = await ready('r18@512x1');
    const before = counted.dispatches;
    const startMs = performance.now();
    await steps(20);
    const dispatches = (counted.dispatches - before) / 20;
    const js = (performance.now() - startMs) / 20;
    console.log(`${dispatches} dispatches, ${counted.peakBytes / 1e6} MB, ${js.toFixed(2)} ms of JavaScript`);
    expect(dispatches).toBeGreaterThan(50);
    expect(dispatches).toBeLessThanOrEqual(180);
    expect(counted.peakBytes).toBeGreaterThan(0.2e9);
    expect(counted.peakBytes).toBeLessThanOrEqual(0.45e9);
  });

  it('is planned with at most 1.1 GB for four images', async () => {
    device = await nullDevice();
    const facts = deviceFacts(device, false);
    const { bytes, dispatches } = planStep(stepCase('r18@512x4'), facts);
    console.log(`${dispatches} dispatches, ${bytes / 1e6} MB`);
    expect(dispatches).toBeLessThanOrEqual(180);
    expect(bytes).toBeGreaterThan(planStep(stepCase('r18@512x1'), facts).bytes);
    expect(bytes).toBeLessThanOrEqual(1.1e9);
  });
});

it(`makes no buffer, bind group or pipeline in ${manySteps} steps`, async () => {
  device = await nullDevice();
  const { counted, steps } = await ready('nano@64x1');
  const before = { ...counted };
  await steps(manySteps);
  expect(counted.dispatches).toBeGreaterThan(before.dispatches + 50 * manySteps);
  expect(made(counted)).toEqual(made(before));
}, 600_000);

function made({ buffers, bindGroups, pipelines, bytes }: Counted) {
  return { buffers, bindGroups, pipelines, bytes };
}

/** An executor that has taken its first steps. */
async function ready(name: string) {
  const of = stepCase(name);
  const counted = meter.account(name);
  executor = await createEngineExecutor({
    ...{ network: of.network, boxLoss: 'l1', ...start, precision: 'f32' },
    ...{
      adapter: 'null backend',
      adapterKey: 'null backend',
      software: false,
      device,
      clock: () => performance.now(),
    },
  });
  const batch = randomBatch(of);
  await executor.prepare(batch, () => {});
  const steps = (count: number) => take(batch, count);
  await steps(6);
  return { counted, steps };
}

/** As many under way as in training. */
async function take(batch: Batch, count: number): Promise<void> {
  const under: Promise<unknown>[] = [];
  for (let step = 0; step < count; step++) {
    under.push(executor.step(batch, settings));
    if (under.length >= executor.stepsUnderWay) await under.shift();
  }
  await Promise.all(under);
}
