/** What the tuner tries: which operations, which ways to compute them, and smaller ones of the same kind to try them on. */
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
import type { ConvFilterGradientOp, ConvInputGradientOp, ConvOp, ConvShape, Op } from '../plan/ops.ts';
import { type LevelShape, strideOf, type TensorView, wholeView } from '../plan/tensor.ts';

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
  const storage = `${inputOf(op).tensor.storage} ${outputOf(op).tensor.storage}`;
  return `${kinds[op.op]} ${shapeLabel(op.conv)} ${storage} about 2^${octave} pixels`;
}

/** How much unlike each other they are: octaves of channels and pixels; another kernel or stride is another thing. */
export function distance(a: TunedOp, b: TunedOp): number {
  const octaves = (one: number, other: number) => Math.abs(Math.log2(one / other));
  const [ours, theirs] = [a.conv, b.conv];
  return (
    octaves(ours.inChannels, theirs.inChannels) +
    octaves(ours.outChannels, theirs.outChannels) +
    octaves(pixelsOf(a), pixelsOf(b)) / 2 +
    (ours.kernelSize === theirs.kernelSize ? 0 : 8) +
    (ours.stride === theirs.stride ? 0 : 8)
  );
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

/** What the convolution reads, or its gradient. */
function inputOf(op: TunedOp): TensorView {
  return op.op === 'convInputGradient' ? op.target.dx : op.x;
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

/** For the clock: the same convolution on one square level of one image. */
export function trialOf(op: TunedOp, flops: number): Trial {
  const pixels = Math.min(pixelsOf(op), flops / flopsOfPixel(op));
  const side = Math.max(leastSide, Math.round(Math.sqrt(pixels)));
  const length = side * op.conv.stride;
  return aloneOn(op, {
    batch: 1,
    to: { height: side, width: side },
    from: { height: length, width: length },
  });
}

/** For its result: two images so small that no tile ends where a row does. */
export function checkOf(op: TunedOp): Trial {
  const { kernelSize, stride, padding } = op.conv;
  const before = (side: number) => (side - 1) * stride + kernelSize - 2 * padding;
  const to = { height: 13, width: 11 };
  return aloneOn(op, { batch: 2, to, from: { height: before(to.height), width: before(to.width) } });
}

/** An operation by itself. */
export interface Trial {
  readonly op: TunedOp;
  /** What the convolution reads, what it writes, or their gradients, and the filter, which is a matrix of [taps x inputs, outputs]. */
  readonly x: TensorView;
  readonly y: TensorView;
  readonly filter: BufferRef;
}

interface TrialShape {
  readonly batch: number;
  readonly to: LevelShape;
  readonly from: LevelShape;
}

/** Nothing fused, everything in the arena. */
function aloneOn(op: TunedOp, { batch, to, from }: TrialShape): Trial {
  const { conv } = op;
  const view = (id: string, level: LevelShape, channels: number, { tensor }: TensorView): TensorView =>
    wholeView({ id: `trial ${id}`, batch, levels: [level], channels, storage: tensor.storage });
  const filter: BufferRef = {
    ...{ kind: 'arena', id: 'trial filter', offsetWords: 0 },
    words: conv.kernelSize ** 2 * strideOf(conv.inChannels) * strideOf(conv.outChannels),
  };
  const x = view('x', from, conv.inChannels, inputOf(op));
  const y = view('y', to, conv.outChannels, outputOf(op));
  return { op: opOf(op.op, conv, x, y, filter), x, y, filter };
}

function opOf(
  kind: TunedOp['op'],
  conv: ConvShape,
  x: TensorView,
  y: TensorView,
  filter: BufferRef,
): TunedOp {
  switch (kind) {
    case 'conv':
      return {
        op: kind,
        conv,
        x,
        y,
        weight: filter,
        ...{ bias: null, norm: null, residual: null, relu: false },
      };
    case 'convInputGradient':
      return { op: kind, conv, dy: y, weight: filter, norm: null, target: { dx: x, add: null, mask: null } };
    case 'convFilterGradient':
      return {
        ...{ op: kind, conv, x, dy: y, weightGradient: filter },
        ...{ biasGradient: null, norm: null, normGradient: null },
      };
  }
}
