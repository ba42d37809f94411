/**
 * Convolutions on products of small matrices: held against the plain reference where an adapter has them (llvmpipe of Mesa 26.2 has),
 * and compiled for made-up shapes by Dawn's null backend everywhere.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { obtainDevice } from '../../../electron/terminal/device.ts';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { sliceCall } from '../../../shared/engine/device/slices.ts';
import {
  lowerConvFilterGradient,
  referenceConvFilterGradient,
} from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import { filterMatrixTiles } from '../../../shared/engine/kernels/convolution/filterGradientMatrix.ts';
import { lowerConv, referenceConv } from '../../../shared/engine/kernels/convolution/forward.ts';
import { gatherBackward, gatherForward } from '../../../shared/engine/kernels/convolution/gather.ts';
import { matrixVariants } from '../../../shared/engine/kernels/convolution/gatherMatrix.ts';
import {
  lowerConvInputGradient,
  referenceConvInputGradient,
} from '../../../shared/engine/kernels/convolution/inputGradient.ts';
import { type MatrixTile, threadsOf } from '../../../shared/engine/kernels/convolution/matrixUnits.ts';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import { imagesOf } from '../../../shared/engine/kernels/rows.ts';
import type { MatrixShape } from '../../../shared/engine/kernels/wgsl.ts';
import type { KernelCall } from '../../../shared/engine/plan/call.ts';
import type { ConvInputGradientOp, ConvOp, FoldedNorm } from '../../../shared/engine/plan/ops.ts';
import { strideOf, type TensorSpec, type TensorView } from '../../../shared/engine/plan/tensor.ts';
import * as filterGradient from './filterGradientCase.ts';
import { nullDevice } from './nullDevice.ts';
import { Operands, type Side } from './operands.ts';
import { expectSame, runCalls } from './runCalls.ts';

const { device, name, matrices } = await obtainDevice({
  preferSoftware: process.env.BOXWRIGHT_ADAPTER !== 'best',
  matrices: true,
});
/** As if a GPU: a software adapter takes these kernels only when it is told to. */
const facts = deviceFacts(device, false, matrices);
const lacking = matrices.length === 0;

interface Case {
  readonly name: string;
  readonly levels: readonly Side[];
  readonly channels: readonly [input: number, output: number];
  readonly kernel: number;
  readonly stride: number;
  /** Of what is read forward, and of what is written; gradients are f32. */
  readonly storage: readonly [x: TensorSpec['storage'], y: TensorSpec['storage']];
  readonly fused?: boolean;
}

const pyramid: Case = {
  name: '3x3 over levels, everything fused',
  levels: [
    [9, 11],
    [5, 6],
    [1, 1],
  ],
  ...{ channels: [36, 70], kernel: 3, stride: 1, storage: ['f16', 'f32'], fused: true },
};

const plain: Case = {
  name: '3x3 stride 2, odd',
  ...{ levels: [[7, 13]], channels: [20, 36], kernel: 3, stride: 2, storage: ['f16', 'f32'] },
};

const cases: Case[] = [
  pyramid,
  plain,
  {
    name: '1x1 in halves',
    ...{ levels: [[5, 9]], channels: [8, 68], kernel: 1, stride: 1, storage: ['f16', 'f16'], fused: true },
  },
  {
    name: '7x7 stride 2 on an image',
    ...{ levels: [[17, 20]], channels: [3, 8], kernel: 7, stride: 2, storage: ['f32', 'f16'] },
  },
];

const overLevels = { ...pyramid, storage: 'f32' } as const;
const inHalves = { ...plain, storage: 'f16' } as const;

const filters: filterGradient.FilterGradientCase[] = [
  { ...overLevels, name: 'over levels, a bias', also: 'bias' },
  { ...inHalves, name: 'in parts, a norm', levels: [[40, 40]], also: 'norm' },
  { ...inHalves, name: 'a norm that learns', also: 'learnt norm' },
];

