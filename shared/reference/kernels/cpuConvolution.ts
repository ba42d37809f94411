/**
 * Convolutions in plain JavaScript, along whole rows of channels and summed in float64. tfjs's sum in float32, and its
 * gradients call a function for every number: they take minutes for a step that takes these seconds. NHWC, filters HWIO, square kernels, equal strides.
 */
import type { backend_util } from '@tensorflow/tfjs-core';

type ConvInfo = backend_util.Conv2DInfo;

/** y `[pixel][out]`: over taps and inputs, x times w. */
export function convolveOnCpu(x: Float32Array, filter: Float32Array, info: ConvInfo): Float32Array {
  const { inChannels, outChannels } = info;
  const sums = new Float64Array(info.batchSize * info.outHeight * info.outWidth * outChannels);
  forEachPair(info, (tap, xPixel, yPixel) => {
    const to = yPixel * outChannels;
    for (let input = 0; input < inChannels; input++) {
      const factor = x[xPixel * inChannels + input]!;
      const row = (tap * inChannels + input) * outChannels;
      for (let output = 0; output < outChannels; output++)
        sums[to + output]! += factor * filter[row + output]!;
    }
  });
  return Float32Array.from(sums);
}

/** dw `[tap][in][out]`: over all pixels, x times dy. */
export function filterGradientOnCpu(x: Float32Array, dy: Float32Array, info: ConvInfo): Float32Array {
  const { inChannels, outChannels } = info;
  const sums = Array.from(
    { length: info.filterHeight * info.filterWidth },
    () => new Float64Array(inChannels * outChannels),
  );
  forEachPair(info, (tap, xPixel, dyPixel) => {
    const tapSums = sums[tap]!;
    const from = dyPixel * outChannels;
    for (let input = 0; input < inChannels; input++) {
      const factor = x[xPixel * inChannels + input]!;
      const row = input * outChannels;
      for (let output = 0; output < outChannels; output++) {
        tapSums[row + output]! += factor * dy[from + output]!;
      }
    }
  });
  const gradient = new Float32Array(sums.length * inChannels * outChannels);
  sums.forEach((tapSums, tap) => {
    gradient.set(tapSums, tap * tapSums.length);
  });
  return gradient;
}

/** dx `[pixel][in]`: over taps and outputs, dy times w. */
export function inputGradientOnCpu(dy: Float32Array, filter: Float32Array, info: ConvInfo): Float32Array {
  const { inChannels, outChannels } = info;
  const gradient = new Float64Array(info.batchSize * info.inHeight * info.inWidth * inChannels);
  forEachPair(info, (tap, xPixel, dyPixel) => {
    const from = dyPixel * outChannels;
    for (let input = 0; input < inChannels; input++) {
      const row = (tap * inChannels + input) * outChannels;
      let sum = 0;
      for (let output = 0; output < outChannels; output++) sum += filter[row + output]! * dy[from + output]!;
      gradient[xPixel * inChannels + input]! += sum;
    }
  });
  return Float32Array.from(gradient);
}

/** Every pair of an input and an output pixel that a tap joins; pixels counted through the batch. */
function forEachPair(
  info: ConvInfo,
  visit: (tap: number, inputPixel: number, outputPixel: number) => void,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterWidth } = info;
  for (let tap = 0; tap < info.filterHeight * filterWidth; tap++) {
    const offsetY = Math.floor(tap / filterWidth) - info.padInfo.top;
    const offsetX = (tap % filterWidth) - info.padInfo.left;
    for (let row = 0; row < batchSize * outHeight; row++) {
      const y = (row % outHeight) * info.strideHeight + offsetY;
      if (y < 0 || y >= inHeight) continue;
      const inputRow = (Math.floor(row / outHeight) * inHeight + y) * inWidth;
      for (let column = 0; column < outWidth; column++) {
        const x = column * info.strideWidth + offsetX;
        if (x >= 0 && x < inWidth) visit(tap, inputRow + x, row * outWidth + column);
      }
    }
  }
}
