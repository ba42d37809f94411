/**
 * The device of a browser: WebGPU on the fastest adapter, else WebGL, else plain JavaScript, each said aloud. tfjs handles no
 * lost device and no GPU error, so the device is ours; where it computes, tfjs is lent it.
 */
import { adapterName, deviceDescriptor, isSoftwareAdapter } from '../../shared/reference/adapter.ts';
import { type DeviceWatch, watchDevice } from '../../shared/reference/deviceWatch.ts';
import type { DeviceReport } from './protocol.ts';

export interface ObtainedDevice {
  readonly report: DeviceReport;
  /** Absent where there is no WebGPU. */
  readonly gpu?: { readonly device: GPUDevice; readonly info: GPUAdapterInfo };
  /** Throws what the GPU reported outside of any call; absent where there is no GPU. */
  readonly watch?: DeviceWatch;
  /** Resolves with the reason once the device is lost; never where there is none to lose. */
  readonly lost: Promise<string>;
  /** Destroys the device as a driver's crash would. */
  lose(): void;
}

/** A lost device shows as a failed computation first; wait so long to hear whether it is one. */
const lossGraceMs = 1500;

/** After a failed computation. Never resolves where the device is lost within the grace: the worker is about to be ended. */
export async function orLost(device: ObtainedDevice): Promise<void> {
  const grace = new Promise<'kept'>((resolve) => setTimeout(() => resolve('kept'), lossGraceMs));
  const fate = await Promise.race([grace, device.lost.then(() => 'lost' as const)]);
  if (fate === 'lost') await new Promise(() => {});
}

/** Where it is not WebGPU's, tfjs's backend is set too. */
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
  const device = await adapter.requestDevice(deviceDescriptor(adapter));
  return {
    report: webGpuReport(adapter),
    gpu: { device, info: adapter.info },
    watch: watchDevice(device),
    lost: device.lost.then(({ message, reason }) => message || reason || 'unknown reason'),
    lose: () => device.destroy(),
  };
}

function webGpuReport(adapter: GPUAdapter): DeviceReport {
  const software = isSoftwareAdapter(adapter.info);
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
