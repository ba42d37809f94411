/**
 * Kernels whose threads hand each other values in subgroups: against the plain references with the subgroups that the device has
 * (SwiftShader's four threads, llvmpipe's eight), and compiled by Dawn's null backend for those of GPUs.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { sliceCall } from '../../../shared/engine/device/slices.ts';
import { lowerConvFilterGradient } from '../../../shared/engine/kernels/convolution/filterGradient.ts';
import { subgroupsTiles } from '../../../shared/engine/kernels/convolution/filterGradientSubgroups.ts';
import { lowerConv } from '../../../shared/engine/kernels/convolution/forward.ts';
import { gatherBackward, gatherForward } from '../../../shared/engine/kernels/convolution/gather.ts';
import { subgroupsVariants } from '../../../shared/engine/kernels/convolution/gatherSubgroups.ts';
import { lowerConvInputGradient } from '../../../shared/engine/kernels/convolution/inputGradient.ts';
import type { Team } from '../../../shared/engine/kernels/convolution/subgroupTeams.ts';
import { testDevice } from '../softwareDevice.ts';
import * as convolution from './convolutionCase.ts';
import * as filterGradient from './filterGradientCase.ts';
import { nullDevice } from './nullDevice.ts';
import { runCalls } from './runCalls.ts';

const { device, name: adapter } = (await testDevice()).device;
const facts = deviceFacts(device, false);
const { min, max: size } = facts.subgroups ?? { min: 0, max: 0 };
const without =
  min === size && size >= 4 ? '' : ` (skipped: ${adapter} has no subgroups of one size that is known)`;

/** As for subgroups of one size, for those that are of several, and for fewer channels than a subgroup has threads. */
const teams = {
  'one team': { lanes: size, teams: 1, loaders: size },
  'an open size': { lanes: 2 * size, teams: 1, loaders: 4 },
  'two teams': { lanes: size / 2, teams: 2, loaders: size / 2 },
} satisfies Record<string, Team>;

const overLevels = {
  name: '3x3 over levels',
  levels: [
    [7, 9],
    [3, 2],
    [1, 1],
  ],
  channels: [5, 36],
  kernel: 3,
  stride: 1,
} as const;
const stride2 = {
  name: '3x3 stride 2, odd',
  levels: [[7, 5]],
  channels: [24, 44],
  kernel: 3,
  stride: 2,
} as const;
const ofOneTap = {
  name: '1x1 stride 2',
  levels: [[6, 9]],
  channels: [8, 12],
  kernel: 1,
  stride: 2,
} as const;
const inHalves = {
  name: '1x1 in halves',
  levels: [[5, 3]],
  channels: [20, 720],
  kernel: 1,
  stride: 1,
  storage: 'f16',
} as const;
const ofImage = {
  name: '7x7 stride 2 of an image',
  levels: [[17, 20]],
  channels: [3, 24],
  kernel: 7,
  stride: 2,
} as const;

describe.skipIf(without)(`convolutions in subgroups${without}`, () => {
  it.each([
    { each: { ...overLevels, fused: 'norm' }, team: 'one team', pixels: 4, fours: 2 },
    { each: { ...overLevels, fused: 'bias' }, team: 'an open size', pixels: 4, fours: 1 },
    { each: overLevels, team: 'two teams', pixels: 8, fours: 1 },
    { each: stride2, team: 'one team', pixels: 4, fours: 1 },
    { each: { ...ofOneTap, fused: 'norm' }, team: 'two teams', pixels: 4, fours: 1 },
    { each: { ...inHalves, fused: 'norm' }, team: 'one team', pixels: 4, fours: 1 },
    { each: ofImage, team: 'an open size', pixels: 4, fours: 2 },
  ] as const)(
    'are the reference, forward and backward: $each.name, $team of $pixels pixels, $fours fours',
    ({ each, team, pixels, fours }) => {
      const variant = { kind: 'subgroups', ...teams[team], pixels, fours } as const;
      return convolution.expectReference(device, facts, each, variant);
    },
  );

  it('give the same bytes twice, in slices too', async () => {
    const variant = { kind: 'subgroups', ...teams['one team'], pixels: 4, fours: 2 } as const;
    const { memory, forward, backward } = convolution.operands({ ...overLevels, fused: 'norm' });
    const calls = [
      ...lowerConv(forward, facts, variant),
      ...lowerConvInputGradient(backward, facts, variant),
    ];
    const sliced = calls.flatMap((call) => sliceCall(call, 3));
    expect(sliced.length).toBeGreaterThan(calls.length + 2);
    const runs = [await runCalls(device, calls, memory), await runCalls(device, sliced, memory)];
    for (const view of [forward.y, backward.target.dx]) {
      expect(runs[1]!.tensor(view)).toEqual(runs[0]!.tensor(view));
    }
  });
});

