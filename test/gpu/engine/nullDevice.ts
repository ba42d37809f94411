/** Dawn's null backend: takes every command and does nothing, and so counts on every machine alike. 512 MB are all it has. */
import { create, globals } from 'webgpu';
import { deviceDescriptor } from '../../../shared/reference/adapter.ts';

/** Instances live as long as the process (electron/terminal/device.ts says why). */
const instances: GPU[] = [];

/** `matrices`: with the experiment, of which it claims to know no shape in particular: it compiles any. */
export async function nullDevice({ matrices = false } = {}): Promise<GPUDevice> {
  Object.assign(globalThis, globals);
  const gpu = create(['backend=null', ...(matrices ? ['enable-dawn-features=allow_unsafe_apis'] : [])]);
  instances.push(gpu);
  const adapter = (await gpu.requestAdapter())!;
  return adapter.requestDevice(deviceDescriptor(adapter, { matrices }));
}
