/** What the benchmark computes on: this machine's best adapter, or Dawn's null backend, which computes nothing and so shows what asking costs. */
import { type ObtainedDevice, obtainDevice } from '../electron/terminal/device.ts';
import { nullDevice } from '../test/gpu/engine/nullDevice.ts';

export interface BenchDevice extends Pick<ObtainedDevice, 'device' | 'adapterInfo' | 'name' | 'software'> {
  /** Nothing is computed: what is read back is zero. */
  readonly isNull: boolean;
  /** It was asked for more memory than it has. */
  isFull(): boolean;
  release(): void;
}

export async function openBest(preferSoftware: boolean): Promise<BenchDevice> {
  const dawnFlags = ['disable-dawn-features=timestamp_quantization'];
  const obtained = await obtainDevice({ preferSoftware, dawnFlags });
  return { ...obtained, isNull: false, isFull: watchMemory(obtained.device) };
}

/** Kernels are those of a real GPU. */
export async function openNull(): Promise<BenchDevice> {
  const device = await nullDevice();
  // tfjs asks whether it is there, no more.
  if (!navigator.gpu) Object.defineProperty(navigator, 'gpu', { value: {}, configurable: true });
  return {
    ...{ device, adapterInfo: device.adapterInfo, name: 'null backend' },
    ...{ software: false, isNull: true, isFull: watchMemory(device), release: () => device.destroy() },
  };
}

function watchMemory(device: GPUDevice): () => boolean {
  let full = false;
  device.addEventListener('uncapturederror', (event) => {
    full ||= (event as GPUUncapturedErrorEvent).error instanceof GPUOutOfMemoryError;
    event.preventDefault(); // what follows from it would fill the screen
  });
  return () => full;
}
