/** What is tried only where somebody asks for it by name (`--experimental`). */
import type { MatrixShape } from '../../shared/engine/kernels/wgsl.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { ObtainedDevice } from './device.ts';

/** `matrices`: products of small matrices, which many GPUs have units of their own for, and WebGPU not yet. */
export const experimentNames = ['matrices'] as const;
export type Experiment = (typeof experimentNames)[number];

interface Advice {
  readonly message: string;
  readonly remedy: string;
}

const goesOn = 'It goes on without, and comes out as if nobody had asked for them.';

/** Why nothing comes of asking a device for matrices; null where something does. */
export function withoutMatrices(
  { name, software, matrices }: Pick<ObtainedDevice, 'name' | 'software' | 'matrices'>,
  { engine, precision }: Pick<TrainConfig, 'engine' | 'precision'>,
): Advice | null {
  if (engine === 'reference') {
    return { message: 'The reference (TensorFlow.js) computes no matrices at once.', remedy: goesOn };
  }
  const summed = matrices.filter(({ result }) => result === 'f32');
  if (summed.length === 0) {
    return {
      message: `${name} has no units for products of small matrices, or its driver does not tell of them.`,
      remedy: `${goesOn} \`boxwright doctor\` says what an adapter has.`,
    };
  }
  if (software) {
    return {
      message: `${name} is the processor playing a GPU: matrices gain nothing there.`,
      remedy: goesOn,
    };
  }
  if (precision === 'f32' && summed.every(({ component }) => component === 'f16')) {
    return {
      message: `${name} multiplies matrices of 16-bit numbers, which f32 is not rounded to.`,
      remedy: `--precision mixed uses them. ${goesOn}`,
    };
  }
  return null;
}

/** "16x16x16 of f16": rows, columns, and what is summed over. */
export function describeMatrix({ m, n, k, component, result }: MatrixShape): string {
  return `${m}x${n}x${k} of ${component}${result === component ? '' : ` in ${result}`}`;
}
