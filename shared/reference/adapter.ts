/** What an adapter says of itself. Alone in its file, so that asking costs no tfjs. */

/** True where the CPU plays the GPU, whatever the driver says of itself: SwiftShader, llvmpipe, WARP. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  if (info.isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(words);
}
