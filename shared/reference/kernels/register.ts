/** Puts our kernels in the place of tfjs's, under tfjs's names, so that its gradients find them. */

import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend_util,
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { type ConvInfo, convolveForward, convolveInputGradient } from './convolution.ts';
import { convolveOnCpu, filterGradientOnCpu, inputGradientOnCpu } from './cpuConvolution.ts';
import { convolveFilterGradient } from './filterGradient.ts';

type KernelFunc = KernelConfig['kernelFunc'];
type KernelArguments = Parameters<KernelFunc>[0];

const convolutionKernels = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'] as const;
type ConvolutionKernel = (typeof convolutionKernels)[number];

/** tfjs's own kernels, kept for what ours do not cover and for going back. */
const stock = new Map<ConvolutionKernel, KernelFunc>();

/** Register-tiled convolutions (5 to 10 times tfjs's on SwiftShader), or tfjs's own again. */
export function setTiledConvolutions(wanted: boolean): void {
  if (wanted === stock.size > 0) return;
  for (const name of convolutionKernels) {
    if (wanted) {
      const original = getKernel(name, 'webgpu').kernelFunc;
      stock.set(name, original);
      replace(name, 'webgpu', (args) => tiled(name, args) ?? original(args));
    } else {
      replace(name, 'webgpu', stock.get(name)!);
    }
  }
  if (!wanted) stock.clear();
}

/** Our convolutions on the `cpu` backend, for good. */
export function registerCpuConvolutions(): void {
  for (const name of convolutionKernels) {
    const original = getKernel(name, 'cpu').kernelFunc;
    replace(name, 'cpu', (args) => onCpu(name, args) ?? original(args));
  }
}

function replace(kernelName: ConvolutionKernel, backendName: string, kernelFunc: KernelFunc): void {
  unregisterKernel(kernelName, backendName);
  registerKernel({ kernelName, backendName, kernelFunc });
}

/** Null where the convolution is not of the kind that our kernels compute. */
function onCpu(name: ConvolutionKernel, args: KernelArguments): TensorInfo | null {
  const backend = args.backend as MathBackendCPU;
  const inputs = args.inputs as Record<string, TensorInfo>;
  const info = convolutionInfo(args);
  if (!info) return null;
  const read = (tensor: TensorInfo | undefined) => backend.readSync(tensor!.dataId) as Float32Array;
  const { x, dy, filter } = inputs;
  switch (name) {
    case 'Conv2D':
      return backend.makeTensorInfo(info.outShape, 'float32', convolveOnCpu(read(x), read(filter), info));
    case 'Conv2DBackpropFilter':
      return backend.makeTensorInfo(
        info.filterShape,
        'float32',
        filterGradientOnCpu(read(x), read(dy), info),
      );
    case 'Conv2DBackpropInput':
      return backend.makeTensorInfo(
        info.inShape,
        'float32',
        inputGradientOnCpu(read(dy), read(filter), info),
      );
  }
}

/** As `onCpu`. */
function tiled(name: ConvolutionKernel, args: KernelArguments): TensorInfo | null {
  const backend = args.backend as WebGPUBackend;
  const inputs = args.inputs as Record<string, TensorInfo>;
  const info = convolutionInfo(args);
  if (!info) return null;
  switch (name) {
    case 'Conv2D':
      return convolveForward(backend, inputs.x!, inputs.filter!, info);
    case 'Conv2DBackpropFilter':
      return convolveFilterGradient(backend, inputs.x!, inputs.dy!, info);
    case 'Conv2DBackpropInput':
      return convolveInputGradient(backend, inputs.dy!, inputs.filter!, info);
  }
}

interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: number | 'valid' | 'same';
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly inputShape?: number[];
  readonly filterShape?: number[];
}

/** Null where it is not one of NHWC, a square kernel, equal strides and paddings. */
function convolutionInfo(args: KernelArguments): ConvInfo | null {
  const inputs = args.inputs as Record<string, TensorInfo>;
  const attrs = args.attrs as unknown as ConvolutionAttributes;
  if (attrs.dataFormat !== 'NHWC') return null;
  const inputShape = attrs.inputShape ?? inputs.x!.shape;
  const filterShape = attrs.filterShape ?? inputs.filter!.shape;
  const info = backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  const { padInfo } = info;
  const square = info.filterHeight === info.filterWidth && info.strideHeight === info.strideWidth;
  const plain = info.dilationHeight === 1 && info.dilationWidth === 1 && padInfo.top === padInfo.left;
  return square && plain ? info : null;
}
