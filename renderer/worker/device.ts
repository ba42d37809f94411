/**
 * The device of a browser: WebGPU on the fastest adapter, else WebGL, else plain JavaScript, each said aloud. tfjs handles no
 * lost device and no GPU error, so the device is ours and tfjs is lent it.
 */
import type { DeviceWatch } from '../../shared/reference/backend.ts';
import type { DeviceReport } from './protocol.ts';

export interface ObtainedDevice {
  readonly report: DeviceReport;
  /** Throws what the GPU reported outside of any call; absent where there is no GPU. */
  readonly watch?: DeviceWatch;
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

/** Sets tfjs's backend too. */
export async function obtainDevice(): Promise<ObtainedDevice> {
  const adapter = await navigator.gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (adapter) return onWebGpu(adapter);
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

async function onWebGpu(adapter: GPUAdapter): Promise<ObtainedDevice> {
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const optional: GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];
  const device = await adapter.requestDevice({
    requiredLimits,
    requiredFeatures: optional.filter((feature) => adapter.features.has(feature)),
  });
  const { registerWebGPU } = await import('../../shared/reference/backend.ts');
  const watch = await registerWebGPU(device, adapter.info);
  return {
    report: webGpuReport(adapter),
    watch,
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
  if (!(await select('webgl'))) return null;
  return notLosable({
    adapter: 'WebGL',
    backend: 'webgl',
    software: false,
    note: `${reason} Until then WebGL computes: several times slower.`,
    maxBufferSize: 0,
  });
}

async function onCpu(reason: string): Promise<ObtainedDevice> {
  await select('cpu');
  return notLosable({
    adapter: 'This computer’s processor',
    backend: 'cpu',
    software: true,
    note: `${reason} Until then the processor computes: fit for a try, not for training.`,
    maxBufferSize: 0,
  });
}

async function select(backend: 'webgl' | 'cpu'): Promise<boolean> {
  // For its side effects: the backends and every gradient.
  await import('../../shared/reference/backend.ts');
  const tf = await import('@tensorflow/tfjs-core');
  tf.enableProdMode();
  return tf.setBackend(backend).catch(() => false);
}

function notLosable(report: DeviceReport): ObtainedDevice {
  return { report, lost: new Promise(() => {}), lose: () => {} };
}

const vendorNames: Readonly<Record<string, string>> = {
  nvidia: 'NVIDIA',
  amd: 'AMD',
  intel: 'Intel',
  apple: 'Apple',
  arm: 'Arm',
  qualcomm: 'Qualcomm',
  microsoft: 'Microsoft',
};

/** The driver's own words where there are any; browsers mostly give away only vendor and family: "NVIDIA Ampere". */
export function adapterName(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>,
): string {
  const words = /[a-z]/i.test(info.device) && !info.device.startsWith('0x') ? info.device : info.description;
  if (words) return words;
  if (info.architecture === 'swiftshader') return 'SwiftShader';
  const vendor = vendorNames[info.vendor] ?? info.vendor;
  const family = info.architecture.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return [vendor, family].filter(Boolean).join(' ') || 'GPU';
}

/** Also true of llvmpipe and WARP, whatever the driver says of itself. */
export function isSoftware(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>,
): boolean {
  if (info.isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(words);
}
