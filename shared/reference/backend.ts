/** tfjs on a device of ours: one GPUDevice for everything, and the errors that WebGPU reports late, kept for the next step. */
// For its side effects: every gradient (tfjs-core alone has none in Node), and the webgl and cpu backends to fall back on.
import '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  enableProdMode,
  findBackendFactory,
  registerBackend,
  removeBackend,
  setBackend,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { Problem } from '../domain/problem.ts';
import { isSoftwareAdapter } from './adapter.ts';
import { setSoftwareWorkgroups } from './kernels/program.ts';
import { registerCpuConvolutions, setTiledConvolutions } from './kernels/register.ts';

registerCpuConvolutions();

/** What a device said outside of any call's answer. */
export interface DeviceWatch {
  /** Throws what has gone wrong since the last call, as a Problem; a lost device stays lost. */
  check(): void;
}

/** Data of a tensor. Where it cannot be read, the device's own account of the failure rather than the reader's. */
export async function readTensor<Data extends Float32Array | Int32Array = Float32Array>(
  tensor: Tensor,
  watch: DeviceWatch | undefined,
): Promise<Data> {
  try {
    const data = (await tensor.data()) as Data;
    watch?.check();
    return data;
  } catch (error) {
    await null; // the device's loss is told in a callback of its own, at the same moment
    watch?.check();
    throw error;
  }
}

/**
 * Makes the device tfjs's `webgpu` backend and selects it. The name stays `webgpu`, for tfjs looks its kernels up by it.
 * A backend registered before is disposed of with all its tensors. On a software adapter our own convolutions take the
 * place of tfjs's.
 */
export async function registerWebGPU(device: GPUDevice, adapterInfo: GPUAdapterInfo): Promise<DeviceWatch> {
  enableProdMode(); // no NaN scan of every tensor, no advice on the console
  if (findBackendFactory('webgpu')) removeBackend('webgpu');
  registerBackend('webgpu', () => new WebGPUBackend(device, adapterInfo));
  if (!(await setBackend('webgpu'))) {
    throw new Problem(
      'no-gpu',
      'The GPU refused to start computing.',
      'Update the graphics driver and try again.',
    );
  }
  const software = isSoftwareAdapter(adapterInfo);
  setTiledConvolutions(software);
  setSoftwareWorkgroups(software);
  return watchDevice(device);
}

/** WebGPU answers most calls at once and reports errors afterwards, on the device: a step has to ask for them. */
export function watchDevice(device: GPUDevice): DeviceWatch {
  let failure: Problem | null = null;
  let loss: Problem | null = null;
  device.addEventListener('uncapturederror', (event) => {
    failure ??= fromGpuError((event as GPUUncapturedErrorEvent).error);
  });
  void device.lost.then((info) => {
    loss = new Problem(
      'device-lost',
      'The GPU stopped answering: its driver was reset, or the GPU was taken away.',
      'Start again from the last checkpoint; if it happens again, use a smaller batch or smaller images.',
      info.message,
    );
  });
  return {
    check() {
      const problem = loss ?? failure;
      failure = null;
      if (problem) throw problem;
    },
  };
}

function fromGpuError(error: GPUError): Problem {
  const outOfMemory =
    error.constructor.name === 'GPUOutOfMemoryError' || /out of memory/i.test(error.message);
  if (outOfMemory) {
    return new Problem(
      'out-of-memory',
      'The GPU has not enough memory for this batch.',
      'Use a smaller batch, smaller images or a smaller backbone.',
      error.message,
    );
  }
  return new Problem(
    'internal',
    'The GPU rejected a command.',
    'Nothing saved is lost. Try another adapter, or report it with the detail below.',
    error.message,
  );
}
