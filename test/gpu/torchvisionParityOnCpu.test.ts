/** The reference detector against torchvision's own numbers, in plain JavaScript. */
import { setBackend } from '@tensorflow/tfjs-core';
import '../../shared/reference/backend.ts';
import { type Device, describeParity, torchvisionModels } from './torchvisionModels.ts';

async function cpu(): Promise<Device> {
  await setBackend('cpu');
  return { adapter: 'CPU', software: true };
}

for (const model of Object.values(torchvisionModels)) describeParity(model, cpu);
