/** The network on this worker's device. */
import { defaultNetworkOptions, type RetinaNetOptions } from '../../shared/detector/network.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { CheckpointMeta, Executor } from '../../shared/training/ports.ts';
import type { ObtainedDevice } from './device.ts';

/** A checkpoint says which network it belongs to; without one it is the backbone's usual. */
export function networkOf(
  backbone: TrainConfig['backbone'],
  foregroundClassCount: number,
  meta?: Pick<CheckpointMeta, 'network'>,
): RetinaNetOptions {
  if (meta) return meta.network as unknown as RetinaNetOptions;
  return defaultNetworkOptions(backbone, foregroundClassCount);
}

export function createExecutor(
  network: RetinaNetOptions,
  config: TrainConfig,
  { report, watch }: ObtainedDevice,
): Promise<Executor> {
  const { boxLoss, prior, seed } = config;
  const { adapter, software } = report;
  return createReferenceExecutor({ network, boxLoss, prior, seed, adapter, software, watch });
}
