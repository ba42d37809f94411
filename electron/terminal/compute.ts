/** Where the terminal computes: Dawn's best adapter, or plain JavaScript where there is none, which it says. */
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { toProblemData } from '../../shared/domain/problem.ts';
import { registerWebGPU } from '../../shared/reference/backend.ts';
import type { DeviceWatch } from '../../shared/reference/deviceWatch.ts';
import { createReferenceExecutor } from '../../shared/reference/executor.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { Executor } from '../../shared/training/ports.ts';
import { obtainDevice } from './device.ts';
import { guardExecutor } from './guard.ts';
import type { Output } from './output.ts';

export interface Compute {
  createExecutor(network: RetinaNetOptions, config: TrainConfig): Promise<Executor>;
  /** Lets go of the device, so that the process can end. */
  release(): void;
}

interface Place {
  readonly adapter: string;
  readonly software: boolean;
  readonly watch?: DeviceWatch;
  release(): void;
}

export async function openCompute(output: Output): Promise<Compute> {
  const place = await openDevice(output);
  const { adapter, software, watch } = place;
  return {
    createExecutor: async (network, { boxLoss, prior, seed }) => {
      const options = { network, boxLoss, prior, seed, adapter, software, watch };
      const executor = await createReferenceExecutor(options);
      return watch ? guardExecutor(executor, watch) : executor;
    },
    release: () => place.release(),
  };
}

async function openDevice(output: Output): Promise<Place> {
  try {
    const { device, adapterInfo, name, software, release } = await obtainDevice();
    try {
      return { adapter: name, software, watch: await registerWebGPU(device, adapterInfo), release };
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    const { message, remedy } = toProblemData(error);
    output.warn(`${message} Computing on the CPU in plain JavaScript instead, which is very slow.`, remedy);
    return openCpu();
  }
}

async function openCpu(): Promise<Place> {
  const { enableProdMode, setBackend } = await import('@tensorflow/tfjs-core');
  enableProdMode(); // no advice on the console
  await setBackend('cpu');
  return { adapter: 'CPU', software: true, release: () => {} };
}
