/**
 * Group norm followed by ReLU, forward and backward, for WebGPU: eight dispatches where tfjs's elementary operations take
 * sixty. Statistics in two passes over chunks of pixels (mean first, then squared distances), joined by Chan's formula:
 * no cancellation, one order of summation.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend,
  customGrad,
  engine,
  type Tensor,
  type Tensor4D,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { runKernel } from './program.ts';

export interface GroupNormSpec {
  readonly groups: number;
  readonly epsilon: number;
  /** Apply ReLU to the result. */
  readonly relu: boolean;
}

interface Shape {
  readonly batch: number;
  readonly pixels: number;
  readonly channels: number;
  readonly groups: number;
  readonly chunks: number;
  readonly epsilon: number;
}

/** Pixels that one thread sums up. */
const chunkPixels = 64;

/** `relu?(normalise(x) * weight + bias)`; x NHWC, weight and bias `[channels]`. */
export function groupNormOnGpu(x: Tensor4D, weight: Tensor, bias: Tensor, spec: GroupNormSpec): Tensor4D {
  const operation = customGrad((...args) => {
    const [input, scale, shift] = args as [Tensor4D, Tensor, Tensor];
    const save = args[3] as unknown as (tensors: Tensor[]) => void;
    const gpu = backend() as WebGPUBackend;
    const shape = shapeOf(input, spec);
    const statistics = computeStatistics(gpu, input, shape);
    const value = apply(gpu, input, statistics, scale, shift, shape, spec);
    save([input, scale, statistics, value]);
    return { value, gradFunc: (dy: Tensor, saved: Tensor[]) => backward(gpu, dy, saved, shape, spec) };
  });
  return operation(x, weight, bias) as Tensor4D;
}

function shapeOf(x: Tensor4D, { groups, epsilon }: GroupNormSpec): Shape {
  const [batch, height, width, channels] = x.shape;
  const pixels = height * width;
  return { batch, pixels, channels, groups, chunks: Math.ceil(pixels / chunkPixels), epsilon };
}

/** The shape as the kernels see it: uniforms, so that all sizes share their pipelines. */
const uniforms =
  'pixels : i32, channels : i32, groups : i32, width : i32, chunks : i32, parts : i32, epsilon : f32,';

/** The same as names, and the pixels of one chunk. */
const names = `
  let pixels = uniforms.pixels;
  let channels = uniforms.channels;
  let groups = uniforms.groups;
  let width = uniforms.width;
  let chunks = uniforms.chunks;
  let chunkPixels = ${chunkPixels};
`;

function uniformData(shape: Shape): { type: string; data: number[] }[] {
  const { batch, pixels, channels, groups, chunks, epsilon } = shape;
  const integers = [pixels, channels, groups, channels / groups, chunks, batch * chunks];
  return [
    ...integers.map((value) => ({ type: 'int32', data: [value] })),
    { type: 'float32', data: [epsilon] },
  ];
}

/** `[batch, groups, 2]`: mean and reciprocal standard deviation. */
function computeStatistics(gpu: WebGPUBackend, x: TensorInfo, shape: Shape): Tensor {
  const { batch, groups, chunks } = shape;
  const partial = runKernel(
    gpu,
    {
      key: `gnPartial`,
      inputs: ['x'],
      outputShape: [batch, groups, chunks, 2],
      threads: batch * groups * chunks,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  let chunk = index % chunks;
  let group = (index / chunks) % groups;
  let image = index / (chunks * groups);
  let first = chunk * chunkPixels;
  let last = min(first + chunkPixels, pixels);
  let base = image * pixels * channels + group * width;
  var total = 0.0;
  for (var pixel = first; pixel < last; pixel++) {
    for (var c = 0; c < width; c++) { total += x[base + pixel * channels + c]; }
  }
  let average = total / f32((last - first) * width);
  var squares = 0.0;
  for (var pixel = first; pixel < last; pixel++) {
    for (var c = 0; c < width; c++) {
      let distance = x[base + pixel * channels + c] - average;
      squares += distance * distance;
    }
  }
  result[index * 2] = average;
  result[index * 2 + 1] = squares;
}`,
    },
    [x],
    uniformData(shape),
  );
  const joined = runKernel(
    gpu,
    {
      key: `gnJoin`,
      inputs: ['partial'],
      outputShape: [batch, groups, 2],
      threads: batch * groups,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  var count = 0.0;
  var average = 0.0;
  var squares = 0.0;
  for (var chunk = 0; chunk < chunks; chunk++) {
    let size = f32((min(chunk * chunkPixels + chunkPixels, pixels) - chunk * chunkPixels) * width);
    let at = (index * chunks + chunk) * 2;
    let delta = partial[at] - average;
    let whole = count + size;
    average += delta * size / whole;
    squares += partial[at + 1] + delta * delta * count * size / whole;
    count = whole;
  }
  result[index * 2] = average;
  result[index * 2 + 1] = inverseSqrt(squares / count + uniforms.epsilon);
}`,
    },
    [partial],
    uniformData(shape),
  );
  gpu.disposeData(partial.dataId);
  return engine().makeTensorFromTensorInfo(joined);
}

