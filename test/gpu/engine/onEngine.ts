/** The engine on the device of the tests. */
import { createEngineExecutor, type EngineExecutor } from '../../../shared/engine/executor.ts';
import { testDevice } from '../softwareDevice.ts';
import type { TestedOptions } from '../testedExecutor.ts';

export async function onEngine(options: TestedOptions): Promise<EngineExecutor> {
  const { device } = await testDevice();
  const { name: adapter, software } = device;
  const clock = () => performance.now();
  return createEngineExecutor({
    ...options,
    adapter,
    adapterKey: adapter,
    software,
    device: device.device,
    precision: 'f32',
    clock,
  });
}
