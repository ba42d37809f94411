/** The network on this worker's device. tfjs is loaded where it computes, and nowhere else. */
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { adapterKey } from '../../shared/reference/adapter.ts';
import type { DeviceWatch } from '../../shared/reference/deviceWatch.ts';
import { usesEngine } from '../../shared/training/computing.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { CheckpointMeta, Executor } from '../../shared/training/ports.ts';
import type { Calls } from './calls.ts';
import type { ObtainedDevice } from './device.ts';

/** A checkpoint says which network it belongs to. */
export function networkOf({ network }: Pick<CheckpointMeta, 'network'>): RetinaNetOptions {
  return network as unknown as RetinaNetOptions;
}

export interface ExecutorTools {
  readonly calls: Calls;
  readonly device: ObtainedDevice;
}

export async function createExecutor(
  network: RetinaNetOptions,
  config: TrainConfig,
  { calls, device: { report, gpu } }: ExecutorTools,
): Promise<Executor> {
  const { boxLoss, prior, seed, precision } = config;
  const { adapter, software } = report;
  const common = { network, boxLoss, prior, seed, adapter, software };
  if (!usesEngine(config, gpu ? null : withoutWebGpu(report.note)) || !gpu) {
    const watch = gpu && (await tfjsOn(gpu));
    const { createReferenceExecutor } = await import('../../shared/reference/executor.ts');
    return createReferenceExecutor({ ...common, watch });
  }
  const { createEngineExecutor } = await import('../../shared/engine/executor.ts');
  const options = {
    ...common,
    ...{ precision, device: gpu.device, adapterKey: `${adapterKey(gpu.info)} / ${navigator.userAgent}` },
    tunerCache: tunerCache(calls),
    clock: () => performance.now(),
  };
  return createEngineExecutor(options);
}

function withoutWebGpu(note: string | null): Problem {
  return new Problem(
    'no-gpu',
    'No GPU is offered through WebGPU here.',
    note ?? 'Use the desktop app, or a current Chrome or Edge.',
  );
}

/** One backend for all executors of this worker: a second one would take the tensors of the first with it. */
let registered: Promise<DeviceWatch> | null = null;

function tfjsOn({ device, info }: NonNullable<ObtainedDevice['gpu']>): Promise<DeviceWatch> {
  registered ??= import('../../shared/reference/backend.ts').then(({ registerWebGPU }) =>
    registerWebGPU(device, info),
  );
  return registered;
}

/** The host keeps it for every shell; where it cannot, it is found out anew. */
function tunerCache(calls: Calls) {
  return {
    read: async (key: string) => {
      const answer = await calls.call('tunings.read', { key }).catch(() => null);
      return answer?.text ?? null;
    },
    write: async (key: string, text: string) => {
      await calls.call('tunings.write', { key, text }).catch(() => {});
    },
  };
}
