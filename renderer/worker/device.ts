/**
 * The device of a browser: WebGPU on the fastest adapter, else WebGL, else plain JavaScript, each said aloud. tfjs handles no
 * lost device and no GPU error, so the device is ours and tfjs is lent it.
 */
import { Problem } from '../../shared/domain/problem.ts';
import type { DeviceReport } from './protocol.ts';

export interface ObtainedDevice {
  readonly report: DeviceReport;
  /** Resolves with the reason once the device is lost; never where there is none to lose. */
  readonly lost: Promise<string>;
  /** Destroys the device as a driver's crash would. */
  lose(): void;
}

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Sets tfjs's backend. `onError`: a GPU error that no call reports; what was computed since is not to be trusted. */
export async function obtainDevice(onError: (problem: Problem) => void): Promise<ObtainedDevice> {
  const adapter = await navigator.gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (adapter) return onWebGpu(adapter, onError);
  const reason = navigator.gpu
    ? 'No graphics adapter answered through WebGPU. Update the graphics driver, and check that hardware acceleration is on.'
    : 'This browser has no WebGPU. Use the desktop app, or a current Chrome or Edge.';
  return (await onWebGl(reason)) ?? onCpu(reason);
}

/** What the page would compute on, without a device being made. */
export async function probeDevice(): Promise<DeviceReport> {
  const adapter = await navigator.gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (adapter) return webGpuReport(adapter);
  const canvas = typeof OffscreenCanvas === 'undefined' ? null : new OffscreenCanvas(1, 1);
  const backend = canvas?.getContext('webgl2') ? 'webgl' : 'cpu';
  return {
    adapter: backend === 'webgl' ? 'WebGL' : 'This computer’s processor',
    backend,
    software: backend === 'cpu',
    note: 'This browser offers no GPU through WebGPU: training will be slow. Use the desktop app, or a current Chrome or Edge.',
    maxBufferSize: 0,
  };
}

async function onWebGpu(adapter: GPUAdapter, onError: (problem: Problem) => void): Promise<ObtainedDevice> {
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const optional: GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];
  const device = await adapter.requestDevice({
    requiredLimits,
    requiredFeatures: optional.filter((feature) => adapter.features.has(feature)),
  });
  device.addEventListener('uncapturederror', (event) => onError(gpuProblem(event.error)));
  const [tf, { WebGPUBackend }] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-backend-webgpu'),
  ]);
  if (tf.engine().registryFactory.webgpu) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  await tf.setBackend('webgpu');
  return {
    report: webGpuReport(adapter),
    lost: device.lost.then(({ message, reason }) => message || reason || 'unknown reason'),
    lose: () => device.destroy(),
  };
}

function webGpuReport(adapter: GPUAdapter): DeviceReport {
  const software = isSoftware(adapter.info);
  return {
    adapter: adapterName(adapter.info),
    backend: 'webgpu',
    software,
    note: software
      ? 'No GPU was offered, so the processor plays one: everything works, slowly. Update the graphics driver, or turn hardware acceleration on.'
      : null,
    maxBufferSize: adapter.limits.maxBufferSize,
  };
}

async function onWebGl(reason: string): Promise<ObtainedDevice | null> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-webgl');
  const ready = await tf.setBackend('webgl').catch(() => false);
  if (!ready) return null;
  return notLosable({
    adapter: 'WebGL',
    backend: 'webgl',
    software: false,
    note: `${reason} Until then WebGL computes: several times slower.`,
    maxBufferSize: 0,
  });
}

async function onCpu(reason: string): Promise<ObtainedDevice> {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  return notLosable({
    adapter: 'This computer’s processor',
    backend: 'cpu',
    software: true,
    note: `${reason} Until then the processor computes: fit for a try, not for training.`,
    maxBufferSize: 0,
  });
}

function notLosable(report: DeviceReport): ObtainedDevice {
  return { report, lost: new Promise(() => {}), lose: () => {} };
}

/** The driver's own words where there are any: "NVIDIA H200", "SwiftShader Device (Subzero)". */
export function adapterName(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>,
): string {
  const words = /[a-z]/i.test(info.device) && !info.device.startsWith('0x') ? info.device : '';
  return words || info.description || [info.vendor, info.architecture].filter(Boolean).join(' ') || 'GPU';
}

/** Also true of llvmpipe and WARP, whatever the driver says of itself. */
export function isSoftware(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>,
): boolean {
  if (info.isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(words);
}

/** Plain words for an error that the GPU reports outside any call. */
export function gpuProblem(error: GPUError): Problem {
  const isMemory = typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError;
  if (isMemory || /out of memory|allocation/i.test(error.message)) {
    return new Problem(
      'out-of-memory',
      'The GPU has no memory left for this batch and image size.',
      'Take a smaller batch, a shorter image side or a smaller backbone, and close other programs that use the GPU.',
      error.message,
    );
  }
  return new Problem(
    'internal',
    'The GPU refused a computation, so what it computed since cannot be trusted.',
    'Try again; if it happens again, report it with the detail below.',
    error.message,
  );
}
