import { describe, expect, it } from 'vitest';
import { convolution, plainBench } from '../../../test/support/plainBench.ts';
import { Problem } from '../../domain/problem.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { KernelCall } from '../plan/call.ts';
import {
  checkOf,
  flopsOf,
  leastTrialFlops,
  lowerVariant,
  shapeKey,
  type TunedOp,
  trialFlops,
  trialOf,
  type Variant,
  variantsOf,
} from './trials.ts';
import { Tuner, type TunerCache } from './tuner.ts';
import type { Workbench } from './workbench.ts';

const facts: DeviceFacts = {
  software: false,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupStorageBytes: 16384,
  maxInvocationsPerWorkgroup: 256,
  maxBindingBytes: 2 ** 27,
  subgroups: null,
  matrices: [],
};

function filterGradient(channels: number, side: number): TunedOp {
  const conv = { inChannels: channels, outChannels: channels, kernelSize: 3, stride: 1, padding: 1 };
  return convolution('convFilterGradient', conv, ['f32', 'f32'], side);
}

const [small, large] = [filterGradient(64, 20), filterGradient(256, 40)];
const right = new Map([small, large].map((op) => [checkOf(op).filter.words, plainBench(op, facts)]));

/** Every way is right. */
const compute: Workbench['compute'] = (calls, operands, result) =>
  right.get(result.words)!.compute(calls, operands, result);

const compile = async () => {};

function chosen(tuner: Tuner, op: TunedOp) {
  return op.op === 'convFilterGradient' ? tuner.choices.filter(op) : tuner.choices.conv(op);
}

function kept(): TunerCache & { readonly texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    read: async (key) => texts.get(key) ?? null,
    write: async (key, text) => void texts.set(key, text),
  };
}

/** A GPU on which a given way to compute is the fastest; every trial takes a second. */
function bench(cache: TunerCache | null, { fastest = 2, budgetMs = 1e9, software = false } = {}) {
  const codes = [small, large].map(
    (op) => lowerVariant(trialOf(op, leastTrialFlops).op, facts, variantsOf(op, facts)[fastest]!)[0]!.code,
  );
  const state = { nowMs: 0, trials: 0, sentences: [] as string[] };
  const time = async (calls: readonly KernelCall[]) => {
    state.trials++;
    state.nowMs += 1000;
    return codes.includes(calls[0]!.code) ? 1 : 2;
  };
  const clock = () => state.nowMs;
  const settings = { adapterKey: 'a GPU', cache, bench: { compile, time, compute }, clock, budgetMs };
  const tuner = new Tuner({ ...settings, facts: { ...facts, software } });
  return {
    tuner,
    state,
    tune: () => tuner.tune([small, large], (sentence) => state.sentences.push(sentence)),
  };
}

