/** The operations of a step computed by the kernels' references, in plain memory: what a device's results are held against. */
import type { Op } from '../plan/ops.ts';
import { referenceConvFilterGradient } from './convolution/filterGradient.ts';
import { referenceConv } from './convolution/forward.ts';
import { referenceConvInputGradient } from './convolution/inputGradient.ts';
import type { Memory } from './memory.ts';
import { referenceAffine, referenceAffineGradient } from './norms/affine.ts';
import { referenceFoldNorms } from './norms/foldNorms.ts';
import { referenceGroupNorm } from './norms/groupNorm.ts';
import { referenceGroupNormGradient } from './norms/groupNormGradient.ts';
import { referenceMaxPool } from './pooling/maxPool.ts';
import { referenceMaxPoolGradient } from './pooling/maxPoolGradient.ts';
import { referenceUpsample, referenceUpsampleGradient } from './pooling/upsample.ts';
import { referenceSum } from './sums/sum.ts';

const references: { readonly [Kind in Op['op']]: (op: Extract<Op, { op: Kind }>, memory: Memory) => void } = {
  conv: referenceConv,
  convInputGradient: referenceConvInputGradient,
  convFilterGradient: referenceConvFilterGradient,
  foldNorms: referenceFoldNorms,
  affine: referenceAffine,
  affineGradient: referenceAffineGradient,
  groupNorm: referenceGroupNorm,
  groupNormGradient: referenceGroupNormGradient,
  sum: referenceSum,
  maxPool: referenceMaxPool,
  maxPoolGradient: referenceMaxPoolGradient,
  upsample: referenceUpsample,
  upsampleGradient: referenceUpsampleGradient,
};

export function interpretOps(ops: readonly Op[], memory: Memory): void {
  for (const op of ops) (references[op.op] as (op: Op, memory: Memory) => void)(op, memory);
}
