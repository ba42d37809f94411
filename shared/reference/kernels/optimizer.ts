/** SGD and gradient norms on WebGPU, in place: three dispatches a parameter where tfjs's operations take nine. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type Tensor, type TensorInfo, zeros } from '@tensorflow/tfjs-core';
import { runKernel } from './program.ts';

export interface SgdUniforms {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/** Threads of one norm; each sums every so many elements. */
const normThreads = 16;

/**
 * Updates velocity and value where they lie: velocity = momentum * velocity + gradient + decay * value, then
 * value -= rate * velocity.
 */
export function sgdInPlace(
  gpu: WebGPUBackend,
  value: TensorInfo,
  velocity: TensorInfo,
  gradient: TensorInfo,
  settings: SgdUniforms,
): void {
  runKernel(
    gpu,
    {
      key: 'sgdVelocity',
      inputs: ['gradient', 'value'],
      outputShape: velocity.shape,
      threads: sizeOf(velocity),
      uniforms: 'momentum : f32, decay : f32,',
      code: `
fn compute(index : i32) {
  result[index] = uniforms.momentum * result[index] + gradient[index] + uniforms.decay * value[index];
}`,
    },
    [gradient, value],
    [
      { type: 'float32', data: [settings.momentum] },
      { type: 'float32', data: [settings.weightDecay] },
    ],
    velocity,
  );
  runKernel(
    gpu,
    {
      key: 'sgdValue',
      inputs: ['velocity'],
      outputShape: value.shape,
      threads: sizeOf(value),
      uniforms: 'rate : f32,',
      code: `
fn compute(index : i32) {
  result[index] = result[index] - uniforms.rate * velocity[index];
}`,
    },
    [velocity],
    [{ type: 'float32', data: [settings.learningRate] }],
    value,
  );
}

/** Sums of squares, several per gradient, of all gradients in one vector: not finite where any element is not. */
export function squaredNorms(gpu: WebGPUBackend, gradients: readonly Tensor[]): Tensor {
  const norms = zeros([gradients.length * normThreads]);
  gradients.forEach((gradient, index) => {
    runKernel(
      gpu,
      {
        key: 'squaredNorms',
        inputs: ['gradient'],
        outputShape: norms.shape,
        threads: normThreads,
        uniforms: 'offset : i32, count : i32,',
        code: `
fn compute(index : i32) {
  var total = 0.0;
  for (var at = index; at < uniforms.count; at += ${normThreads}) { total += gradient[at] * gradient[at]; }
  result[uniforms.offset + index] = total;
}`,
      },
      [gradient],
      [
        { type: 'int32', data: [index * normThreads] },
        { type: 'int32', data: [gradient.size] },
      ],
      norms,
    );
  });
  return norms;
}

function sizeOf(tensor: TensorInfo): number {
  return tensor.shape.reduce((product, side) => product * side, 1);
}
