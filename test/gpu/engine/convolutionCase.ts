/** A convolution and its input gradient on noise, against the plain references. */
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';
import { sliceCall } from '../../../shared/engine/device/slices.ts';
import { lowerConv, referenceConv } from '../../../shared/engine/kernels/convolution/forward.ts';
import type { ConvVariant } from '../../../shared/engine/kernels/convolution/gatherVariants.ts';
import {
  lowerConvInputGradient,
  referenceConvInputGradient,
} from '../../../shared/engine/kernels/convolution/inputGradient.ts';
import { Memory } from '../../../shared/engine/kernels/memory.ts';
import type { DeviceFacts } from '../../../shared/engine/kernels/wgsl.ts';
import type { BufferRef } from '../../../shared/engine/plan/call.ts';
import type { ConvInputGradientOp, ConvOp, FoldedNorm } from '../../../shared/engine/plan/ops.ts';
import { strideOf, type TensorSpec, type TensorView, wholeView } from '../../../shared/engine/plan/tensor.ts';
import { expectSame, runCalls } from './runCalls.ts';

export interface ConvolutionCase {
  readonly name: string;
  /** Of what the convolution reads. */
  readonly levels: readonly (readonly [height: number, width: number])[];
  readonly channels: readonly [input: number, output: number];
  readonly kernel: number;
  readonly stride: number;
  readonly fused?: 'norm' | 'bias';
  readonly storage?: 'f16';
}

/** Both ops of it; computed in slices, which is the same as whole. */
export async function expectReference(
  device: GPUDevice,
  facts: DeviceFacts,
  each: ConvolutionCase,
  variant?: ConvVariant,
): Promise<void> {
  const { memory, forward, backward, f16 } = operands(each);
  const calls = [...lowerConv(forward, facts, variant), ...lowerConvInputGradient(backward, facts, variant)];
  const sliced = calls.flatMap((call) => sliceCall(call, 2));
  const after = await runCalls(device, sliced, memory, f16);
  referenceConv(forward, memory);
  referenceConvInputGradient(backward, memory);
  const tolerance = each.storage ? 1e-3 : 2e-6;
  for (const view of [forward.y, backward.target.dx]) {
    expectSame(rowsOfLevels(after, view), rowsOfLevels(memory, view), tolerance);
  }
}

/** Both ops of a layer, with everything that its kind of layer fuses, on noise. */
export function operands({
  name,
  levels,
  channels,
  kernel,
  stride,
  fused,
  storage = undefined,
}: ConvolutionCase) {
  const [inChannels, outChannels] = channels;
  const padding = (kernel - 1) / 2;
  const conv = { inChannels, outChannels, kernelSize: kernel, stride, padding };
  const memory = new Memory();
  const inputs = levels.map(([height, width]) => ({ height, width }));
  const outputs = inputs.map(({ height, width }) => ({
    height: Math.floor((height - 1) / stride) + 1,
    width: Math.floor((width - 1) / stride) + 1,
  }));
  const view = (id: string, sizes: TensorSpec['levels'], count: number): TensorView => {
    const tensor = { id, batch: 2, levels: sizes, channels: count, storage: storage ?? ('f32' as const) };
    const whole = wholeView(tensor);
    fillPadded(memory.tensor(whole), `${name} ${id}`, count, Boolean(storage));
    return whole;
  };
  const vector = (id: string): BufferRef => {
    const ref = { kind: 'state', id, offsetWords: 0, words: strideOf(outChannels) } as const;
    fillPadded(memory.words(ref), id, outChannels, false);
    return ref;
  };
  const weight = {
    kind: 'weights',
    offsetWords: 64,
    words: kernel ** 2 * strideOf(inChannels) * strideOf(outChannels),
  } as const;
  fillFilter(memory.words(weight), name, inChannels, outChannels);
  const norm: FoldedNorm | null =
    fused === 'norm' ? { scale: vector('scale'), shift: vector('shift') } : null;
  const [x, y] = [view('x', inputs, inChannels), view('y', outputs, outChannels)];
  const forward: ConvOp = {
    op: 'conv',
    conv,
    x,
    weight,
    norm,
    bias: fused === 'bias' ? vector('bias') : null,
    residual: fused === 'norm' ? view('residual', outputs, outChannels) : null,
    relu: fused !== undefined,
    y,
  };
  const backward: ConvInputGradientOp = {
    op: 'convInputGradient',
    conv,
    dy: view('dy', outputs, outChannels),
    weight,
    norm,
    target: {
      dx: view('dx', inputs, inChannels),
      add: fused ? view('add', inputs, inChannels) : null,
      mask: fused ? view('relu', inputs, inChannels) : null,
    },
  };
  const ids = ['x', 'y', 'residual', 'dy', 'dx', 'add', 'relu'];
  return { memory, forward, backward, f16: new Set(storage ? ids : []) };
}

/** Numbers in -1..1, zero where a row is padded, exact in halves where they are kept so. */
function fillPadded(into: Float32Array, name: string, channels: number, halves: boolean): void {
  const stream = fnv1a32(name);
  const stride = strideOf(channels);
  for (let index = 0; index < into.length; index++) {
    const value = uniformAt(stream, index) * 2 - 1;
    into[index] = index % stride < channels ? (halves ? Math.f16round(value) : value) : 0;
  }
}

function fillFilter(into: Float32Array, name: string, inChannels: number, outChannels: number): void {
  fillPadded(into, `${name} w`, outChannels, false);
  const row = strideOf(outChannels);
  for (let index = 0; index < into.length; index++) {
    if (Math.floor(index / row) % strideOf(inChannels) >= inChannels) into[index] = 0;
  }
}

/** What lies between levels is anything. */
function rowsOfLevels(memory: Memory, view: TensorView): Float32Array {
  const stride = strideOf(view.tensor.channels);
  const all = memory.tensor(view);
  return Float32Array.from(
    view.levels.flatMap(({ firstRow, height, width }) =>
      Array.from(all.subarray(firstRow * stride, (firstRow + 2 * height * width) * stride)),
    ),
  );
}
