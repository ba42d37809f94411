/** Weights on a device, ready to look at images. */
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { ScaleSettings } from '../../shared/training/imageSource.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { openCompute } from './compute.ts';
import type { Output } from './output.ts';
import type { LoadedWeights } from './weights.ts';

export interface Model {
  readonly executor: Executor;
  readonly classes: readonly string[];
  /** The sizes the weights were trained at; torchvision's where nobody says. */
  readonly sizes: ScaleSettings;
}

export const torchvisionSizes: ScaleSettings = { minSizePx: 800, maxSizePx: 1333 };

/** Lends a model to the work, and lets go of the device afterwards. */
export async function withModel<T>(
  weights: LoadedWeights,
  output: Output,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const { network, config, classes } = weights;
  // A spoilt or incomplete file is told before a device is looked for.
  const tensors = weights.tensors();
  const compute = await openCompute(output);
  try {
    const executor = await compute.createExecutor(network, config ?? defaultTrainConfig);
    try {
      executor.importWeights(tensors);
      const { minSizePx, maxSizePx } = config ?? torchvisionSizes;
      return await work({ executor, classes, sizes: { minSizePx, maxSizePx } });
    } finally {
      executor.dispose();
    }
  } finally {
    compute.release();
  }
}
