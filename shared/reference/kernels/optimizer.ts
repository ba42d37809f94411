/** SGD and gradient norms on WebGPU: three dispatches a parameter where tfjs's operations take nine. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { engine, type Tensor, type TensorInfo, zeros } from '@tensorflow/tfjs-core';
import { runKernel } from './program.ts';

export interface SgdUniforms {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Below 1 where the gradients are clipped. */
  readonly gradientScale: number;
}

/**
 * The new velocity (momentum * velocity + scale * gradient + decay * value) and the new value (value - rate * new velocity). New
 * tensors, not the old ones written over: tfjs keeps what it once read of a tensor and would answer with that.
 */
export function sgdOnGpu(
  gpu: WebGPUBackend,
  value: TensorInfo,
  velocity: TensorInfo,
  gradient: TensorInfo,
  settings: SgdUniforms,
): [velocity: Tensor, value: Tensor] {
  const threads = value.shape.reduce((product, side) => product * side, 1);
  const moved = runKernel(
    gpu,
    {
      key: 'sgdVelocity',
      inputs: ['velocity', 'gradient', 'value'],
      outputShape: value.shape,
      threads,
      uniforms: 'momentum : f32, scale : f32, decay : f32,',
      code: `
fn compute(index : i32) {
  result[index] = uniforms.momentum * velocity[index] + uniforms.scale * gradient[index] + uniforms.decay * value[index];
}`,
    },
    [velocity, gradient, value],
    [
      { type: 'float32', data: [settings.momentum] },
      { type: 'float32', data: [settings.gradientScale] },
      { type: 'float32', data: [settings.weightDecay] },
    ],
  );
  const stepped = runKernel(
    gpu,
    {
      key: 'sgdValue',
      inputs: ['value', 'velocity'],
      outputShape: value.shape,
      threads,
      uniforms: 'rate : f32,',
      code: `
fn compute(index : i32) {
  result[index] = value[index] - uniforms.rate * velocity[index];
}`,
    },
    [value, moved],
    [{ type: 'float32', data: [settings.learningRate] }],
  );
  const tensorOf = (info: TensorInfo) => engine().makeTensorFromTensorInfo(info);
  return [tensorOf(moved), tensorOf(stepped)];
}

/** Sums of squares, one or more per gradient, of all gradients in one vector: not finite where any element is not. */
export function squaredNorms(gpu: WebGPUBackend, gradients: readonly Tensor[]): Tensor {
  const parts = gradients.map((gradient) => normParts(gradient.size));
  const norms = zeros([parts.reduce((total, count) => total + count, 0)]);
  let offset = 0;
  gradients.forEach((gradient, index) => {
    sumSquares(gpu, gradient, norms, offset, parts[index]!);
    offset += parts[index]!;
  });
  return norms;
}

/** Threads that share one gradient: a GPU wants many, a readback few. */
export function normParts(size: number): number {
  return Math.min(1024, Math.ceil(size / 2048));
}

function sumSquares(
  gpu: WebGPUBackend,
  gradient: Tensor,
  norms: TensorInfo,
  offset: number,
  parts: number,
): void {
  runKernel(
    gpu,
    {
      key: 'squaredNorms',
      inputs: ['gradient'],
      outputShape: norms.shape,
      threads: parts,
      uniforms: 'offset : i32, count : i32,',
      code: `
fn compute(index : i32) {
  var total = 0.0;
  for (var at = index; at < uniforms.count; at += uniforms.threads) { total += gradient[at] * gradient[at]; }
  result[uniforms.offset + index] = total;
}`,
    },
    [gradient],
    [offset, gradient.size].map((value) => ({ type: 'int32', data: [value] })),
    norms,
  );
}
