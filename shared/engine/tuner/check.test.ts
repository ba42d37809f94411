import { describe, expect, it } from 'vitest';
import { convolution, plainBench } from '../../../test/support/plainBench.ts';
import { Problem } from '../../domain/problem.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import { Check } from './check.ts';
import { type Variant, variantsOf } from './trials.ts';

const facts: DeviceFacts = {
  software: false,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupStorageBytes: 16384,
  maxInvocationsPerWorkgroup: 256,
  maxBindingBytes: 2 ** 27,
  subgroups: null,
  matrices: [],
};

const kinds = ['conv', 'convInputGradient', 'convFilterGradient'] as const;

/** A device that gets these ways wrong: `spoil` is given what is right. */
function spoiling(ways: readonly Variant[], spoil: (result: Float32Array) => void) {
  return plainBench(op, facts, (variant, result) => {
    if (ways.some((way) => JSON.stringify(way) === JSON.stringify(variant))) spoil(result);
  });
}

describe.each(kinds)('of %s', (kind) => {
  const shapes = [
    { inChannels: 3, outChannels: 18, kernelSize: 7, stride: 2, padding: 3 },
    { inChannels: 10, outChannels: 7, kernelSize: 3, stride: 2, padding: 1 },
    { inChannels: 12, outChannels: 33, kernelSize: 3, stride: 1, padding: 1 },
    { inChannels: 9, outChannels: 8, kernelSize: 1, stride: 1, padding: 0 },
  ];
  it.each(shapes)('what is right passes: $kernelSize / $stride', async (conv) => {
    for (const storages of [
      ['f32', 'f32'],
      ['f16', 'f32'],
      ['f16', 'f16'],
    ] as const) {
      const op = convolution(kind, conv, storages);
      const check = new Check(op, facts, plainBench(op, facts));
      for (const variant of variantsOf(op, facts)) expect(await check.passes(variant)).toBe(true);
      expect(check.wrong.size).toBe(0);
    }
  });
});

const op = convolution('convFilterGradient', {
  ...{ inChannels: 36, outChannels: 70, kernelSize: 3, stride: 1, padding: 1 },
});
const variants = variantsOf(op, facts);
const [first, second, third] = [variants[0]!, variants[1]!, variants[2]!];

describe('a way that is wrong', () => {
  it('does not pass: nothing written at the end, or a term left out of every sum', async () => {
    const same = (a: Variant, b: Variant) => JSON.stringify(a) === JSON.stringify(b);
    const bench = plainBench(op, facts, (variant, result) => {
      if (same(variant, first)) result.fill(Number.NaN, result.length - 1);
      if (same(variant, second)) for (let at = 0; at < result.length; at++) result[at]! -= 1 / 16;
    });
    const check = new Check(op, facts, bench);
    const passed = [];
    for (const variant of variants) passed.push(await check.passes(variant));
    expect(passed).toEqual(variants.map((variant) => variant !== first && variant !== second));
    expect([...check.wrong]).toEqual([first, second]);
  });

  it('is found by one that differs, in a place that was not looked at, whichever comes first', async () => {
    const spoil = (result: Float32Array) => {
      result[123] = Number.NaN;
      result[20_001]! += 0.25;
    };
    for (const wrong of [[first], [first, second], [third]]) {
      const check = new Check(op, facts, spoiling(wrong, spoil));
      for (const variant of variants) await check.passes(variant);
      expect([...check.wrong]).toEqual(wrong);
    }
  });

  it('may be every way', async () => {
    const check = new Check(
      op,
      facts,
      spoiling(variants, (result) => result.fill(1)),
    );
    for (const variant of variants) expect(await check.passes(variant)).toBe(false);
    expect(check.wrong.size).toBe(variants.length);
  });
});

it('rounding is no mistake, and halves round more', async () => {
  for (const [storage, off] of [
    ['f32', 2 ** -22],
    ['f16', 2 ** -11],
  ] as const) {
    const rounded = convolution('conv', op.conv, ['f16', storage]);
    let sign = 1;
    const bench = plainBench(rounded, facts, (_, result) => {
      sign = -sign;
      for (let at = 0; at < result.length; at++) result[at]! *= 1 + sign * off;
    });
    const check = new Check(rounded, facts, bench);
    for (const variant of variantsOf(rounded, facts)) expect(await check.passes(variant)).toBe(true);
  }
});

it('what the device refuses does not pass and is not wrong; its loss is told', async () => {
  const refusing = (kind: 'internal' | 'device-lost') =>
    new Check(op, facts, { compute: async () => Promise.reject(new Problem(kind, 'No.', 'None.')) });
  const check = refusing('internal');
  expect(await check.passes(first)).toBe(false);
  expect(check.wrong.size).toBe(0);
  await expect(refusing('device-lost').passes(first)).rejects.toMatchObject({ kind: 'device-lost' });
});
