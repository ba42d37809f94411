/**
 * The device of the GPU tests: SwiftShader wherever it can be had, so that the same numbers are checked on every machine. With
 * `BOXWRIGHT_ADAPTER=best` it is this machine's GPU, and the same suites hold its kernels.
 */
import { type ObtainedDevice, obtainDevice } from '../../electron/terminal/device.ts';
import { registerWebGPU } from '../../shared/reference/backend.ts';
import type { DeviceWatch } from '../../shared/reference/deviceWatch.ts';

let obtained: Promise<{ device: ObtainedDevice; watch: DeviceWatch }> | null = null;

/** One device a test file, registered as tfjs's backend. */
export function testDevice(): Promise<{ device: ObtainedDevice; watch: DeviceWatch }> {
  obtained ??= obtainDevice({ preferSoftware: process.env.BOXWRIGHT_ADAPTER !== 'best' }).then(
    async (device) => ({
      device,
      watch: await registerWebGPU(device.device, device.adapterInfo),
    }),
  );
  return obtained;
}
