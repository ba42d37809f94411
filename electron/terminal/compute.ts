/**
 * Where the terminal computes: the engine on Dawn's best adapter, or tfjs on it, or tfjs in plain JavaScript where there is none, which
 * it says. tfjs is loaded where it computes and nowhere else.
 */
import { createRequire } from 'node:module';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { adapterKey } from '../../shared/reference/adapter.ts';
import { type DeviceWatch, watchDevice } from '../../shared/reference/deviceWatch.ts';
import { usesEngine } from '../../shared/training/computing.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { dataPath } from '../host/dataPath.ts';
import { Tunings } from '../services/tunings.ts';
import { type DeviceChoice, type ObtainedDevice, obtainDevice } from './device.ts';
import { type Experiment, withoutMatrices } from './experiments.ts';
import { guardExecutor } from './guard.ts';
import type { Output } from './output.ts';

/** What of a config decides how it is computed. */
export type ComputeConfig = Pick<TrainConfig, 'boxLoss' | 'prior' | 'seed' | 'engine' | 'precision'>;

export interface Compute {
  readonly adapter: string;
  readonly software: boolean;
  createExecutor(network: RetinaNetOptions, config: ComputeConfig): Promise<Executor>;
  /** Lets go of the device, so that the process can end. */
  release(): void;
}

/** `experimental`: what somebody asked for by name; `obtain`: another way to a device, for tests. */
export async function openCompute(
  output: Output,
  experimental?: Experiment,
  obtain: (choice: DeviceChoice) => Promise<ObtainedDevice> = obtainDevice,
): Promise<Compute> {
  let device: ObtainedDevice;
  const matrices = experimental === 'matrices';
  try {
    device = await obtain({ matrices });
  } catch (error) {
    const problem = toProblemData(error);
    output.warn(
      `${problem.message} Computing on the CPU in plain JavaScript instead, which is very slow.`,
      problem.remedy,
    );
    return cpuCompute(problem);
  }
  return deviceCompute(device, (config) => {
    const why = matrices ? withoutMatrices(device, config) : null;
    if (why) output.warn(why.message, why.remedy);
  });
}

/** `advise`: says once what a config makes of what was asked for. */
function deviceCompute(obtained: ObtainedDevice, advise: (config: ComputeConfig) => void): Compute {
  const { device, adapterInfo, name: adapter, software, matrices } = obtained;
  let isAdvised = false;
  const watch = watchDevice(device);
  let reference: Promise<DeviceWatch> | null = null;
  return {
    ...{ adapter, software },
    createExecutor: async (network, config) => {
      const { boxLoss, prior, seed, precision } = config;
      const common = { network, boxLoss, prior, seed, adapter, software };
      if (!isAdvised) advise(config);
      isAdvised = true;
      if (!usesEngine(config, null)) {
        // One backend for all executors: a second one would take the tensors of the first with it.
        reference ??= registerTfjs(obtained);
        return guardExecutor(await createReference({ ...common, watch: await reference }), watch);
      }
      const options = {
        ...common,
        ...{ device, matrices, precision, adapterKey: `${adapterKey(adapterInfo)} / ${dawnVersion()}` },
        tunerCache: new Tunings(dataPath()),
        clock: () => performance.now(),
      };
      const { createEngineExecutor } = await import('../../shared/engine/executor.ts');
      return guardExecutor(await createEngineExecutor(options), watch);
    },
    release: () => obtained.release(),
  };
}

/** `problem`: why there is no device. */
async function cpuCompute(problem: ProblemData): Promise<Compute> {
  const { enableProdMode, setBackend } = await import('@tensorflow/tfjs-core');
  // For its side effects: the backend and every gradient.
  await import('../../shared/reference/backend.ts');
  enableProdMode(); // no advice on the console
  await setBackend('cpu');
  const adapter = 'CPU';
  return {
    ...{ adapter, software: true },
    createExecutor: async (network, config) => {
      const { boxLoss, prior, seed } = config;
      usesEngine(config, problem);
      return createReference({ network, boxLoss, prior, seed, adapter, software: true });
    },
    release: () => {},
  };
}

async function registerTfjs({ device, adapterInfo }: ObtainedDevice): Promise<DeviceWatch> {
  const { registerWebGPU } = await import('../../shared/reference/backend.ts');
  return registerWebGPU(device, adapterInfo);
}

type ReferenceOptions = Parameters<
  typeof import('../../shared/reference/executor.ts')['createReferenceExecutor']
>[0];

async function createReference(options: ReferenceOptions): Promise<Executor> {
  const { createReferenceExecutor } = await import('../../shared/reference/executor.ts');
  return createReferenceExecutor(options);
}

/** Drivers' compilers come with it: what was fastest under another version need not be under this one. */
function dawnVersion(): string {
  try {
    const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
    return `Dawn ${version}`;
  } catch {
    return 'Dawn';
  }
}