function apply(
  gpu: WebGPUBackend,
  x: TensorInfo,
  statistics: Tensor,
  weight: Tensor,
  bias: Tensor,
  shape: Shape,
  spec: GroupNormSpec,
): Tensor4D {
  const total = shape.batch * shape.pixels * shape.channels;
  const normed = 'x[index] * scale + bias[c] - statistics[at] * scale';
  const result = runKernel(
    gpu,
    {
      key: `gnApply_${spec.relu}`,
      inputs: ['x', 'statistics', 'weight', 'bias'],
      outputShape: x.shape,
      threads: total,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  let c = index % channels;
  let at = (index / (channels * pixels) * groups + c / width) * 2;
  let scale = statistics[at + 1] * weight[c];
  let value = ${normed};
  result[index] = ${spec.relu ? 'max(value, 0.0)' : 'value'};
}`,
    },
    [x, statistics, weight, bias],
    uniformData(shape),
  );
  return engine().makeTensorFromTensorInfo(result) as Tensor4D;
}

/** Gradients of input, weight and bias. */
function backward(
  gpu: WebGPUBackend,
  dy: Tensor,
  saved: Tensor[],
  shape: Shape,
  spec: GroupNormSpec,
): [Tensor, Tensor, Tensor] {
  const [x, weight, statistics, value] = saved as [Tensor, Tensor, Tensor, Tensor];
  const sums = channelSums(gpu, dy, x, statistics, value, shape, spec.relu);
  const dWeight = sumOverImages(gpu, sums, shape, 1);
  const dBias = sumOverImages(gpu, sums, shape, 0);
  const means = groupMeans(gpu, sums, weight, shape);
  const dx = inputGradient(
    gpu,
    [dy, x, statistics, weight, means, ...(spec.relu ? [value] : [])],
    shape,
    spec.relu,
  );
  gpu.disposeData(sums.dataId);
  gpu.disposeData(means.dataId);
  return [dx, dWeight, dBias].map((each) => engine().makeTensorFromTensorInfo(each)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
}

/** `[batch, chunks, channels, 2]`: sums over a chunk of dy and of dy times the normalised input. */
function channelSums(
  gpu: WebGPUBackend,
  dy: TensorInfo,
  x: TensorInfo,
  statistics: TensorInfo,
  value: TensorInfo,
  shape: Shape,
  relu: boolean,
): TensorInfo {
  const threads = shape.batch * shape.chunks * shape.channels;
  return runKernel(
    gpu,
    {
      key: `gnSums_${relu}`,
      inputs: ['dy', 'x', 'statistics', ...(relu ? ['value'] : [])],
      outputShape: [shape.batch, shape.chunks, shape.channels, 2],
      threads,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  let c = index % channels;
  let chunk = (index / channels) % chunks;
  let image = index / (channels * chunks);
  let at = (image * groups + c / width) * 2;
  let last = min(chunk * chunkPixels + chunkPixels, pixels);
  var plain = 0.0;
  var scaled = 0.0;
  for (var pixel = chunk * chunkPixels; pixel < last; pixel++) {
    let source = (image * pixels + pixel) * channels + c;
    let gradient = ${relu ? 'select(0.0, dy[source], value[source] > 0.0)' : 'dy[source]'};
    plain += gradient;
    scaled += gradient * (x[source] - statistics[at]);
  }
  result[index * 2] = plain;
  result[index * 2 + 1] = scaled * statistics[at + 1];
}`,
    },
    [dy, x, statistics, ...(relu ? [value] : [])],
    uniformData(shape),
  );
}

function sumOverImages(gpu: WebGPUBackend, sums: TensorInfo, shape: Shape, which: 0 | 1): TensorInfo {
  return runKernel(
    gpu,
    {
      key: `gnOver_${which}`,
      inputs: ['sums'],
      outputShape: [shape.channels],
      threads: shape.channels,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  var total = 0.0;
  for (var part = 0; part < uniforms.parts; part++) {
    total += sums[(part * channels + index) * 2 + ${which}];
  }
  result[index] = total;
}`,
    },
    [sums],
    uniformData(shape),
  );
}

/** `[batch, groups, 2]`: means over a group of weight times the two sums. */
function groupMeans(gpu: WebGPUBackend, sums: TensorInfo, weight: TensorInfo, shape: Shape): TensorInfo {
  const threads = shape.batch * shape.groups;
  return runKernel(
    gpu,
    {
      key: `gnMeans`,
      inputs: ['sums', 'weight'],
      outputShape: [shape.batch, shape.groups, 2],
      threads,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  let group = index % groups;
  let image = index / groups;
  var plain = 0.0;
  var scaled = 0.0;
  for (var chunk = 0; chunk < chunks; chunk++) {
    for (var c = group * width; c < group * width + width; c++) {
      let at = ((image * chunks + chunk) * channels + c) * 2;
      plain += weight[c] * sums[at];
      scaled += weight[c] * sums[at + 1];
    }
  }
  result[index * 2] = plain / f32(pixels * width);
  result[index * 2 + 1] = scaled / f32(pixels * width);
}`,
    },
    [sums, weight],
    uniformData(shape),
  );
}

function inputGradient(gpu: WebGPUBackend, inputs: TensorInfo[], shape: Shape, relu: boolean): TensorInfo {
  const total = shape.batch * shape.pixels * shape.channels;
  return runKernel(
    gpu,
    {
      key: `gnInput_${relu}`,
      inputs: ['dy', 'x', 'statistics', 'weight', 'means', ...(relu ? ['value'] : [])],
      outputShape: inputs[1]!.shape,
      threads: total,
      uniforms,
      code: `
fn compute(index : i32) {${names}
  let c = index % channels;
  let at = (index / (channels * pixels) * groups + c / width) * 2;
  let gradient = ${relu ? 'select(0.0, dy[index], value[index] > 0.0)' : 'dy[index]'};
  let normed = (x[index] - statistics[at]) * statistics[at + 1];
  result[index] = statistics[at + 1] * (gradient * weight[c] - means[at] - normed * means[at + 1]);
}`,
    },
    inputs,
    uniformData(shape),
  );
}