describe.skipIf(lacking)(
  `convolutions on matrices${lacking ? `, skipped: ${name} has no products of small matrices` : ''}`,
  () => {
    it.each(cases)('are the reference of rounded numbers: $name', async (one) => {
      const { forward, backward } = operands(one);
      for (const tile of some(matrixVariants(gatherForward(forward), facts))) await expectForward(one, tile);
      for (const tile of some(matrixVariants(gatherBackward(backward), facts))) {
        await expectBackward(one, tile);
      }
    });

    it.each([0.5, 2])(
      'are so where subgroups are other than laid out for: %s times as large',
      async (times) => {
        const other = (tile: MatrixTile) => ({ ...tile, subgroup: facts.subgroups!.min / times });
        const { forward, backward } = operands(plain);
        await expectForward(plain, other(matrixVariants(gatherForward(forward), facts)[0]!));
        await expectBackward(plain, other(matrixVariants(gatherBackward(backward), facts)[0]!));
        const { op } = filterGradient.operands(filters[0]!);
        await expectFilter(filters[0]!, other(filterMatrixTiles(op, facts)[0]!));
      },
    );

    it('take gradients of any size, far below the smallest half too', async () => {
      const variant = matrixVariants(gatherBackward(operands(pyramid).backward), facts)[0]!;
      for (const size of [1e-30, 1e-12, 1e30]) await expectBackward(pyramid, variant, size);
    });

    it('give the same bytes twice, in slices too', async () => {
      const { of, backward } = operands(pyramid);
      const [tile] = matrixVariants(gatherBackward(backward), facts);
      const { op, memory, f16 } = filterGradient.operands(filters[0]!);
      const [filterTile] = filterMatrixTiles(op, facts);
      const dx = () => lowerConvInputGradient(backward, facts, tile);
      const dw = () => lowerConvFilterGradient(op, facts, filterTile);
      const [whole, sliced] = [await runCalls(device, dx(), of.memory, of.f16), await run(dx(), of)];
      expect(rowsOf(sliced, backward.target.dx)).toEqual(rowsOf(whole, backward.target.dx));
      const [first, second] = [await runCalls(device, dw(), memory, f16), await run(dw(), { memory, f16 })];
      expect(second.words(op.weightGradient)).toEqual(first.words(op.weightGradient));
    });

    it('hide nothing that is no number', async () => {
      for (const none of [Number.NaN, Number.NEGATIVE_INFINITY]) {
        const { of, backward } = operands(plain);
        of.memory.tensor(backward.dy)[7] = none;
        const variant = matrixVariants(gatherBackward(backward), facts)[0];
        const after = await run(lowerConvInputGradient(backward, facts, variant), of);
        expect(rowsOf(after, backward.target.dx).some((value) => Number.isNaN(value))).toBe(true);
      }
    });

    it.each(filters)("of filters' gradients are the reference of rounded numbers: $name", async (one) => {
      const { op } = filterGradient.operands(one);
      for (const tile of some(filterMatrixTiles(op, facts))) await expectFilter(one, tile);
    });
  },
);

/** Compiling takes the most of it. */
function some(tiles: readonly MatrixTile[]): MatrixTile[] {
  return [...new Set([tiles[0]!, tiles.at(-1)!])];
}

/** Of GPUs; the null backend has none of its own. */
const shapes: MatrixShape[] = [
  { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 },
  { component: 'f16', result: 'f32', m: 16, n: 8, k: 16 },
  { component: 'f16', result: 'f32', m: 8, n: 8, k: 8 },
  { component: 'f32', result: 'f32', m: 8, n: 8, k: 8 },
];

describe('kernels on matrices', () => {
  let compiler: GPUDevice;
  beforeAll(async () => {
    compiler = await nullDevice({ matrices: true });
  });

  it.each(shapes)('are valid of $component, $m x $n x $k', async (shape) => {
    const made = deviceFacts(compiler, false, [shape]);
    for (const { forward, backward } of [operands(pyramid), operands(cases.at(-1)!)]) {
      const variants = matrixVariants(gatherForward(forward), made);
      expect(variants.length).toBeGreaterThan(0);
      for (const variant of variants) {
        expect(threadsOf(variant) % made.subgroups!.max).toBe(0);
        const calls = [
          ...lowerConv(forward, made, variant),
          ...lowerConvInputGradient(backward, made, variant),
        ];
        for (const { code } of calls) await expectValid(compiler, code);
      }
    }
    for (const one of filters) {
      const { op } = filterGradient.operands(one);
      const tiles = filterMatrixTiles(op, made);
      expect(tiles.length).toBeGreaterThan(0);
      for (const tile of tiles) await expectValid(compiler, lowerConvFilterGradient(op, made, tile)[0]!.code);
    }
  });
});

async function expectValid(compiler: GPUDevice, code: string): Promise<void> {
  const module = compiler.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  expect(messages.map(({ message, lineNum }) => `${lineNum}: ${message}`)).toEqual([]);
  await compiler.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
}

interface Layer {
  readonly forward: ConvOp;
  readonly backward: ConvInputGradientOp;
  readonly of: Operands;
}

