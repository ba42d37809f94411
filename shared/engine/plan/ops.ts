/**
 * What a step is made of before it is lowered to dispatches: a short list of layers, each with what is fused into it. The compiler
 * writes them from a network's graph; `shared/engine/kernels` has for each a WGSL kernel and a plain reference beside it.
 *
 * Wherever a gradient is written, `GradientTarget` says what else is done in the same pass: other gradients of the same tensor
 * are added, and where the tensor is the output of a ReLU, the sum is zeroed where that output is not positive.
 */
import type { BufferRef } from './call.ts';
import type { TensorView } from './tensor.ts';

export interface ConvShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

/** A norm of fixed statistics as `x * scale + shift`, `[strideOf(channels)]` each, padding zero. */
export interface FoldedNorm {
  readonly scale: BufferRef;
  readonly shift: BufferRef;
}

export interface GradientTarget {
  readonly dx: TensorView;
  /** Added to what is computed. */
  readonly add: TensorView | null;
  /** The output of a ReLU: the gradient (after the addition) is zero where it is not positive. */
  readonly mask: TensorView | null;
}

/** `y = relu?(norm?(conv(x, w)) + bias? + residual?)`. Weights `[tap][strideOf(in)][strideOf(out)]`; bias `[strideOf(out)]`. Levels one by one. */
export interface ConvOp {
  readonly op: 'conv';
  readonly conv: ConvShape;
  readonly x: TensorView;
  readonly weight: BufferRef;
  readonly bias: BufferRef | null;
  readonly norm: FoldedNorm | null;
  readonly residual: TensorView | null;
  readonly relu: boolean;
  readonly y: TensorView;
}

/** `dx = mask(convT(dy * norm.scale, w) + add)`. */
export interface ConvInputGradientOp {
  readonly op: 'convInputGradient';
  readonly conv: ConvShape;
  readonly dy: TensorView;
  readonly weight: BufferRef;
  readonly norm: FoldedNorm | null;
  readonly target: GradientTarget;
}

/**
 * ADDS to `weightGradient` the filter's gradient, `norm.scale[out] * sum over pixels of x * dy`, and to `biasGradient` the sums of dy.
 * Where the norm learns, adds to `normGradient` what `scale = weight * fixedScale`, `shift = bias + weight * fixedShift` make of
 * `dscale[out] = sum over k of w[k][out] * (sum over pixels of x * dy)` and `dshift = sum of dy`.
 */
export interface ConvFilterGradientOp {
  readonly op: 'convFilterGradient';
  readonly conv: ConvShape;
  readonly x: TensorView;
  readonly dy: TensorView;
  readonly weightGradient: BufferRef;
  readonly biasGradient: BufferRef | null;
  readonly norm: FoldedNorm | null;
  readonly normGradient: (LearntNorm & { readonly convWeight: BufferRef }) | null;
}

/** A folded norm whose weight and bias learn: `scale = weight * fixed.scale`, `shift = bias + weight * fixed.shift`. */
export interface LearntNorm {
  readonly weightGradient: BufferRef;
  readonly biasGradient: BufferRef;
  readonly fixed: FoldedNorm;
}

/** Writes `folded` from weight and bias, for all norms that learn in one dispatch, at the beginning of a step. */
export interface FoldNormsOp {
  readonly op: 'foldNorms';
  readonly norms: readonly {
    readonly channels: number;
    readonly weight: BufferRef;
    readonly bias: BufferRef;
    readonly fixed: FoldedNorm;
    readonly folded: FoldedNorm;
  }[];
}

/** A norm of fixed statistics that follows no convolution: `y = relu?(x * scale + shift)`. */
export interface AffineOp {
  readonly op: 'affine';
  readonly x: TensorView;
  readonly norm: FoldedNorm;
  readonly relu: boolean;
  readonly y: TensorView;
}

/** `dx = mask(dy * scale + add)`; ADDS to the learnt norm's gradients. */
export interface AffineGradientOp {
  readonly op: 'affineGradient';
  readonly x: TensorView;
  readonly dy: TensorView;
  readonly norm: FoldedNorm;
  readonly learnt: LearntNorm | null;
  readonly target: GradientTarget | null;
}

/** torch's GroupNorm per level and image, `y = relu?(normalised * weight + bias + residual?)`. */
export interface GroupNormOp {
  readonly op: 'groupNorm';
  readonly x: TensorView;
  readonly groups: number;
  readonly epsilon: number;
  readonly weight: BufferRef;
  readonly bias: BufferRef;
  readonly residual: TensorView | null;
  readonly relu: boolean;
  readonly y: TensorView;
  /** Arena id: mean and reciprocal deviation, `[level][image][group][2]`; the gradient reads it. */
  readonly statistics: string;
}

/** `dy` is of the norm's own output: a ReLU's mask is applied to it already. ADDS to weight and bias gradients. */
export interface GroupNormGradientOp {
  readonly op: 'groupNormGradient';
  readonly x: TensorView;
  readonly dy: TensorView;
  readonly groups: number;
  readonly weight: BufferRef;
  readonly statistics: string;
  readonly weightGradient: BufferRef | null;
  readonly biasGradient: BufferRef | null;
  readonly target: GradientTarget | null;
}

/** `y = mask(relu?(sum of the inputs))`: additions, a ReLU of its own, gradients that join. */
export interface SumOp {
  readonly op: 'sum';
  readonly inputs: readonly TensorView[];
  readonly relu: boolean;
  readonly mask: TensorView | null;
  readonly y: TensorView;
}

/** 3x3, stride 2, padding 1 that never wins. */
export interface MaxPoolOp {
  readonly op: 'maxPool';
  readonly x: TensorView;
  readonly y: TensorView;
}

/** To the first of equal maxima, row by row, as torch and tfjs do. */
export interface MaxPoolGradientOp {
  readonly op: 'maxPoolGradient';
  readonly x: TensorView;
  readonly dy: TensorView;
  readonly target: GradientTarget;
}

/** `y = relu?(upsampled x + lateral?)`, nearest neighbour to exactly twice the size. */
export interface UpsampleOp {
  readonly op: 'upsample';
  readonly x: TensorView;
  readonly lateral: TensorView | null;
  readonly relu: boolean;
  readonly y: TensorView;
}

/** Each cell's gradient is its 2x2 block's sum. */
export interface UpsampleGradientOp {
  readonly op: 'upsampleGradient';
  readonly dy: TensorView;
  readonly target: GradientTarget;
}

export type Op =
  | ConvOp
  | ConvInputGradientOp
  | ConvFilterGradientOp
  | FoldNormsOp
  | AffineOp
  | AffineGradientOp
  | GroupNormOp
  | GroupNormGradientOp
  | SumOp
  | MaxPoolOp
  | MaxPoolGradientOp
  | UpsampleOp
  | UpsampleGradientOp;
