/** The reference detector against torchvision's own numbers, on WebGPU. */
import { testDevice } from './softwareDevice.ts';
import { type Device, describeParity, torchvisionModels } from './torchvisionModels.ts';

async function webgpu(): Promise<Device> {
  const { device, watch } = await testDevice();
  return { adapter: device.name, software: device.software, watch };
}

for (const model of Object.values(torchvisionModels)) describeParity(model, webgpu);