function operands({ levels, channels, kernel, stride, storage, fused = false }: Case): Layer {
  const of = new Operands(2);
  const [inChannels, outChannels] = channels;
  const conv = { inChannels, outChannels, kernelSize: kernel, stride, padding: (kernel - 1) / 2 };
  const outputs = levels.map(([height, width]): Side => [half(height, stride), half(width, stride)]);
  const words = kernel ** 2 * strideOf(inChannels) * strideOf(outChannels);
  const weight = { kind: 'weights', offsetWords: 0, words } as const;
  const filter = of.memory.words(weight);
  const noise = of.memory.words(of.vector({ kind: 'state', id: 'filter' }, words));
  for (let at = 0; at < words; at++) {
    const row = Math.floor(at / strideOf(outChannels)) % strideOf(inChannels);
    const isPadding = row >= inChannels || at % strideOf(outChannels) >= outChannels;
    filter[at] = isPadding ? 0 : noise[at]!;
  }
  const vector = (id: string) => of.vector({ kind: 'state', id }, outChannels);
  const norm: FoldedNorm | null = fused ? { scale: vector('scale'), shift: vector('shift') } : null;
  const [read, written] = storage;
  const forward: ConvOp = {
    ...{ op: 'conv', conv, weight, norm, bias: null, relu: fused },
    x: of.noise('x', levels, inChannels, { storage: read }),
    residual: fused ? of.noise('residual', outputs, outChannels, { storage: read }) : null,
    y: of.empty('y', outputs, outChannels, written),
  };
  const target = {
    dx: of.empty('dx', levels, inChannels),
    add: fused ? of.noise('add', levels, inChannels) : null,
    mask: fused ? of.noise('mask', levels, inChannels, { storage: read }) : null,
  };
  const dy = of.noise('dy', outputs, outChannels);
  return { of, forward, backward: { op: 'convInputGradient', conv, dy, weight, norm, target } };
}

function half(length: number, stride: number): number {
  return Math.floor((length - 1) / stride) + 1;
}

async function expectForward(one: Case, variant: MatrixTile): Promise<void> {
  const { of, forward } = operands(one);
  const after = await run(lowerConv(forward, facts, variant), of);
  if (variant.shape.component === 'f16') {
    roundAll(of.memory.words(forward.weight));
    roundAll(of.memory.tensor(forward.x));
  }
  referenceConv(forward, of.memory);
  const tolerance = one.storage[1] === 'f16' ? 5e-4 : 2e-6;
  expectSame(rowsOf(after, forward.y), rowsOf(of.memory, forward.y), tolerance);
}

/** @param size what gradients are multiplied with */
async function expectBackward(one: Case, variant: MatrixTile, size = 1): Promise<void> {
  const { of, backward } = operands(one);
  const { dy, norm, target, weight } = backward;
  const gradients = of.memory.tensor(dy);
  multiply(gradients, () => size);
  if (target.add) multiply(of.memory.tensor(target.add), () => size);
  const after = await run(lowerConvInputGradient(backward, facts, variant), of);
  if (norm) {
    const scale = of.memory.words(norm.scale);
    multiply(gradients, (at) => scale[at % scale.length]!);
  }
  if (variant.shape.component === 'f16') {
    roundAll(of.memory.words(weight));
    roundAll(gradients);
  }
  referenceConvInputGradient({ ...backward, norm: null }, of.memory);
  expectSame(rowsOf(after, target.dx), rowsOf(of.memory, target.dx));
}

async function expectFilter(one: filterGradient.FilterGradientCase, tile: MatrixTile): Promise<void> {
  const [exact, rounded] = [filterGradient.operands(one), filterGradient.operands(one)];
  const { op } = exact;
  const after = await run(lowerConvFilterGradient(op, facts, tile), exact);
  if (tile.shape.component === 'f16') for (const view of [op.x, op.dy]) roundAll(rounded.memory.tensor(view));
  for (const { memory } of [exact, rounded]) referenceConvFilterGradient(op, memory);
  const { weightGradient: filter, biasGradient: bias, normGradient: norm } = op;
  expectSame(after.words(filter), rounded.memory.words(filter), 3e-6);
  // Gradients are added up as they came.
  if (bias) expectSame(after.words(bias), exact.memory.words(bias), 3e-6);
  if (!norm) return;
  expectSame(after.words(norm.biasGradient), exact.memory.words(norm.biasGradient), 3e-6);
  expectSame(after.words(norm.weightGradient), exact.memory.words(norm.weightGradient), 2e-3);
}

/** In slices, which compute the same: what is dispatched whole is their sum. */
function run(calls: readonly KernelCall[], of: Pick<Operands, 'memory' | 'f16'>): Promise<Memory> {
  return runCalls(
    device,
    calls.flatMap((call) => sliceCall(call, 2)),
    of.memory,
    of.f16,
  );
}

function multiply(values: Float32Array, by: (at: number) => number): void {
  for (let at = 0; at < values.length; at++) values[at]! *= by(at);
}

/** To as many digits as a half has, whatever the exponent. */
function roundAll(values: Float32Array): void {
  values.forEach((value, at) => {
    const exponent = 2 ** Math.floor(Math.log2(Math.abs(value) || 1));
    values[at] = Math.f16round(value / exponent) * exponent;
  });
}

/** What lies between levels is anything. */
function rowsOf(memory: Memory, view: TensorView): Float32Array {
  const all = memory.tensor(view);
  const stride = strideOf(view.tensor.channels);
  return Float32Array.from(
    imagesOf(view).flatMap(({ firstRow, rows }) => [
      ...all.subarray(firstRow * stride, (firstRow + rows) * stride),
    ]),
  );
}
