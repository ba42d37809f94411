/** A filter's gradient on noise, against the plain reference. */
import {
  type FilterVariant,
  lowerConvFilterGradient,
  referenceConvFilterGradient,
} from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import type { DeviceFacts } from '../../../shared/engine/kernels/wgsl.ts';
import type { BufferRef } from '../../../shared/engine/plan/call.ts';
import type { ConvFilterGradientOp } from '../../../shared/engine/plan/ops.ts';
import { strideOf, type TensorSpec } from '../../../shared/engine/plan/tensor.ts';
import { Operands, type Side } from './operands.ts';
import { expectSame, runCalls } from './runCalls.ts';

export interface FilterGradientCase {
  readonly name: string;
  /** Of x. */
  readonly levels: readonly Side[];
  readonly channels: readonly [input: number, output: number];
  readonly kernel: number;
  readonly stride: number;
  readonly also?: 'bias' | 'norm' | 'learnt norm';
  readonly storage?: TensorSpec['storage'];
}

/** In memory that others have used. */
export async function expectReference(
  device: GPUDevice,
  facts: DeviceFacts,
  each: FilterGradientCase,
  variant?: FilterVariant,
): Promise<void> {
  const { op, memory, f16 } = operands(each);
  const calls = lowerConvFilterGradient(op, facts, variant);
  for (const { ref } of calls.flatMap(({ bindings }) => bindings)) {
    if (ref.kind === 'arena' && !['x', 'dy'].includes(ref.id)) memory.words(ref).fill(1e3);
  }
  const after = await runCalls(device, calls, memory, f16);
  referenceConvFilterGradient(op, memory);
  const { weightGradient, biasGradient, normGradient } = op;
  const written = [weightGradient, biasGradient, normGradient?.weightGradient, normGradient?.biasGradient];
  for (const ref of written) if (ref) expectSame(after.words(ref), memory.words(ref), 3e-6);
}

/** The op with everything that its kind of layer has, on noise. */
export function operands(each: FilterGradientCase) {
  const [inChannels, outChannels] = each.channels;
  const { kernel: kernelSize, stride, levels, also, storage = 'f32' } = each;
  const padding = (kernelSize - 1) / 2;
  const of = new Operands(2);
  const outputs = levels.map(
    (side) => side.map((length) => Math.floor((length - 1) / stride) + 1) as unknown as Side,
  );
  const words = kernelSize ** 2 * strideOf(inChannels) * strideOf(outChannels);
  const gradient = (count: number): BufferRef => of.vector({ kind: 'gradients' }, count);
  const norm = (id: string) => ({
    scale: of.vector({ kind: 'state', id: `${id} scale` }, outChannels),
    shift: of.vector({ kind: 'state', id: `${id} shift` }, outChannels),
  });
  const op: ConvFilterGradientOp = {
    op: 'convFilterGradient',
    conv: { inChannels, outChannels, kernelSize, stride, padding },
    x: of.noise('x', levels, inChannels, { storage }),
    dy: of.noise('dy', outputs, outChannels, { storage }),
    weightGradient: gradient(words),
    biasGradient: also === 'bias' ? gradient(outChannels) : null,
    norm: also === 'norm' || also === 'learnt norm' ? norm('folded') : null,
    normGradient:
      also === 'learnt norm'
        ? {
            weightGradient: gradient(outChannels),
            biasGradient: gradient(outChannels),
            fixed: norm('fixed'),
            convWeight: of.vector({ kind: 'weights' }, words),
          }
        : null,
  };
  return { op, memory: of.memory, f16: of.f16 };
}
