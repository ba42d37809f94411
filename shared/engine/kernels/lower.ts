/** The operations of a step as dispatches. */
import type { KernelCall } from '../plan/call.ts';
import type { ConvFilterGradientOp, ConvInputGradientOp, ConvOp, Op } from '../plan/ops.ts';
import { type FilterVariant, lowerConvFilterGradient } from './convolution/filterGradient.ts';
import { lowerConv } from './convolution/forward.ts';
import type { ConvVariant } from './convolution/gatherVariants.ts';
import { lowerConvInputGradient } from './convolution/inputGradient.ts';
import { lowerAffine, lowerAffineGradient } from './norms/affine.ts';
import { lowerFoldNorms } from './norms/foldNorms.ts';
import { lowerGroupNorm } from './norms/groupNorm.ts';
import { lowerGroupNormGradient } from './norms/groupNormGradient.ts';
import { lowerMaxPool } from './pooling/maxPool.ts';
import { lowerMaxPoolGradient } from './pooling/maxPoolGradient.ts';
import { lowerUpsample, lowerUpsampleGradient } from './pooling/upsample.ts';
import { lowerSum } from './sums/sum.ts';
import type { DeviceFacts } from './wgsl.ts';

/** How the convolutions are computed; undefined: as is best where nothing was tried. */
export interface Choices {
  readonly conv: (op: ConvOp | ConvInputGradientOp) => ConvVariant | undefined;
  readonly filter: (op: ConvFilterGradientOp) => FilterVariant | undefined;
}

export function lowerOps(ops: readonly Op[], facts: DeviceFacts, choices?: Choices): KernelCall[] {
  return ops.flatMap((op) => lowerOp(op, facts, choices));
}

function lowerOp(op: Op, facts: DeviceFacts, choices: Choices | undefined): KernelCall[] {
  switch (op.op) {
    case 'conv':
      return lowerConv(op, facts, choices?.conv(op));
    case 'convInputGradient':
      return lowerConvInputGradient(op, facts, choices?.conv(op));
    case 'convFilterGradient':
      return lowerConvFilterGradient(op, facts, choices?.filter(op));
    case 'foldNorms':
      return lowerFoldNorms(op, facts);
    case 'affine':
      return lowerAffine(op, facts);
    case 'affineGradient':
      return lowerAffineGradient(op, facts);
    case 'groupNorm':
      return lowerGroupNorm(op, facts);
    case 'groupNormGradient':
      return lowerGroupNormGradient(op, facts);
    case 'sum':
      return lowerSum(op, facts);
    case 'maxPool':
      return lowerMaxPool(op, facts);
    case 'maxPoolGradient':
      return lowerMaxPoolGradient(op, facts);
    case 'upsample':
      return lowerUpsample(op, facts);
    case 'upsampleGradient':
      return lowerUpsampleGradient(op, facts);
  }
}