describe('the tuner', () => {
  const count = variantsOf(small, facts).length + variantsOf(large, facts).length;

  it('finds the fastest way to compute each kind, and says how far it is', async () => {
    const { tuner, state, tune } = bench(null);
    expect(chosen(tuner, small)).toBeUndefined();
    await tune();
    for (const op of [small, large]) expect(chosen(tuner, op)).toEqual(variantsOf(op, facts)[2]);
    expect(state.sentences).toHaveLength(count);
    expect(state.sentences[1]).toBe(`Finding the fastest way to compute on this GPU: 2 of ${count}`);
  });

  it('tries nothing again, not even in another run', async () => {
    const cache = kept();
    const first = bench(cache);
    await first.tune();
    await first.tune();
    expect(first.state.trials).toBe(2 * count);
    const second = bench(cache);
    await second.tune();
    expect(second.state.trials).toBe(0);
    expect(chosen(second.tuner, large)).toEqual(variantsOf(large, facts)[2]);
  });

  it('recalls what was found, for those who have no time to try anything', async () => {
    const cache = kept();
    await bench(cache, { budgetMs: variantsOf(large, facts).length * 1000 }).tune();
    cache.texts.forEach((text, key) => {
      const { [shapeKey(large)]: found } = JSON.parse(text);
      cache.texts.set(key, JSON.stringify({ [shapeKey(large)]: found }));
    });
    const { tuner, state, tune } = bench(cache);
    await tuner.recall();
    expect(chosen(tuner, large)).toEqual(variantsOf(large, facts)[2]);
    expect(chosen(tuner, small)).toBeUndefined();
    expect(state.trials).toBe(0);
    await tune();
    expect(chosen(tuner, small)).toEqual(variantsOf(small, facts)[2]);
    const software = bench(cache, { software: true });
    await software.tuner.recall();
    expect(chosen(software.tuner, large)).toBeUndefined();
  });

  it('ends with its budget, what a step spends most on first, and leaves it at that: the next run computes the same', async () => {
    const cache = kept();
    const first = bench(cache, { budgetMs: variantsOf(large, facts).length * 1000 });
    await first.tune();
    const second = bench(cache);
    await second.tune();
    expect(second.state.trials).toBe(0);
    for (const { tuner } of [first, second]) {
      expect(chosen(tuner, large)).toEqual(variantsOf(large, facts)[2]);
      expect(chosen(tuner, small)).toEqual(variantsOf(small, facts)[0]);
    }
  });

  it('does as with what is most like it where a step spends too little on it to try, or the budget has ended', async () => {
    const { tuner, state } = bench(null);
    const little = filterGradient(256, 2);
    const strided = convolution('convFilterGradient', { ...large.conv, stride: 2 }, ['f32', 'f32'], 2);
    const narrow = filterGradient(8, 2);
    const other = convolution('convInputGradient', large.conv, ['f32', 'f32'], 2);
    await tuner.tune([small, large, little, strided, narrow, other], () => {});
    expect(state.trials).toBe(2 * count);
    expect(chosen(tuner, large)).toEqual(variantsOf(large, facts)[2]);
    for (const op of [little, strided]) expect(chosen(tuner, op)).toEqual(chosen(tuner, large));
    for (const op of [narrow, other]) expect(chosen(tuner, op)).toEqual(variantsOf(op, facts)[0]);
  });

  it('ignores what it cannot read, and what is no way to compute any more', async () => {
    const texts = [
      '{',
      'null',
      JSON.stringify({ [shapeKey(small)]: { kind: 'magic' }, [shapeKey(large)]: 7 }),
    ];
    for (const text of texts) {
      const { tuner, state, tune } = bench({ ...kept(), read: async () => text });
      await tune();
      expect(state.trials).toBe(2 * count);
      expect(chosen(tuner, small)).toEqual(variantsOf(small, facts)[2]);
    }
  });

  it('works where nothing can be kept', async () => {
    const fails = async () => {
      throw new Error('no room');
    };
    const { tuner, tune } = bench({ read: fails, write: fails });
    await tune();
    expect(chosen(tuner, small)).toBeDefined();
  });

  it('tries all again where there is another way', async () => {
    const cache = kept();
    await bench(cache).tune();
    cache.texts.forEach((text, key) => {
      const found = JSON.parse(text);
      found[shapeKey(large)].of++;
      cache.texts.set(key, JSON.stringify(found));
    });
    const { tuner, state, tune } = bench(cache);
    await tuner.recall();
    expect(chosen(tuner, large)).toBeUndefined();
    await tune();
    expect(state.trials).toBe(2 * variantsOf(large, facts).length);
  });

  it('tells halves from floats', () => {
    const { conv } = small;
    const keys = (['f32', 'f16'] as const).map((storage) =>
      shapeKey(convolution('convFilterGradient', conv, [storage, 'f32'])),
    );
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('leaves software adapters alone', async () => {
    const { tuner, state, tune } = bench(null, { software: true });
    await tune();
    expect(state.trials).toBe(0);
    expect(chosen(tuner, small)).toBeUndefined();
  });

  it('passes over what the device refuses, but not over its loss', async () => {
    const times = (kind: 'internal' | 'device-lost') => async (calls: readonly KernelCall[]) => {
      if (calls[0]!.code.includes('var<workgroup>')) throw new Problem(kind, 'No.', 'None.');
      return 1;
    };
    const common = { facts, adapterKey: 'a GPU', cache: null, clock: () => 0, budgetMs: 1 };
    const tuner = new Tuner({ ...common, bench: { compile, time: times('internal'), compute } });
    await tuner.tune([small], () => {});
    expect(chosen(tuner, small)!.kind).toBe('registers');
    const lost = new Tuner({ ...common, bench: { compile, time: times('device-lost'), compute } });
    await expect(lost.tune([small], () => {})).rejects.toMatchObject({ kind: 'device-lost' });
  });
});

describe('a way that is wrong', () => {
  const variants = variantsOf(small, facts);

  /** All ways are as fast as they come first. */
  async function tuned(isWrong: (variant: Variant) => boolean, budgetMs = 1e9) {
    const sentences: string[] = [];
    const spoiling = plainBench(small, facts, (variant, result) => {
      if (isWrong(variant)) result[1000]! += 0.1;
    });
    let nowMs = 0;
    const time = async () => ++nowMs;
    const settings = { adapterKey: 'a GPU', cache: null, clock: () => nowMs, budgetMs };
    const tuner = new Tuner({ ...settings, facts, bench: { ...spoiling, compile, time } });
    await tuner.tune([small], (sentence) => sentences.push(sentence));
    return { variant: chosen(tuner, small), last: sentences.at(-1) };
  }

  it('is left out, however fast, and were it the default', async () => {
    const isFirst = (variant: Variant) => JSON.stringify(variant) === JSON.stringify(variants[0]);
    const { variant, last } = await tuned(isFirst);
    expect(variant).toEqual(variants[1]);
    expect(last).toBe(`This GPU computes wrongly in 1 of ${variants.length} ways: they are left out.`);
    expect((await tuned(() => false)).variant).toEqual(variants[0]);
  });

  it('is left out where most are', async () => {
    const { variant } = await tuned(({ kind }) => kind === 'workgroup');
    expect(variant).toEqual(variants.find(({ kind }) => kind === 'registers'));
  });

  it('is what there is where all are', async () => {
    expect((await tuned(() => true)).variant).toEqual(variants[0]);
  });
});

describe('a way that is hopeless on a slow GPU', () => {
  it('is not tried at length', async () => {
    let long = 0;
    const time = async (calls: readonly KernelCall[]) => {
      const slow = calls[0]!.code.includes('var<workgroup>') ? 1 : 100;
      const isLong = calls.reduce((sum, { flops }) => sum + flops, 0) > 1e9;
      if (isLong && slow > 1) long++;
      return 0.01 * slow;
    };
    const bench = { compile, time, compute };
    const tuner = new Tuner({ facts, adapterKey: 'a GPU', cache: null, bench, clock: () => 0, budgetMs: 1 });
    await tuner.tune([large], () => {});
    expect(chosen(tuner, large)!.kind).toBe('workgroup');
    expect(long).toBe(0);
  });
});

describe('a trial', () => {
  it('is of the same kind, and small', () => {
    const huge = filterGradient(256, 400);
    const trial = trialOf(huge, trialFlops(0.001)).op;
    expect(trial.conv).toEqual(huge.conv);
    expect(flopsOf(trial)).toBeLessThan(5e9);
    expect(flopsOf(trialOf(huge, trialFlops(1000)).op)).toBeLessThan(
      1.5 * leastTrialFlops + 16 ** 2 * 2 * 9 * 256 ** 2,
    );
    expect(flopsOf(trialOf(filterGradient(8, 2), leastTrialFlops).op)).toBeGreaterThan(0);
  });
});