describe.skipIf(without)(`filters' gradients in subgroups${without}`, () => {
  it.each([
    { each: { ...overLevels, also: 'bias' }, team: 'one team', rows: 16, fours: 2 },
    { each: { ...stride2, also: 'learnt norm' }, team: 'an open size', rows: 16, fours: 1 },
    { each: { ...stride2, also: 'norm' }, team: 'two teams', rows: 8, fours: 1 },
    { each: { ...inHalves, also: 'bias' }, team: 'one team', rows: 8, fours: 2 },
    { each: ofImage, team: 'one team', rows: 8, fours: 1 },
  ] as const)(
    'are the reference: $each.name, $team of $rows rows, $fours fours',
    ({ each, team, rows, fours }) => {
      const tile = { kind: 'subgroups', ...teams[team], rows, fours } as const;
      return filterGradient.expectReference(device, facts, each, tile);
    },
  );

  it('give the same bytes twice, in slices too', async () => {
    const tile = { kind: 'subgroups', ...teams['one team'], rows: 16, fours: 2 } as const;
    const { memory, op } = filterGradient.operands({ ...overLevels, levels: [[40, 40]] });
    const calls = lowerConvFilterGradient(op, facts, tile);
    const sliced = calls.flatMap((call) => sliceCall(call, 3));
    expect(sliced.length).toBeGreaterThan(calls.length);
    const runs = [await runCalls(device, calls, memory), await runCalls(device, sliced, memory)];
    const [first, second] = runs.map((after) => after.words(op.weightGradient));
    expect(second).toEqual(first);
  });
});

/** NVIDIA and Apple, AMD, Intel, Qualcomm, older AMD. */
const sizes = [
  { min: 32, max: 32 },
  { min: 32, max: 64 },
  { min: 8, max: 32 },
  { min: 64, max: 128 },
  { min: 64, max: 64 },
];

describe('kernels in subgroups', () => {
  let compiler: GPUDevice;
  beforeAll(async () => {
    compiler = await nullDevice();
  });

  it.each(sizes)('are valid where those have from $min to $max threads', async (subgroups) => {
    const made = { ...deviceFacts(compiler, false), subgroups };
    const channels = [40, 264] as const;
    const { forward, backward } = convolution.operands({ ...stride2, channels, fused: 'norm' });
    const { op } = filterGradient.operands({ ...overLevels, channels, also: 'bias' });
    const variants = {
      forward: subgroupsVariants(gatherForward(forward), made),
      backward: subgroupsVariants(gatherBackward(backward), made),
      filter: subgroupsTiles(op, made),
    };
    expect(variants.forward.length).toBeGreaterThan(0);
    expect(variants.filter.length).toBeGreaterThan(0);
    const calls = [
      ...variants.forward.flatMap((variant) => lowerConv(forward, made, variant)),
      ...variants.backward.flatMap((variant) => lowerConvInputGradient(backward, made, variant)),
      ...variants.filter.flatMap((tile) => lowerConvFilterGradient(op, made, tile)),
    ];
    for (const { code } of calls) await expectValid(compiler, code);
  });
});

async function expectValid(compiler: GPUDevice, code: string): Promise<void> {
  compiler.pushErrorScope('validation');
  const module = compiler.createShaderModule({ code });
  compiler.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  expect((await compiler.popErrorScope())?.message).toBeUndefined();
}
