/** tfjs on a device of ours: one GPUDevice for everything. */
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
import { answerOf, type DeviceWatch, watchDevice } from './deviceWatch.ts';
import { setSoftwareWorkgroups } from './kernels/program.ts';
import { registerCpuConvolutions, setTiledConvolutions } from './kernels/register.ts';

registerCpuConvolutions();

/** Data of a tensor. Where it cannot be read, the device's own account of the failure rather than the reader's. */
export async function readTensor<Data extends Float32Array | Int32Array = Float32Array>(
  tensor: Tensor,
  watch: DeviceWatch | undefined,
): Promise<Data> {
  return (await answerOf(tensor.data(), watch)) as Data;
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
