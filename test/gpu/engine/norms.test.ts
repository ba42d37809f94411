/** Norms and sums against their references: odd widths of groups, packed levels, halves, gradients that are added. */
import { beforeAll, describe, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import {
  lowerAffine,
  lowerAffineGradient,
  referenceAffine,
  referenceAffineGradient,
} from '../../../shared/engine/kernels/norms/affine.ts';
import { lowerFoldNorms, referenceFoldNorms } from '../../../shared/engine/kernels/norms/foldNorms.ts';
import { lowerGroupNorm, referenceGroupNorm } from '../../../shared/engine/kernels/norms/groupNorm.ts';
import {
  lowerGroupNormGradient,
  referenceGroupNormGradient,
} from '../../../shared/engine/kernels/norms/groupNormGradient.ts';
import { lowerSum, referenceSum } from '../../../shared/engine/kernels/sums/sum.ts';
import type { BufferRef, KernelCall } from '../../../shared/engine/plan/call.ts';
import type { GroupNormGradientOp, GroupNormOp } from '../../../shared/engine/plan/ops.ts';
import type { TensorView } from '../../../shared/engine/plan/tensor.ts';
import { testDevice } from '../softwareDevice.ts';
import { Operands, type Side } from './operands.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const pyramid: Side[] = [
  [19, 23],
  [5, 6],
  [3, 3],
  [1, 2],
];

/** Runs the calls and the reference on the same memory, and holds what was written against each other. */
async function check(
  { memory, f16 }: Operands,
  calls: readonly KernelCall[],
  reference: (memory: Memory) => void,
  written: readonly (readonly [TensorView | BufferRef, tolerance?: number])[],
): Promise<void> {
  const after = await runCalls(device, calls, memory, f16);
  reference(memory);
  for (const [each, tolerance] of written) {
    const read = (from: Memory) => ('tensor' in each ? from.tensor(each) : from.words(each));
    expectSame(read(after), read(memory), tolerance ?? 3e-6);
  }
}

describe.each([
  ['software', true],
  ['real GPUs', false],
] as const)('norms for %s', (_name, software) => {
  it.each([
    { name: 'groups of three channels, levels', channels: 24, groups: 8, levels: pyramid, relu: true },
    {
      name: 'with what is added to it',
      ...{ channels: 24, groups: 8, levels: pyramid, relu: true, residual: true },
    },
    { name: 'groups of eight, far from zero', channels: 32, groups: 4, levels: pyramid, mean: 300 },
    {
      name: 'padding, in halves',
      channels: 6,
      groups: 2,
      levels: [[9, 7] as Side],
      relu: true,
      storage: 'f16',
    },
  ] as const)('groupNorm: $name', async (each) => {
    const { channels, groups, levels } = each;
    const storage = 'storage' in each ? each.storage : 'f32';
    const mean = 'mean' in each ? (each.mean ?? 0.5) : 0.5;
    const of = new Operands(2);
    const x = of.noise('x', levels, channels, { storage, mean });
    const shared = { x, groups, weight: of.vector({ kind: 'weights' }, channels), statistics: 'statistics' };
    const forward: GroupNormOp = {
      ...shared,
      op: 'groupNorm',
      epsilon: 1e-5,
      bias: of.vector({ kind: 'weights' }, channels),
      residual: 'residual' in each ? of.noise('residual', levels, channels, { storage }) : null,
      relu: 'relu' in each,
      y: of.empty('y', levels, channels, storage),
    };
    const dx = of.empty('dx', levels, channels);
    const gradient: GroupNormGradientOp = {
      ...shared,
      op: 'groupNormGradient',
      dy: of.noise('dy', levels, channels),
      weightGradient: of.vector({ kind: 'gradients' }, channels),
      biasGradient: of.vector({ kind: 'gradients' }, channels),
      target: { dx, add: of.noise('add', levels, channels), mask: x },
    };
    const facts = deviceFacts(device, software);
    const calls = [...lowerGroupNorm(forward, facts), ...lowerGroupNormGradient(gradient, facts)];
    const reference = (memory: Memory) => {
      referenceGroupNorm(forward, memory);
      referenceGroupNormGradient(gradient, memory);
    };
    // Far from zero, x itself has lost the last digits of its distance from the mean.
    const tolerance = mean > 1 ? 1e-4 : 3e-6;
    await check(of, calls, reference, [
      [forward.y, storage === 'f16' ? 1e-3 : tolerance],
      [dx, tolerance],
      [gradient.weightGradient!, tolerance],
      [gradient.biasGradient!],
    ]);
  });

  it('folds, applies and differentiates norms of fixed statistics', async () => {
    const of = new Operands(2);
    const state = { kind: 'state', id: 'norms' } as const;
    const norms = [20, 6, 64, 8, 12].map((channels) => {
      const folded = () => ({ scale: of.vector(state, channels), shift: of.vector(state, channels) });
      const [weight, bias] = [
        of.vector({ kind: 'weights' }, channels),
        of.vector({ kind: 'weights' }, channels),
      ];
      return { channels, weight, bias, fixed: folded(), folded: folded() };
    });
    const { fixed, folded } = norms[1]!;
    const x = of.noise('x', pyramid, 6);
    const y = of.empty('y', pyramid, 6);
    const dx = of.empty('dx', pyramid, 6);
    const weightGradient = of.vector({ kind: 'gradients' }, 6);
    const biasGradient = of.vector({ kind: 'gradients' }, 6);
    const fold = { op: 'foldNorms', norms } as const;
    const forward = { op: 'affine', x, norm: folded, relu: true, y } as const;
    const gradient = {
      op: 'affineGradient',
      x,
      dy: of.noise('dy', pyramid, 6),
      norm: folded,
      learnt: { weightGradient, biasGradient, fixed },
      target: { dx, add: null, mask: x },
    } as const;
    const facts = deviceFacts(device, software);
    const calls = [...lowerFoldNorms(fold, facts), ...lowerAffine(forward, facts)];
    calls.push(...lowerAffineGradient(gradient, facts));
    const reference = (memory: Memory) => {
      referenceFoldNorms(fold, memory);
      referenceAffine(forward, memory);
      referenceAffineGradient(gradient, memory);
    };
    const vectors = norms.flatMap((norm) => [[norm.folded.scale], [norm.folded.shift]] as const);
    await check(of, calls, reference, [...vectors, [y], [dx], [weightGradient], [biasGradient]]);
  });

  it('adds up more than fits a dispatch, the same tensor twice among it', async () => {
    const of = new Operands(2);
    const inputs = Array.from({ length: 8 }, (_, index) =>
      of.noise(`x${index}`, pyramid, 10, { storage: index === 3 ? 'f16' : 'f32' }),
    );
    const y = of.empty('y', pyramid, 10);
    const op = { op: 'sum', inputs: [...inputs, inputs[7]!], relu: true, mask: inputs[6]!, y } as const;
    const calls = lowerSum(op, deviceFacts(device, software));
    await check(of, calls, (memory) => referenceSum(op, memory), [[y]]);
  });
});
