/** What the tuner tries: which operations, which ways to compute them, and a smaller one of the same kind to try them on. */
import {
  type FilterVariant,
  filterVariants,
  lowerConvFilterGradient,
} from '../kernels/convolution/filterGradient.ts';
import { convVariants, lowerConv } from '../kernels/convolution/forward.ts';
import type { ConvVariant } from '../kernels/convolution/gatherVariants.ts';
import { shapeLabel } from '../kernels/convolution/geometry.ts';
import { convInputGradientVariants, lowerConvInputGradient } from '../kernels/convolution/inputGradient.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { BufferRef, KernelCall } from '../plan/call.ts';
import type { ConvFilterGradientOp, ConvInputGradientOp, ConvOp, Op } from '../plan/ops.ts';
import { strideOf, type TensorView, wholeView } from '../plan/tensor.ts';

export type TunedOp = ConvOp | ConvInputGradientOp | ConvFilterGradientOp;
export type Variant = ConvVariant | FilterVariant;

export function isTuned(op: Op): op is TunedOp {
  return op.op === 'conv' || op.op === 'convInputGradient' || op.op === 'convFilterGradient';
}

/** The first is what is done without a tuner. */
export function variantsOf(op: TunedOp, facts: DeviceFacts): readonly Variant[] {
  switch (op.op) {
    case 'conv':
      return convVariants(op, facts);
    case 'convInputGradient':
      return convInputGradientVariants(op, facts);
    case 'convFilterGradient':
      return filterVariants(op, facts);
  }
}

/** @param variant one of `variantsOf` */
export function lowerVariant(op: TunedOp, facts: DeviceFacts, variant: Variant): KernelCall[] {
  switch (op.op) {
    case 'conv':
      return lowerConv(op, facts, variant as ConvVariant);
    case 'convInputGradient':
      return lowerConvInputGradient(op, facts, variant as ConvVariant);
    case 'convFilterGradient':
      return lowerConvFilterGradient(op, facts, variant as FilterVariant);
  }
}

const kinds: Readonly<Record<TunedOp['op'], string>> = {
  conv: 'forward',
  convInputGradient: 'input gradient',
  convFilterGradient: 'filter gradient',
};

/**
 * Operations of equal keys are tried once: same kind, channels, taps, stride and storage, and about as many pixels. What is fused into
 * them does not count.
 */
export function shapeKey(op: TunedOp): string {
  const octave = Math.round(Math.log2(pixelsOf(op)) / 2) * 2;
  return `${kinds[op.op]} ${shapeLabel(op.conv)} ${outputOf(op).tensor.storage} about 2^${octave} pixels`;
}

/** Multiplications and additions. */
export function flopsOf(op: TunedOp): number {
  return pixelsOf(op) * flopsOfPixel(op);
}

function flopsOfPixel({ conv }: TunedOp): number {
  return 2 * conv.kernelSize ** 2 * conv.inChannels * conv.outChannels;
}

function pixelsOf(op: TunedOp): number {
  const { tensor, levels } = outputOf(op);
  return tensor.batch * levels.reduce((sum, { height, width }) => sum + height * width, 0);
}

/** What the convolution writes, or its gradient. */
function outputOf(op: TunedOp): TensorView {
  return op.op === 'conv' ? op.y : op.dy;
}

/** Multiplications and additions of a first trial, which no GPU takes long for; and of the longest. */
export const leastTrialFlops = 1e8;
const mostTrialFlops = 4e9;

/** Long enough to be measured, too short for a screen to stand still. */
const trialMs = 5;

/** Of a trial where the first one took so long. */
export function trialFlops(firstMs: number): number {
  return Math.min(mostTrialFlops, Math.max(leastTrialFlops, (leastTrialFlops * trialMs) / firstMs));
}

/** At least so many pixels along a side, or a trial shows nothing but the time to start it. */
const leastSide = 16;

/** The same convolution on one square level of one image, nothing fused, everything in the arena. */
export function trialOf(op: TunedOp, flops: number): TunedOp {
  const { conv } = op;
  const pixels = Math.min(pixelsOf(op), flops / flopsOfPixel(op));
  const side = Math.max(leastSide, Math.round(Math.sqrt(pixels)));
  const { storage } = outputOf(op).tensor;
  const view = (id: string, length: number, channels: number): TensorView =>
    wholeView({
      id: `trial ${id}`,
      batch: 1,
      levels: [{ height: length, width: length }],
      channels,
      storage,
    });
  const weight: BufferRef = {
    ...{ kind: 'arena', id: 'trial filter', offsetWords: 0 },
    words: conv.kernelSize ** 2 * strideOf(conv.inChannels) * strideOf(conv.outChannels),
  };
  const x = view('x', side * conv.stride, conv.inChannels);
  const y = view('y', side, conv.outChannels);
  switch (op.op) {
    case 'conv':
      return { op: 'conv', conv, x, y, weight, bias: null, norm: null, residual: null, relu: false };
    case 'convInputGradient':
      return { op: op.op, conv, dy: y, weight, norm: null, target: { dx: x, add: null, mask: null } };
    case 'convFilterGradient':
      return {
        ...{ op: op.op, conv, x, dy: y, weightGradient: weight },
        ...{ biasGradient: null, norm: null, normGradient: null },
      };
  }
}
