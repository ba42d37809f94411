/** How threads are put together, and where ways to compute with them are offered; what they compute is for `test/gpu/engine`. */
import { describe, expect, it } from 'vitest';
import type { ConvFilterGradientOp, ConvOp } from '../../plan/ops.ts';
import { wholeView } from '../../plan/tensor.ts';
import type { DeviceFacts } from '../wgsl.ts';
import { filterVariants } from './filterGradient.ts';
import { convVariants } from './forward.ts';
import { teamFor } from './subgroupTeams.ts';

describe('teams', () => {
  const [nvidia, amd, intel] = [
    { min: 32, max: 32 },
    { min: 32, max: 64 },
    { min: 8, max: 32 },
  ];

  it('are a subgroup, or where it has more threads than there are columns a part of it', () => {
    expect(teamFor(64, 2, nvidia)).toEqual({ lanes: 32, teams: 1, loaders: 32 });
    expect(teamFor(180, 2, nvidia)).toEqual({ lanes: 32, teams: 1, loaders: 32 });
    expect(teamFor(16, 1, nvidia)).toEqual({ lanes: 16, teams: 2, loaders: 16 });
    expect(teamFor(9, 2, nvidia)).toEqual({ lanes: 8, teams: 4, loaders: 8 });
  });

  it('are a workgroup where nobody knows how large a subgroup is, and ask of none what only the largest has', () => {
    expect(teamFor(64, 1, intel)).toEqual({ lanes: 32, teams: 1, loaders: 8 });
    expect(teamFor(9, 1, intel)).toEqual({ lanes: 16, teams: 1, loaders: 8 });
    expect(teamFor(64, 1, amd)).toEqual({ lanes: 64, teams: 1, loaders: 32 });
    expect(teamFor(64, 2, amd)).toEqual({ lanes: 32, teams: 1, loaders: 32 });
  });

  it('are none where most of their threads would be idle', () => {
    expect(teamFor(1, 1, nvidia)).toBeNull();
    expect(teamFor(9, 1, amd)).toBeNull();
    expect(teamFor(64, 1, { min: 1, max: 1 })).toBeNull();
  });
});

describe('ways to compute in subgroups', () => {
  const facts: DeviceFacts = {
    software: false,
    maxWorkgroupsPerDimension: 65535,
    maxWorkgroupStorageBytes: 16384,
    maxInvocationsPerWorkgroup: 256,
    maxBindingBytes: 2 ** 27,
    subgroups: { min: 32, max: 32 },
    matrices: [],
  };
  const view = (id: string) =>
    wholeView({ id, batch: 1, levels: [{ height: 20, width: 20 }], channels: 64, storage: 'f32' });
  const conv = { kernelSize: 3, stride: 1, padding: 1, inChannels: 64, outChannels: 64 };
  const fused = { bias: null, norm: null, residual: null, relu: false };
  const weight = { kind: 'weights', offsetWords: 0, words: 9 * 64 * 64 } as const;
  const forward: ConvOp = { op: 'conv', conv, x: view('x'), y: view('y'), weight, ...fused };
  const filter: ConvFilterGradientOp = {
    ...{ op: 'convFilterGradient', conv, x: view('x'), dy: view('dy') },
    weightGradient: { kind: 'gradients', offsetWords: 0, words: 9 * 64 * 64 },
    ...{ biasGradient: null, norm: null, normGradient: null },
  };
  const offered = (of: DeviceFacts) => [convVariants(forward, of), filterVariants(filter, of)] as const;
  const kinds = (of: DeviceFacts) => offered(of).map((variants) => variants.map(({ kind }) => kind));

  it('come behind those with workgroup memory, and can be kept as text', () => {
    for (const variants of offered(facts)) {
      const first = variants.findIndex(({ kind }) => kind === 'subgroups');
      expect(first).toBeGreaterThan(variants.findLastIndex(({ kind }) => kind === 'workgroup'));
      expect(JSON.parse(JSON.stringify(variants[first]))).toEqual(variants[first]);
    }
  });

  it('are for devices that have them, and come first where a CPU plays the GPU with long registers', () => {
    const software = (lanes: number) => ({
      ...facts,
      software: true,
      subgroups: { min: lanes, max: lanes },
    });
    for (const of of [{ ...facts, subgroups: null }, software(4)]) {
      expect(kinds(of).flat()).not.toContain('subgroups');
    }
    const [convolution, filter] = kinds(software(8));
    expect(convolution!.indexOf('subgroups')).toBe(0);
    expect(filter).not.toContain('subgroups');
  });
});
