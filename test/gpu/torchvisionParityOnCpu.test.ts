/** The reference detector against torchvision's own numbers, in plain JavaScript. */
import { setBackend } from '@tensorflow/tfjs-core';
import '../../shared/reference/backend.ts';
import { type Device, describeParity, torchvisionModels } from './torchvisionModels.ts';

async function cpu(): Promise<Device> {
  await setBackend('cpu');
  return { adapter: 'CPU', software: true };
}

describeParity(torchvisionModels.r18, cpu, { backward: true });
describeParity(torchvisionModels.r50v1, cpu, { backward: false });
describeParity(torchvisionModels.r50v2, cpu, { backward: false });
