/** What the benchmark computes on: this machine's best adapter, or Dawn's null backend, which computes nothing and so shows what asking costs. */
import { create, globals } from 'webgpu';
import { type ObtainedDevice, obtainDevice } from '../electron/terminal/device.ts';
import { adapterName, deviceDescriptor } from '../shared/reference/adapter.ts';

// As in a browser, before anything is wrapped or asked for.
for (const [name, value] of Object.entries(globals)) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true });
}

export interface BenchDevice extends Pick<ObtainedDevice, 'device' | 'adapterInfo' | 'name' | 'software'> {
  /** Nothing is computed: what is read back is zero. */
  readonly isNull: boolean;
  /** It was asked for more memory than it has. */
  isFull(): boolean;
  release(): void;
}

export async function realDevice(preferSoftware: boolean): Promise<BenchDevice> {
  const obtained = await obtainDevice({ preferSoftware });
  return { ...obtained, isNull: false, isFull: watchMemory(obtained.device) };
}

/** Kernels are those of a real GPU. */
export async function nullDevice(): Promise<BenchDevice> {
  const gpu = create(['backend=null']);
  instances.push(gpu);
  if (!globalThis.navigator.gpu)
    Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn has no null backend here.');
  const device = await adapter.requestDevice(deviceDescriptor(adapter));
  const { info: adapterInfo } = adapter;
  const name = adapterName(adapterInfo);
  const isFull = watchMemory(device);
  return {
    device,
    adapterInfo,
    name,
    software: false,
    isNull: true,
    isFull,
    release: () => device.destroy(),
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

/** As `obtainDevice`'s: an instance that is collected while promises wait for it ends the process. */
const instances: GPU[] = [];
