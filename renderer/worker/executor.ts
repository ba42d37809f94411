/** The network on this worker's device. */
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { CheckpointMeta, Executor } from '../../shared/training/ports.ts';
import type { ObtainedDevice } from './device.ts';

/** A checkpoint says which network it belongs to. */
export function networkOf({ network }: Pick<CheckpointMeta, 'network'>): RetinaNetOptions {
  return network as unknown as RetinaNetOptions;
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
