/** The GPU of a process without a browser: Dawn, Chromium's WebGPU, as an npm package. */
import { Problem } from '../../shared/domain/problem.ts';
import { matrixShapes } from '../../shared/engine/device/subgroups.ts';
import type { MatrixShape } from '../../shared/engine/kernels/wgsl.ts';
import {
  adapterName,
  deviceDescriptor,
  isSoftwareAdapter,
  matrixFeature,
} from '../../shared/reference/adapter.ts';
import { ensureVulkanLoader, softwareAdapterFiles } from './softwareAdapter.ts';
import { hasVulkanDriver } from './vulkanDrivers.ts';

export interface ObtainedDevice {
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
  /** The adapter's name as a person would know it. */
  readonly name: string;
  /** The CPU plays the GPU: everything works, slowly. */
  readonly software: boolean;
  /** Products of small matrices that it was given; none unless they were asked for. */
  readonly matrices: readonly MatrixShape[];
  /** Destroys the device and frees its memory. */
  release(): void;
}

export interface DeviceChoice {
  /** Take the software adapter even where a GPU is there: the same numbers on every machine. */
  readonly preferSoftware?: boolean;
  /** Dawn's own, for measurements: `disable-dawn-features=timestamp_quantization`. */
  readonly dawnFlags?: readonly string[];
  /** Ask for products of small matrices too, which are an experiment: the device has them where the adapter does. */
  readonly matrices?: boolean;
}

/** Experiments are for those who allow what is not safe; NVIDIA's halves fail some of WebGPU's tests, of which kernels need nothing. */
const experimentalFlags = ['enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia'];

/**
 * A device on the best adapter of this machine: a real GPU, else a software adapter. `globalThis.navigator.gpu` and
 * WebGPU's constants (`GPUBufferUsage`...) are set, as libraries written for browsers expect.
 * @throws Problem `no-gpu` when there is no adapter at all
 */
export async function obtainDevice(choice: DeviceChoice = {}): Promise<ObtainedDevice> {
  const software = softwareAdapterFiles();
  ensureVulkanLoader(software?.loader ?? null);
  if (software && (choice.preferSoftware || !hasVulkanDriver())) setOnlyDriver(software.driverManifest);
  const dawn = await import('webgpu');
  installGlobals(dawn.globals as Record<string, unknown>);

  const { dawnFlags = [], matrices = false } = choice;
  const create = () => keepForever(dawn.create([...dawnFlags, ...(matrices ? experimentalFlags : [])]));
  let gpu = create();
  let adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter && software) {
    setOnlyDriver(software.driverManifest);
    gpu = create();
    adapter = await gpu.requestAdapter();
  }
  if (!adapter) throw noAdapter();

  const device = await adapter.requestDevice(deviceDescriptor(adapter, { matrices }));
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true, writable: true });
  return {
    device,
    adapterInfo: adapter.info,
    name: adapterName(adapter.info),
    software: isSoftwareAdapter(adapter.info),
    matrices: device.features.has(matrixFeature as GPUFeatureName) ? matrixShapes(adapter.info) : [],
    release: () => device.destroy(),
  };
}

/**
 * Dawn's binding answers promises from a scheduled callback that holds the instance by a bare pointer: collected
 * too early, the process aborts in a freed mutex. Instances therefore live as long as the process; they do not keep
 * it alive.
 */
const instances: GPU[] = [];

function keepForever(gpu: GPU): GPU {
  instances.push(gpu);
  return gpu;
}

/** The Vulkan loader reads the environment at each new instance; older ones know only VK_ICD_FILENAMES. */
function setOnlyDriver(manifest: string): void {
  process.env.VK_DRIVER_FILES = manifest;
  process.env.VK_ICD_FILENAMES = manifest;
}

function installGlobals(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) {
    if (!(name in globalThis)) {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }
}

function noAdapter(): Problem {
  return new Problem(
    'no-gpu',
    'No graphics adapter that WebGPU can use was found on this machine.',
    driverRemedy(),
    `platform ${process.platform} ${process.arch}`,
  );
}

/** What to do where no driver of a GPU answers. */
export function driverRemedy(platform: NodeJS.Platform = process.platform): string {
  const remedies: Partial<Record<NodeJS.Platform, string>> = {
    linux:
      'Install the Vulkan loader and a driver: on Debian and Ubuntu `apt install libvulkan1 mesa-vulkan-drivers` ' +
      '(Intel, AMD, or no GPU at all), for NVIDIA its own driver; on Fedora `vulkan-loader mesa-vulkan-drivers`.',
    win32: "Update the graphics driver from the GPU's maker; WebGPU needs DirectX 12.",
    darwin: 'Update macOS; WebGPU needs Metal on macOS 12 or later.',
  };
  return remedies[platform] ?? 'Install a Vulkan driver for the GPU.';
}
