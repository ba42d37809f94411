/**
 * Convolutions for adapters without fast workgroup memory, software ones above all: every thread keeps a tile of results in
 * registers and reads each operand once per tile. NHWC, filters HWIO, square kernels, equal strides. Channels are uniforms,
 * so that a network needs few pipelines. tfjs's own kernels stay in place on real GPUs.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core';
import { runKernel, unroll } from './program.ts';

export type ConvInfo = backend_util.Conv2DInfo;

/** Pixels along a row, and channels, that one thread computes. */
const pixelTile = 4;
const channelTile = 8;

/**
 * Source channels summed on their own before they join a pixel's total. One long float32 sum is off by some 1e-6 after
 * ResNet-50, twice torch's error, and a ReLU at zero to rounding then takes the other side more often.
 */
const chunk = 64;

/** y = x * w. */
export function convolveForward(
  gpu: WebGPUBackend,
  x: TensorInfo,
  filter: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  return gather(gpu, x, filter, {
    backward: false,
    kernelSize: info.filterHeight,
    stride: info.strideHeight,
    padding: info.padInfo.top,
    sourceChannels: info.inChannels,
    channels: info.outChannels,
    outputShape: info.outShape,
  });
}

/** dx = dy * w, transposed. */
export function convolveInputGradient(
  gpu: WebGPUBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  info: ConvInfo,
): TensorInfo {
  return gather(gpu, dy, filter, {
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

/** What the source text depends on: one pipeline each. */
interface Variant {
  readonly backward: boolean;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
  /** Source, filter and result are read and written four channels at a time where the counts allow it. */
  readonly wideSource: boolean;
  readonly wideResult: boolean;
}

/**
 * Each output pixel gathers from the source through the taps. Forward, source = output * stride - padding + tap; backward,
 * source = (output + padding - tap) / stride where that is whole. A thread's pixels lie one stride apart backward, so that
 * they share the taps that count.
 */
function gather(gpu: WebGPUBackend, source: TensorInfo, filter: TensorInfo, spec: GatherSpec): TensorInfo {
  const [batch, height, width] = spec.outputShape as [number, number, number];
  const { backward, kernelSize, stride, padding, sourceChannels, channels } = spec;
  const step = backward ? stride : 1;
  const channelGroups = Math.ceil(channels / channelTile);
  const groupsPerPhase = Math.ceil(width / step / pixelTile);
  const wideSource = sourceChannels % 4 === 0;
  const wideResult = channels % 4 === 0;
  const variant: Variant = { backward, kernelSize, stride, padding, wideSource, wideResult };
  return runKernel(
    gpu,
    {
      key: `gather_${Object.values(variant).join('_')}`,
      inputs: ['x', 'w'],
      // The filter's last axis is the result's channel forward, the source's backward.
      inputComponents: [wideSource ? 4 : 1, (backward ? wideSource : wideResult) ? 4 : 1],
      outputComponent: wideResult ? 4 : 1,
      outputShape: spec.outputShape,
      code: gatherSource(variant),
      threads: batch * height * groupsPerPhase * step * channelGroups,
      uniforms: 'sourceChannels : i32, channels : i32, channelGroups : i32, groupsPerPhase : i32,',
    },
    [source, filter],
    [sourceChannels, channels, channelGroups, groupsPerPhase].map((value) => ({
      type: 'int32',
      data: [value],
    })),
  );
}

function gatherSource(variant: Variant): string {
  const { backward, kernelSize, stride, padding, wideSource } = variant;
  const outputStep = backward ? stride : 1;
  const sourceStep = backward ? 1 : stride;
  const strided = backward && stride > 1;
  // A multiple of the stride keeps the column positive, where % and / round as they should.
  const lift = stride * kernelSize;
  return `
fn compute(index : i32) {
  let sourceChannels = uniforms.sourceChannels;
  let channels = uniforms.channels;
  let channel = (index % uniforms.channelGroups) * ${channelTile};
  let pixelGroups = uniforms.groupsPerPhase * ${outputStep};
  var rest = index / uniforms.channelGroups;
  let group = rest % pixelGroups;
  rest = rest / pixelGroups;
  let oy = rest % uniforms.outShape[1];
  let image = rest / uniforms.outShape[1];
  let ox = (group % uniforms.groupsPerPhase) * ${pixelTile * outputStep} + group / uniforms.groupsPerPhase;
  let height = uniforms.xShape[1];
  let width = uniforms.xShape[2];
  ${unroll(pixelTile, (p) => `var t${p}_0 = vec4<f32>(0.0); var t${p}_1 = vec4<f32>(0.0);`)}
  for (var ky = 0; ky < ${kernelSize}; ky++) {
    let ty = ${backward ? `oy + ${padding} - ky` : `oy * ${stride} - ${padding} + ky`};
    if (ty < 0${strided ? ` || ty % ${stride} != 0` : ''}) { continue; }
    let sy = ${strided ? `ty / ${stride}` : 'ty'};
    if (sy >= height) { continue; }
    let row = (image * height + sy) * width;
    for (var kx = 0; kx < ${kernelSize}; kx++) {
      let tx = ${backward ? `ox + ${padding} - kx` : `ox * ${stride} - ${padding} + kx`};
      ${strided ? `if ((tx + ${lift}) % ${stride} != 0) { continue; }` : ''}
      let sx = ${strided ? `(tx + ${lift}) / ${stride} - ${kernelSize}` : 'tx'};
      ${unroll(pixelTile, (p) => {
        const column = `sx + ${p * sourceStep}`;
        return `
      let in${p} = ${column} >= 0 && ${column} < width;
      let m${p} = select(0.0, 1.0, in${p});
      var x${p} = select(0, (row + ${column}) * sourceChannels, in${p})${wideSource ? ' / 4' : ''};`;
      })}
      let tap = (ky * ${kernelSize} + kx) * sourceChannels * channels;
      for (var first = 0; first < sourceChannels; first += ${chunk}) {
        ${unroll(pixelTile, (p) => `var a${p}_0 = vec4<f32>(0.0); var a${p}_1 = vec4<f32>(0.0);`)}
        let end = min(first + ${chunk}, sourceChannels);
        for (var s = first; s < end; s += ${wideSource ? 4 : 1}) {
          ${unroll(pixelTile, (p) => `let v${p} = x[x${p}] * m${p}; x${p} += 1;`)}
          ${backward ? multiplyBackward(variant) : multiplyForward(variant)}
        }
        ${unroll(pixelTile, (p) => `t${p}_0 += a${p}_0; t${p}_1 += a${p}_1;`)}
      }
    }
  }
  ${unroll(pixelTile, (p) => storePixel(p, outputStep, variant.wideResult))}
}`;
}

const lanes = ['x', 'y', 'z', 'w'] as const;

/** Each source channel times a row of 8 filter values. */
function multiplyForward({ wideSource, wideResult }: Variant): string {
  return unroll(wideSource ? 4 : 1, (lane) => {
    const at = `let at${lane} = tap + (s + ${lane}) * channels + channel;`;
    const loads = unroll(2, (c) => {
      const value = wideResult
        ? `w[at${lane} / 4 + ${c}]`
        : `vec4<f32>(${lanes.map((_, i) => `w[at${lane} + ${c * 4 + i}]`).join(', ')})`;
      return `let w${lane}_${c} = ${value};`;
    });
    const sums = unroll(pixelTile, (p) => {
      const factor = wideSource ? `v${p}.${lanes[lane]}` : `v${p}`;
      return `a${p}_0 += ${factor} * w${lane}_0; a${p}_1 += ${factor} * w${lane}_1;`;
    });
    return `${at}\n${loads}\n${sums}`;
  });
}

/** Each of the 8 results is a dot product along the filter's last axis. */
function multiplyBackward({ wideSource }: Variant): string {
  return unroll(channelTile, (c) => {
    const at = `tap + (channel + ${c}) * sourceChannels + s`;
    const load = `let w${c} = w[${wideSource ? `(${at}) / 4` : at}];`;
    const sums = unroll(pixelTile, (p) => {
      const product = wideSource ? `dot(v${p}, w${c})` : `v${p} * w${c}`;
      return `a${p}_${c >> 2}.${lanes[c & 3]} += ${product};`;
    });
    return `${load}\n${sums}`;
  });
}

function storePixel(p: number, outputStep: number, wideResult: boolean): string {
  const column = `ox + ${p * outputStep}`;
  const stores = wideResult
    ? unroll(2, (c) => `if (channel + ${c * 4} < channels) { result[to / 4 + ${c}] = t${p}_${c}; }`)
    : unroll(channelTile, (c) => {
        return `if (channel + ${c} < channels) { result[to + ${c}] = t${p}_${c >> 2}.${lanes[c & 3]}; }`;
      });
  return `
  if (${column} < uniforms.outShape[2]) {
    let to = ((image * uniforms.outShape[1] + oy) * uniforms.outShape[2] + ${column}) * channels + channel;
    ${stores}
  }`;
}
