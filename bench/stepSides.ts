/** Who takes the step: stock tfjs, our reference, the engine; each with its own tfjs backend or none, all on one device. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  copyRegisteredKernels,
  enableProdMode,
  registerBackend,
  removeBackend,
  setBackend,
} from '@tensorflow/tfjs-core';
import type { Batch, Executor } from '../shared/loss/executor.ts';
import { adapterKey } from '../shared/reference/adapter.ts';
import { registerWebGPU } from '../shared/reference/backend.ts';
import type { BenchDevice } from './benchDevice.ts';
import { type StepCase, settings, start } from './stepCases.ts';
import { createStockTraining } from './stock/training.ts';

export const sideNames = ['stock', 'reference', 'engine'] as const;
export type SideName = (typeof sideNames)[number];

export interface Side {
  readonly name: SideName;
  /** Takes so many steps as it would in training; the last one's loss. */
  steps(batch: Batch, count: number): Promise<number>;
  /** Where the time of a step goes, by kernel, where the side can tell. */
  kernels(batch: Batch): Promise<readonly KernelTime[]>;
  dispose(): void;
}

/** All dispatches of a kind in one step. */
export interface KernelTime {
  readonly label: string;
  readonly dispatches: number;
  readonly ms: number;
  readonly flops: number;
}

export async function openSide(name: SideName, of: StepCase, on: BenchDevice): Promise<Side> {
  if (name === 'stock') return openStock(of, on);
  return name === 'reference' ? openReference(of, on) : openEngine(of, on);
}

const stockBackend = 'stock';

// tfjs's own kernels under a name of their own, before anything takes their place under the name `webgpu`.
copyRegisteredKernels('webgpu', stockBackend);
enableProdMode();

async function openStock({ network }: StepCase, { device, adapterInfo }: BenchDevice): Promise<Side> {
  registerBackend(stockBackend, () => new WebGPUBackend(device, adapterInfo));
  await setBackend(stockBackend);
  const training = createStockTraining({ network, ...start, settings });
  return {
    name: 'stock',
    async steps(batch, count) {
      await setBackend(stockBackend);
      let loss = Number.NaN;
      for (let step = 0; step < count; step++) loss = await training.step(batch);
      return loss;
    },
    kernels: async () => [],
    dispose() {
      training.dispose();
      removeBackend(stockBackend);
    },
  };
}

async function openReference({ network }: StepCase, on: BenchDevice): Promise<Side> {
  const { createReferenceExecutor } = await import('../shared/reference/executor.ts');
  const watch = await registerWebGPU(on.device, on.adapterInfo);
  const { name: adapter, software } = on;
  const executor = await createReferenceExecutor({
    ...{ network, boxLoss: 'l1', ...start },
    ...{ adapter, software, watch },
  });
  return {
    name: 'reference',
    async steps(batch, count) {
      await setBackend('webgpu');
      return takeSteps(executor, batch, count);
    },
    kernels: async () => [],
    dispose() {
      executor.dispose();
      removeBackend('webgpu');
    },
  };
}

async function openEngine({ network, sidePx, batch: images }: StepCase, on: BenchDevice): Promise<Side> {
  const { createEngineExecutor } = await import('../shared/engine/executor.ts');
  const { device, name: adapter, software } = on;
  const executor = await createEngineExecutor({
    ...{ network, boxLoss: 'l1', ...start },
    ...{ adapter, software, device, precision: 'f32', clock: () => performance.now() },
    // Tunes for this adapter each time; where nothing is computed there is nothing to tune by.
    ...{ adapterKey: adapterKey(on.adapterInfo), ...(!on.isNull && { tunerCache: forgetful }) },
  });
  await executor.prepare({ batch: images, paddedHeight: sidePx, paddedWidth: sidePx }, () => {});
  return {
    name: 'engine',
    steps: (batch, count) => takeSteps(executor, batch, count),
    kernels: async (batch) => byLabel((await executor.profile(batch)) ?? []),
    dispose: () => executor.dispose(),
  };
}

const forgetful = { read: async () => null, write: async () => {} };

function byLabel(calls: readonly Omit<KernelTime, 'dispatches'>[]): KernelTime[] {
  const kinds = new Map<string, KernelTime>();
  for (const { label, ms, flops } of calls) {
    const sum = kinds.get(label) ?? { label, dispatches: 0, ms: 0, flops: 0 };
    kinds.set(label, { label, dispatches: sum.dispatches + 1, ms: sum.ms + ms, flops: sum.flops + flops });
  }
  return [...kinds.values()];
}

/** As many under way as the executor bears. */
async function takeSteps(executor: Executor, batch: Batch, count: number): Promise<number> {
  const under: ReturnType<Executor['step']>[] = [];
  let loss = Number.NaN;
  for (let asked = 0, answered = 0; answered < count; answered++) {
    for (; asked < count && under.length < executor.stepsUnderWay; asked++) {
      under.push(executor.step(batch, settings));
    }
    const report = await under.shift()!;
    loss = report.classification + report.box;
  }
  return loss;
}
