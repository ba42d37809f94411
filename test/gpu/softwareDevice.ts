/**
 * The device of the GPU tests: SwiftShader wherever it can be had, so that the same numbers are checked on every machine. With
 * `BOXWRIGHT_ADAPTER=best` it is this machine's GPU, and the same suites hold its kernels. With `BOXWRIGHT_KERNELS=gpu` kernels are
 * written as for a real GPU even where the CPU plays one: workgroup tiles, sums by groups of threads (docs/decisions/05).
 */
import { type DeviceChoice, type ObtainedDevice, obtainDevice } from '../../electron/terminal/device.ts';
import { deviceFacts } from '../../shared/engine/device/engineDevice.ts';
import type { DeviceFacts } from '../../shared/engine/kernels/wgsl.ts';
import { registerWebGPU } from '../../shared/reference/backend.ts';
import type { DeviceWatch } from '../../shared/reference/deviceWatch.ts';

/** Whether a software adapter is given the kernels that are meant for it. */
export const kernelsAsMeant = process.env.BOXWRIGHT_KERNELS !== 'gpu';

/** A device of its own; tfjs knows nothing of it. */
export async function openTestDevice(choice: DeviceChoice = {}): Promise<ObtainedDevice> {
  const preferSoftware = process.env.BOXWRIGHT_ADAPTER !== 'best';
  const obtained = await obtainDevice({ preferSoftware, ...choice });
  return { ...obtained, software: obtained.software && kernelsAsMeant };
}

let obtained: Promise<{ device: ObtainedDevice; watch: DeviceWatch }> | null = null;

/** One device a test file, registered as tfjs's backend. */
export function testDevice(): Promise<{ device: ObtainedDevice; watch: DeviceWatch }> {
  obtained ??= openTestDevice().then(async (device) => ({
    device,
    watch: await registerWebGPU(device.device, device.adapterInfo),
  }));
  return obtained;
}

/** Of `testDevice`. */
export async function testFacts(): Promise<DeviceFacts> {
  const { device, software } = (await testDevice()).device;
  return deviceFacts(device, software);
}
