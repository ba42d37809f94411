/**
 * Convolutions for adapters without fast workgroup memory, software ones above all: every thread keeps a tile of results in
 * registers and reads each operand once per tile. NHWC, filters HWIO, odd kernels, equal strides. tfjs's own kernels stay
 * in place on real GPUs.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core';
import { runKernel, unroll } from './program.ts';

export type ConvInfo = backend_util.Conv2DInfo;

/** Pixels along a row that one thread computes, and vec4s of channels. */
const pixelTile = 4;
const channelTile = 2;

/** y = x * w. */
export function convolveForward(
  backend: WebGPUBackend,
  x: TensorInfo,
  filter: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  return gather(backend, x, filter, {
    backward: false,
    kernelSize: info.filterHeight,
    stride: info.strideHeight,
    padding: info.padInfo.top,
    sourceChannels: info.inChannels,
    channels: info.outChannels,
    outputShape: info.outShape,
  });
}

/** dx from dy; the filter has its two last axes swapped (HWOI). */
export function convolveInputGradient(
  backend: WebGPUBackend,
  dy: TensorInfo,
  swappedFilter: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  return gather(backend, dy, swappedFilter, {
    backward: true,
    kernelSize: info.filterHeight,
    stride: info.strideHeight,
    padding: info.padInfo.top,
    sourceChannels: info.outChannels,
    channels: info.inChannels,
    outputShape: info.inShape,
  });
}

interface GatherSpec {
  readonly backward: boolean;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  /** Channels of what is read, and of what is written. */
  readonly sourceChannels: number;
  readonly channels: number;
  readonly outputShape: readonly number[];
}

/**
 * Each output pixel gathers from the source through the taps. Forward, source = output * stride - padding + tap; backward,
 * source = (output + padding - tap) / stride where that is whole. A thread's pixels lie one output stride apart, so that
 * backward they share the taps that count.
 */
function gather(
  backend: WebGPUBackend,
  source: TensorInfo,
  filter: TensorInfo,
  spec: GatherSpec,
): TensorInfo {
  const [batch, height, width] = spec.outputShape as [number, number, number];
  const outputStep = spec.backward ? spec.stride : 1;
  const channelGroups = Math.ceil(spec.channels / 4 / channelTile);
  const groupsPerPhase = Math.ceil(width / outputStep / pixelTile);
  const pixelGroups = groupsPerPhase * outputStep;
  const threads = batch * height * pixelGroups * channelGroups;
  const key = [
    'gather',
    spec.backward,
    spec.kernelSize,
    spec.stride,
    spec.padding,
    spec.sourceChannels,
    spec.channels,
  ].join('_');
  const code = gatherSource(spec, channelGroups);
  return runKernel(
    backend,
    {
      key,
      inputs: ['x', 'w'],
      inputComponents: [spec.sourceChannels % 4 === 0 ? 4 : 1, spec.channels % 4 === 0 ? 4 : 1],
      outputComponent: spec.channels % 4 === 0 ? 4 : 1,
      outputShape: spec.outputShape,
      code,
      threads,
      uniforms: 'pixelGroups : i32, groupsPerPhase : i32,',
    },
    [source, filter],
    [
      { type: 'int32', data: [pixelGroups] },
      { type: 'int32', data: [groupsPerPhase] },
    ],
  );
}

