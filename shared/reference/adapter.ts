/** What an adapter is and can, the same in a browser and in Node. Alone in its file, so that asking costs no tfjs. */

/** True where the CPU plays the GPU, whatever the driver says of itself: SwiftShader, llvmpipe, WARP. */
export function isSoftwareAdapter(info: AdapterWords & Pick<GPUAdapterInfo, 'isFallbackAdapter'>): boolean {
  if (info.isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  // Mesa's are of the family `software`, which is all that a browser tells.
  return (
    info.architecture === 'software' ||
    /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(words)
  );
}

type AdapterWords = Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>;

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
export function adapterName(info: AdapterWords): string {
  const own = `${info.architecture} ${info.device} ${info.description}`;
  if (/swiftshader/i.test(own)) return 'SwiftShader';
  if (/llvmpipe|lavapipe/i.test(own)) return 'llvmpipe';
  const words = [info.device, info.description].find((text) => /[a-z]/i.test(text) && !text.startsWith('0x'));
  if (words) return words;
  const vendor = vendorNames[info.vendor] ?? info.vendor;
  const family = info.architecture.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return [vendor, family].filter(Boolean).join(' ') || 'GPU';
}

/** Names an adapter with what its driver says of itself: what was found out on one holds for no other. */
export function adapterKey({ vendor, architecture, device, description }: AdapterWords): string {
  return [vendor, architecture, device, description].join(' / ');
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

/** Dawn's experiment: products of small matrices by whole subgroups. An adapter has it where unsafe APIs are allowed. */
export const matrixFeature = 'chromium-experimental-subgroup-matrix';

/** What to ask the adapter for, all that it gives: large activations need large buffers, fused kernels many bindings. */
export function deviceDescriptor(adapter: GPUAdapter, { matrices = false } = {}): GPUDeviceDescriptor {
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const optional = ['timestamp-query', 'shader-f16', 'subgroups', ...(matrices ? [matrixFeature] : [])];
  const requiredFeatures = optional.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[];
  return { requiredLimits, requiredFeatures };
}
