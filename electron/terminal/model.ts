/** Weights on a device, ready to look at images. */
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { defaultTrainConfig, trainConfigSchema } from '../../shared/training/config.ts';
import type { ScaleSettings } from '../../shared/training/imageSource.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { openCompute } from './compute.ts';
import type { Output } from './output.ts';
import type { LoadedWeights } from './weights.ts';

export interface Model {
  readonly executor: Executor;
  readonly classes: readonly string[];
  /** The sizes the weights were trained at. */
  readonly sizes: ScaleSettings;
}

/** Lends a model to the work, and lets go of the device afterwards. */
export async function withModel<T>(
  weights: LoadedWeights,
  output: Output,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const { meta } = weights;
  if (!meta) {
    throw new Problem(
      'not-found',
      `${weights.name} has no .json beside it that says which network and classes it belongs to.`,
      'Copy the .json of the same name too, or name a run of a project.',
    );
  }
  const compute = await openCompute(output);
  try {
    const config = trainConfigSchema.safeParse(meta.config).data ?? defaultTrainConfig;
    const executor = await compute.createExecutor(meta.network as unknown as RetinaNetOptions, config);
    try {
      executor.importWeights(weights.tensors);
      const { minSizePx, maxSizePx } = config;
      return await work({ executor, classes: meta.classes, sizes: { minSizePx, maxSizePx } });
    } finally {
      executor.dispose();
    }
  } finally {
    compute.release();
  }
}