function gatherSource(spec: GatherSpec, channelGroups: number): string {
  const { backward, kernelSize, stride, padding, sourceChannels, channels } = spec;
  const outputStep = backward ? stride : 1;
  const sourceStep = backward ? 1 : stride;
  const step = sourceChannels % 4 === 0 ? 4 : 1;
  const lanes = ['x', 'y', 'z', 'w'];
  const whole = channels % (4 * channelTile) === 0;
  const wide = channels % 4 === 0;
  const tap = (axis: string) =>
    backward ? `(${axis} + ${padding} - k${axis})` : `(${axis} * ${stride} - ${padding} + k${axis})`;
  const wholeTap = (value: string) =>
    backward && stride > 1 ? `if (${value} % ${stride} != 0) { continue; }` : '';
  const divide = (value: string) => (backward && stride > 1 ? `${value} / ${stride}` : value);
  return `
fn compute(index : i32) {
  let channel = (index % ${channelGroups}) * ${4 * channelTile};
  var rest = index / ${channelGroups};
  let group = rest % uniforms.pixelGroups;
  rest = rest / uniforms.pixelGroups;
  let oy = rest % uniforms.outShape[1];
  let image = rest / uniforms.outShape[1];
  let ox = (group % uniforms.groupsPerPhase) * ${pixelTile * outputStep} + group / uniforms.groupsPerPhase;
  let height = uniforms.xShape[1];
  let width = uniforms.xShape[2];
  ${unroll(pixelTile, (p) => unroll(channelTile, (c) => `var a${p}_${c} = vec4<f32>(0.0);`))}
  for (var koy = 0; koy < ${kernelSize}; koy++) {
    let ty = ${tap('oy')};
    if (ty < 0) { continue; }
    ${wholeTap('ty')}
    let sy = ${divide('ty')};
    if (sy >= height) { continue; }
    let row = (image * height + sy) * width;
    for (var kox = 0; kox < ${kernelSize}; kox++) {
      let tx = ${tap('ox')};
      ${wholeTap(`(tx + ${stride * kernelSize})`)}
      let sx = ${backward && stride > 1 ? `(tx + ${stride * kernelSize}) / ${stride} - ${kernelSize}` : 'tx'};
      ${unroll(
        pixelTile,
        (p) => `
      let in${p} = sx + ${p * sourceStep} >= 0 && sx + ${p * sourceStep} < width;
      let m${p} = select(0.0, 1.0, in${p});
      var x${p} = select(0, (row + sx + ${p * sourceStep}) * ${sourceChannels / step}, in${p});`,
      )}
      var at = (koy * ${kernelSize} + kox) * ${sourceChannels * channels} + channel;
      ${wide ? 'at = at / 4;' : ''}
      for (var s = 0; s < ${sourceChannels}; s += ${step}) {
        ${unroll(pixelTile, (p) => {
          const load = step === 4 ? `x[x${p}]` : `x[x${p}]`;
          return `let v${p} = ${load} * m${p}; x${p} += 1;`;
        })}
        ${unroll(step, (lane) =>
          unroll(channelTile, (c) => {
            const from = lane * channels + c * 4;
            const load = wide
              ? `let w${lane}_${c} = w[at + ${from / 4}];`
              : `let w${lane}_${c} = vec4<f32>(w[at + ${from}], w[at + ${from + 1}], w[at + ${from + 2}], w[at + ${from + 3}]);`;
            const sums = unroll(
              pixelTile,
              (p) => `a${p}_${c} += ${step === 4 ? `v${p}.${lanes[lane]}` : `v${p}`} * w${lane}_${c};`,
            );
            return `${load}\n${sums}`;
          }),
        )}
        at += ${wide ? (step * channels) / 4 : step * channels};
      }
    }
  }
  ${unroll(
    pixelTile,
    (p) => `
  if (ox + ${p * outputStep} < uniforms.outShape[2]) {
    let to = ((image * uniforms.outShape[1] + oy) * uniforms.outShape[2] + ox + ${p * outputStep}) * ${channels} + channel;
    ${unroll(channelTile, (c) =>
      wide
        ? whole
          ? `result[to / 4 + ${c}] = a${p}_${c};`
          : `if (channel + ${c * 4} < ${channels}) { result[to / 4 + ${c}] = a${p}_${c}; }`
        : unroll(4, (lane) => {
            const store = `result[to + ${c * 4 + lane}] = a${p}_${c}.${lanes[lane]};`;
            return whole ? store : `if (channel + ${c * 4 + lane} < ${channels}) { ${store} }`;
          }),
    )}
  }`,
  )}
}`;
}
