/**
 * dW of a convolution with register tiles: a thread owns one tap and a tile of input by output channels, and walks over the
 * pixels where that tap lies inside the image. No atomics and no workgroup memory, so the sum has one order on every run.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvInfo } from './convolution.ts';
import { runKernel, unroll } from './program.ts';

/** Input channels of a tile, and vec4s of output channels. */
const inputTile = 4;
const outputTile = 2;

export function convolveFilterGradient(
  backend: WebGPUBackend,
  x: TensorInfo,
  dy: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  const { inChannels, outChannels, filterHeight, strideHeight } = info;
  const inputGroups = Math.ceil(inChannels / inputTile);
  const outputGroups = Math.ceil(outChannels / 4 / outputTile);
  const key = ['dw', filterHeight, strideHeight, info.padInfo.top, inChannels, outChannels].join('_');
  return runKernel(
    backend,
    {
      key,
      inputs: ['x', 'dy'],
      inputComponents: [inChannels % 4 === 0 ? 4 : 1, outChannels % 4 === 0 ? 4 : 1],
      outputComponent: outChannels % 4 === 0 ? 4 : 1,
      outputShape: info.filterShape as number[],
      code: filterGradientSource(info, inputGroups, outputGroups),
      threads: filterHeight * filterHeight * inputGroups * outputGroups,
    },
    [x, dy],
  );
}

const lanes = ['x', 'y', 'z', 'w'];

function filterGradientSource(info: ConvInfo, inputGroups: number, outputGroups: number): string {
  const { inChannels, outChannels, filterHeight: kernelSize, strideHeight: stride } = info;
  const padding = info.padInfo.top;
  const wideInput = inChannels % 4 === 0;
  const wideOutput = outChannels % 4 === 0;
  const loadInput = wideInput
    ? `let v = x[source / 4];`
    : `let v = vec4<f32>(${lanes.map((_, lane) => `x[source + ${lane}]`).join(', ')});`;
  const loadOutput = (c: number) =>
    wideOutput
      ? `let g${c} = dy[at / 4 + ${c}];`
      : `let g${c} = vec4<f32>(${lanes.map((_, lane) => `dy[at + ${c * 4 + lane}]`).join(', ')});`;
  return `
fn compute(index : i32) {
  let og = (index % ${outputGroups}) * ${4 * outputTile};
  var rest = index / ${outputGroups};
  let ig = (rest % ${inputGroups}) * ${inputTile};
  rest = rest / ${inputGroups};
  let kx = rest % ${kernelSize};
  let ky = rest / ${kernelSize};
  let height = uniforms.xShape[1];
  let width = uniforms.xShape[2];
  let outHeight = uniforms.dyShape[1];
  let outWidth = uniforms.dyShape[2];
  // Output columns whose source column kx + ox * stride - padding lies in the image.
  let first = (max(0, ${padding} - kx) + ${stride - 1}) / ${stride};
  let last = min(outWidth, (width - 1 + ${padding} - kx) / ${stride} + 1);
  ${unroll(inputTile, (i) => unroll(outputTile, (c) => `var a${i}_${c} = vec4<f32>(0.0);`))}
  for (var image = 0; image < uniforms.xShape[0]; image++) {
    for (var oy = 0; oy < outHeight; oy++) {
      let sy = oy * ${stride} - ${padding} + ky;
      if (sy < 0 || sy >= height) { continue; }
      var source = ((image * height + sy) * width + first * ${stride} - ${padding} + kx) * ${inChannels} + ig;
      var at = ((image * outHeight + oy) * outWidth + first) * ${outChannels} + og;
      for (var ox = first; ox < last; ox++) {
        ${loadInput}
        ${unroll(outputTile, loadOutput)}
        ${unroll(inputTile, (i) => unroll(outputTile, (c) => `a${i}_${c} += v.${lanes[i]} * g${c};`))}
        source += ${stride * inChannels};
        at += ${outChannels};
      }
    }
  }
  let tap = (ky * ${kernelSize} + kx) * ${inChannels};
  ${unroll(inputTile, (i) => {
    const to = `let to${i} = (tap + ig + ${i}) * ${outChannels} + og;`;
    const store = unroll(outputTile, (c) => storeTile(i, c, outChannels));
    return inChannels % inputTile === 0
      ? `${to}\n${store}`
      : `if (ig + ${i} < ${inChannels}) { ${to}\n${store} }`;
  })}
}`;
}

function storeTile(i: number, c: number, outChannels: number): string {
  const whole = outChannels % (4 * outputTile) === 0;
  const guard = (channel: number, store: string) =>
    whole ? store : `if (og + ${channel} < ${outChannels}) { ${store} }`;
  if (outChannels % 4 === 0) return guard(c * 4, `result[to${i} / 4 + ${c}] = a${i}_${c};`);
  return unroll(4, (lane) =>
    guard(c * 4 + lane, `result[to${i} + ${c * 4 + lane}] = a${i}_${c}.${lanes[lane]};`),
  );
}
