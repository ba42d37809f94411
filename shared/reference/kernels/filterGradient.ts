/**
 * dW of a convolution with register tiles: a thread owns one tap and a tile of input by output channels, and walks over the
 * pixels where that tap lies inside the image. No atomics and no workgroup memory, so the sum has one order on every run.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvInfo } from './convolution.ts';
import { runKernel, unroll } from './program.ts';

/** Output channels of a tile; input channels are 8, or 4 where there are no more (an image). */
const outputTile = 8;

export function convolveFilterGradient(
  gpu: WebGPUBackend,
  x: TensorInfo,
  dy: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  const { inChannels, outChannels, filterHeight, strideHeight } = info;
  const inputTile = inChannels > 4 ? 8 : 4;
  const inputGroups = Math.ceil(inChannels / inputTile);
  const outputGroups = Math.ceil(outChannels / outputTile);
  const variant: Variant = {
    inputTile,
    kernelSize: filterHeight,
    stride: strideHeight,
    padding: info.padInfo.top,
    wideInput: inChannels % 4 === 0,
    wideOutput: outChannels % 4 === 0,
  };
  return runKernel(
    gpu,
    {
      key: `filterGradient_${Object.values(variant).join('_')}`,
      inputs: ['x', 'dy'],
      inputComponents: [variant.wideInput ? 4 : 1, variant.wideOutput ? 4 : 1],
      outputComponent: variant.wideOutput ? 4 : 1,
      outputShape: info.filterShape as number[],
      code: filterGradientSource(variant),
      threads: filterHeight * filterHeight * inputGroups * outputGroups,
      uniforms: 'inChannels : i32, outChannels : i32, inputGroups : i32, outputGroups : i32,',
    },
    [x, dy],
    [inChannels, outChannels, inputGroups, outputGroups].map((value) => ({ type: 'int32', data: [value] })),
  );
}

/** What the source text depends on: one pipeline each. */
interface Variant {
  readonly inputTile: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  readonly wideInput: boolean;
  readonly wideOutput: boolean;
}

const lanes = ['x', 'y', 'z', 'w'] as const;

function filterGradientSource(variant: Variant): string {
  const { inputTile, kernelSize, stride, padding, wideInput, wideOutput } = variant;
  return `
fn compute(index : i32) {
  let inChannels = uniforms.inChannels;
  let outChannels = uniforms.outChannels;
  let outChannel = (index % uniforms.outputGroups) * ${outputTile};
  var rest = index / uniforms.outputGroups;
  let inChannel = (rest % uniforms.inputGroups) * ${inputTile};
  rest = rest / uniforms.inputGroups;
  let kx = rest % ${kernelSize};
  let ky = rest / ${kernelSize};
  let height = uniforms.xShape[1];
  let width = uniforms.xShape[2];
  let outHeight = uniforms.dyShape[1];
  let outWidth = uniforms.dyShape[2];
  // Output columns whose source column, kx + ox * stride - padding, lies in the image.
  let first = (max(0, ${padding} - kx) + ${stride - 1}) / ${stride};
  let last = min(outWidth, (width - 1 + ${padding} - kx + ${stride}) / ${stride});
  ${unroll(inputTile, (i) => `var a${i}_0 = vec4<f32>(0.0); var a${i}_1 = vec4<f32>(0.0);`)}
  for (var image = 0; image < uniforms.xShape[0]; image++) {
    for (var oy = 0; oy < outHeight; oy++) {
      let sy = oy * ${stride} - ${padding} + ky;
      if (sy < 0 || sy >= height) { continue; }
      var at = ((image * height + sy) * width + first * ${stride} - ${padding} + kx) * inChannels + inChannel;
      var to = ((image * outHeight + oy) * outWidth + first) * outChannels + outChannel;
      for (var ox = first; ox < last; ox++) {
        let v0 = ${wideInput ? 'x[at / 4]' : four('x', 'at', 0)};
        ${inputTile === 8 ? `let v1 = ${wideInput ? 'x[at / 4 + 1]' : four('x', 'at', 4)};` : ''}
        let g0 = ${wideOutput ? 'dy[to / 4]' : four('dy', 'to', 0)};
        let g1 = ${wideOutput ? 'dy[to / 4 + 1]' : four('dy', 'to', 4)};
        ${unroll(inputTile, (i) => `a${i}_0 += v${i >> 2}.${lanes[i & 3]} * g0; a${i}_1 += v${i >> 2}.${lanes[i & 3]} * g1;`)}
        at += ${stride} * inChannels;
        to += outChannels;
      }
    }
  }
  let tap = (ky * ${kernelSize} + kx) * inChannels;
  ${unroll(inputTile, (i) => storeRow(i, wideOutput))}
}`;
}

function four(array: string, at: string, offset: number): string {
  return `vec4<f32>(${lanes.map((_, lane) => `${array}[${at} + ${offset + lane}]`).join(', ')})`;
}

function storeRow(i: number, wideOutput: boolean): string {
  const stores = wideOutput
    ? unroll(2, (c) => `if (outChannel + ${c * 4} < outChannels) { result[row / 4 + ${c}] = a${i}_${c}; }`)
    : unroll(outputTile, (c) => {
        return `if (outChannel + ${c} < outChannels) { result[row + ${c}] = a${i}_${c >> 2}.${lanes[c & 3]}; }`;
      });
  return `
  if (inChannel + ${i} < inChannels) {
    let row = (tap + inChannel + ${i}) * outChannels + outChannel;
    ${stores}
  }`;
}
