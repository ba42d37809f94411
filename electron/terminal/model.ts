/** Weights on a device, ready to look at images. */
import { defaultTrainConfig } from '../../shared/training/config.ts';
import type { ScaleSettings } from '../../shared/training/imageSource.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { openCompute } from './compute.ts';
import type { Output } from './output.ts';
import { type ComputeOptions, computedAs } from './trainOptions.ts';
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
  options: ComputeOptions,
  output: Output,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const { network, config, classes } = weights;
  // A spoilt or incomplete file is told before a device is looked for.
  const tensors = weights.tensors();
  const compute = await openCompute(output, options.experimental);
  try {
    const executor = await compute.createExecutor(network, computedAs(config ?? defaultTrainConfig, options));
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

/** Pixels that a software GPU looks at within seconds. */
const quickPx = 512 * 512;

/** The sizes asked for, else those the weights were trained at; told where they will take long. */
export function chooseSizes(
  { executor, sizes }: Model,
  given: Partial<ScaleSettings>,
  { network }: LoadedWeights,
  output: Output,
): ScaleSettings {
  const minSizePx = given.minSizePx ?? Math.min(sizes.minSizePx, given.maxSizePx ?? Infinity);
  const maxSizePx = given.maxSizePx ?? Math.max(sizes.maxSizePx, given.minSizePx ?? 0);
  if (executor.software && network.backbone !== 'nano' && minSizePx * maxSizePx > quickPx) {
    output.warn(
      `${executor.adapter} is a CPU playing a GPU: at ${minSizePx} to ${maxSizePx} px every image takes a while.`,
      '--side 400 answers sooner, and misses what is small.',
    );
  }
  return { minSizePx, maxSizePx };
}
