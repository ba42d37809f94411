/** One convolution, computed by the engine's kernels or by stock tfjs's, on one device. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend,
  enableProdMode,
  engine,
  findBackendFactory,
  registerBackend,
  removeBackend,
  setBackend,
  type Tensor,
  type Tensor4D,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import type { EngineDevice } from '../shared/engine/device/engineDevice.ts';
import type { KernelCall } from '../shared/engine/plan/call.ts';
import type { TensorView } from '../shared/engine/plan/tensor.ts';
import type { TunedOp } from '../shared/engine/tuner/trials.ts';
import type { BenchDevice } from './benchDevice.ts';

/** Somebody who can compute it. */
export interface Side {
  readonly name: string;
  /** So many times; all of it is in the queue when it answers. */
  run(times: number): Promise<void>;
  dispose(): void;
}

export async function engineSide(
  name: string,
  calls: readonly KernelCall[],
  device: EngineDevice,
): Promise<Side> {
  const plan = await device.createPlan({ sections: [{ name, calls }] });
  return {
    name,
    run: (times) => plan.run(Array<string>(times).fill(name)),
    dispose: () => plan.dispose(),
  };
}

/** tfjs's kernels are those of its package: nothing of ours is registered in their place here. */
export async function registerStock({ device, adapterInfo }: BenchDevice): Promise<void> {
  enableProdMode();
  if (findBackendFactory('webgpu')) removeBackend('webgpu');
  registerBackend('webgpu', () => new WebGPUBackend(device, adapterInfo));
  await setBackend('webgpu');
}

/** The convolution alone, level by level, for tfjs packs none. */
export function stockSide(op: TunedOp): Side {
  const { x, y } =
    op.op === 'conv' ? op : { x: op.op === 'convFilterGradient' ? op.x : op.target.dx, y: op.dy };
  const { kernelSize, stride, padding, inChannels, outChannels } = op.conv;
  const filterShape = [kernelSize, kernelSize, inChannels, outChannels];
  const filter = zeros(filterShape);
  const inputs = tensorsOf(x);
  const outputs = tensorsOf(y);
  const attributes = {
    ...{
      strides: [stride, stride],
      pad: padding,
      dataFormat: 'NHWC',
      dilations: [1, 1],
      dimRoundingMode: 'floor',
    },
    filterShape,
  };
  const kernel = (name: string, operands: Record<string, Tensor>, more = {}) =>
    engine().runKernel(name, operands, { ...attributes, ...more } as never);
  const once = (level: number) => {
    const [input, output] = [inputs[level]!, outputs[level]!];
    if (op.op === 'conv') kernel('Conv2D', { x: input, filter });
    else if (op.op === 'convFilterGradient') kernel('Conv2DBackpropFilter', { x: input, dy: output });
    else kernel('Conv2DBackpropInput', { dy: output, filter }, { inputShape: input.shape });
  };
  return {
    name: 'stock tfjs',
    run: async (times) => {
      for (let time = 0; time < times; time++) tidy(() => inputs.forEach((_, level) => void once(level)));
      const webgpu = backend() as WebGPUBackend;
      webgpu.endComputePassEncoder();
      webgpu.submitQueue();
    },
    dispose: () => {
      for (const tensor of [filter, ...inputs, ...outputs]) tensor.dispose();
    },
  };
}

function tensorsOf({ tensor, levels }: TensorView): Tensor4D[] {
  return levels.map(({ height, width }) => zeros([tensor.batch, height, width, tensor.channels]));
}
