/** Which program computes a run, and how that is said to people. */
import { Problem, type ProblemData } from '../domain/problem.ts';
import { requireDivisible } from '../loss/microBatch.ts';
import type { TrainConfig } from './config.ts';

/**
 * True: the engine; false: the reference. `withoutWebGpu`: why there is no WebGPU, null where there is.
 * @throws Problem where the config asks for what is not to be had
 */
export function usesEngine(
  { engine, precision }: Pick<TrainConfig, 'engine' | 'precision'>,
  withoutWebGpu: ProblemData | null,
): boolean {
  if (engine === 'engine' && withoutWebGpu) {
    const { kind, message, remedy, detail } = withoutWebGpu;
    throw new Problem(kind, `${message} The engine needs one.`, remedy, detail);
  }
  if (engine !== 'reference' && !withoutWebGpu) return true;
  if (precision === 'f32') return false;
  throw new Problem(
    'bad-input',
    'Mixed precision is of the engine alone, and here the reference (TensorFlow.js) computes.',
    'Choose f32, or compute with the engine.',
  );
}

/** Throws `bad-input` for settings that go together on no device. */
export function requireComputable(
  config: Pick<TrainConfig, 'batch' | 'microBatch' | 'loss' | 'engine' | 'precision'>,
): void {
  requireDivisible(config, { microBatch: config.microBatch, strategy: config.loss });
  if (config.engine === 'reference') usesEngine(config, null);
}

const backendWords: Readonly<Record<string, string>> = {
  engine: 'the engine',
  'engine-matrices': 'the engine with matrix units (experimental)',
  'tfjs-webgpu': 'the reference (TensorFlow.js) through WebGPU',
  'tfjs-webgl': 'the reference (TensorFlow.js) through WebGL',
  'tfjs-cpu': 'the reference (TensorFlow.js) in plain JavaScript',
};

/** Of a run's start event: "the engine on NVIDIA H200". */
export function describeComputing({ adapter, backend }: { adapter: string; backend: string }): string {
  return `${backendWords[backend] ?? backend} on ${adapter}`;
}

/** Why a run is slow where it is; null where a GPU computes. */
export function slowness({
  adapter,
  backend,
  software,
}: {
  adapter: string;
  backend: string;
  software: boolean;
}): string | null {
  if (backend === 'tfjs-cpu')
    return 'No GPU computes here, only one core of the processor: fit for a try, not for training.';
  if (!software) return null;
  return `${adapter} is the processor playing a GPU: everything works, slowly.`;
}
