/**
 * What forward convolution and input gradient have in common: both gather, for every pixel and channel they write, a sum over taps
 * and source channels, and then do to it what is fused into the layer.
 */
import { type Binding, type BufferRef, bindView } from '../../plan/call.ts';
import type { ConvInputGradientOp, ConvOp } from '../../plan/ops.ts';
import { strideOf, type TensorView } from '../../plan/tensor.ts';
import { declareStorage, elementType, load4, reluText } from '../wgsl.ts';
import type { GatherGeometry } from './geometry.ts';

export interface Gather extends GatherGeometry {
  readonly weight: BufferRef;
  /** Multiplies the source's channels as they are read. */
  readonly sourceScale: BufferRef | null;
  readonly norm: { readonly scale: BufferRef; readonly shift: BufferRef } | null;
  readonly bias: BufferRef | null;
  /** Added to the sum: a residual, or other gradients of the same tensor. */
  readonly add: TensorView | null;
  readonly relu: boolean;
  /** The result is zero where this is not positive. */
  readonly mask: TensorView | null;
}

export function gatherForward({ conv, x, y, weight, norm, bias, residual, relu }: ConvOp): Gather {
  return {
    conv,
    backward: false,
    source: x,
    target: y,
    weight,
    sourceScale: null,
    norm,
    bias,
    add: residual,
    relu,
    mask: null,
  };
}

export function gatherBackward({ conv, dy, weight, norm, target }: ConvInputGradientOp): Gather {
  return {
    conv,
    backward: true,
    source: dy,
    target: target.dx,
    weight,
    sourceScale: norm?.scale ?? null,
    norm: null,
    bias: null,
    add: target.add,
    relu: false,
    mask: target.mask,
  };
}

/** What a kernel binds, in order, and its declarations. */
export interface GatherBindings {
  readonly bindings: readonly Binding[];
  readonly declarations: string;
}

/**
 * `source`, `w`, `result`, and what the epilogue needs. `scalar`: the source is read one channel at a time (`f32`, or `u32` of two
 * halves), and so are the weights where the gather runs along their last axis, backward.
 */
export function bindGather(gather: Gather, scalar: boolean): GatherBindings {
  const bindings: Binding[] = [];
  const lines: string[] = [];
  const bind = (name: string, type: string, binding: Binding): void => {
    lines.push(declareStorage(bindings.length, name, type, binding));
    bindings.push(binding);
  };
  const bindTensor = (
    name: string,
    view: TensorView | null,
    access: 'read' | 'read-write' = 'read',
  ): void => {
    if (view) bind(name, elementType(view.tensor), bindView(view, access));
  };
  const bindVector = (name: string, ref: BufferRef | null, single = false): void => {
    if (ref) bind(name, single ? 'f32' : 'vec4<f32>', { ref, access: 'read' });
  };
  const { tensor } = gather.source;
  const sourceType = tensor.storage === 'f16' ? 'u32' : 'f32';
  bind('source', scalar ? sourceType : elementType(tensor), bindView(gather.source, 'read'));
  bindVector('w', gather.weight, scalar && gather.backward);
  bindTensor('result', gather.target, 'read-write');
  bindVector('sourceScale', gather.sourceScale, scalar);
  bindVector('normScale', gather.norm?.scale ?? null);
  bindVector('normShift', gather.norm?.shift ?? null);
  bindVector('bias', gather.bias);
  bindTensor('added', gather.add);
  bindTensor('mask', gather.mask);
  if (gather.relu) lines.push(reluText);
  return { bindings, declarations: lines.join('\n') };
}

/** What the epilogue needs of the `c`th four of channels, read once for all pixels; `channel` counts in fours. */
export function channelVectors({ norm, bias }: Gather, c: number, channel: string): string {
  const read = (name: string) => `let ${name}${c} = ${name}[${channel}];`;
  return [norm ? `${read('normScale')} ${read('normShift')}` : '', bias ? read('bias') : ''].join('\n');
}

/** An expression: the `c`th four of sums after the epilogue, on its way to `at` of the target, which counts in fours. */
export function epilogue(gather: Gather, sum: string, c: number, at: string): string {
  let value = sum;
  if (gather.norm) value = `(${value} * normScale${c} + normShift${c})`;
  if (gather.bias) value = `(${value} + bias${c})`;
  if (gather.add) value = `(${value} + ${load4(gather.add.tensor, 'added', at)})`;
  if (gather.relu) value = `relu(${value})`;
  if (gather.mask) {
    value = `select(vec4<f32>(), ${value}, ${load4(gather.mask.tensor, 'mask', at)} > vec4<f32>())`;
  }
  return value;
}

/** Floats from one row of a filter (a channel of the layer's input) to the next, and from one tap to the next. */
export function filterStrides({ conv }: Pick<Gather, 'conv'>): { row: number; tap: number } {
  const row = strideOf(conv.outChannels);
  return { row, tap: row * strideOf(conv.inChannels) };
}
