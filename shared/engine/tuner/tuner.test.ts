import { describe, expect, it } from 'vitest';
import { Problem } from '../../domain/problem.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { KernelCall } from '../plan/call.ts';
import type { ConvFilterGradientOp } from '../plan/ops.ts';
import { wholeView } from '../plan/tensor.ts';
import {
  flopsOf,
  leastTrialFlops,
  lowerVariant,
  shapeKey,
  trialFlops,
  trialOf,
  variantsOf,
} from './trials.ts';
import { Tuner, type TunerCache } from './tuner.ts';

const facts: DeviceFacts = {
  software: false,
  maxWorkgroupsPerDimension: 65535,
  maxWorkgroupStorageBytes: 16384,
  maxInvocationsPerWorkgroup: 256,
  maxBindingBytes: 2 ** 27,
  subgroups: null,
  matrices: [],
};

function filterGradient(channels: number, side: number): ConvFilterGradientOp {
  const view = (id: string) =>
    wholeView({ id, batch: 2, levels: [{ height: side, width: side }], channels, storage: 'f32' });
  return {
    op: 'convFilterGradient',
    conv: { inChannels: channels, outChannels: channels, kernelSize: 3, stride: 1, padding: 1 },
    x: view('x'),
    dy: view('dy'),
    weightGradient: { kind: 'gradients', offsetWords: 0, words: 9 * channels * channels },
    ...{ biasGradient: null, norm: null, normGradient: null },
  };
}

const [small, large] = [filterGradient(64, 20), filterGradient(256, 40)];

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
    (op) => lowerVariant(trialOf(op, leastTrialFlops), facts, variantsOf(op, facts)[fastest]!)[0]!.code,
  );
  const state = { nowMs: 0, trials: 0, sentences: [] as string[] };
  const time = async (calls: readonly KernelCall[]) => {
    state.trials++;
    state.nowMs += 1000;
    return codes.includes(calls[0]!.code) ? 1 : 2;
  };
  const settings = { adapterKey: 'a GPU', cache, time, clock: () => state.nowMs, budgetMs };
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
    expect(tuner.choices.filter(small)).toBeUndefined();
    await tune();
    for (const op of [small, large]) expect(tuner.choices.filter(op)).toEqual(variantsOf(op, facts)[2]);
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
    expect(second.tuner.choices.filter(large)).toEqual(variantsOf(large, facts)[2]);
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
    expect(tuner.choices.filter(large)).toEqual(variantsOf(large, facts)[2]);
    expect(tuner.choices.filter(small)).toBeUndefined();
    expect(state.trials).toBe(0);
    await tune();
    expect(tuner.choices.filter(small)).toEqual(variantsOf(small, facts)[2]);
    const software = bench(cache, { software: true });
    await software.tuner.recall();
    expect(software.tuner.choices.filter(large)).toBeUndefined();
  });

  it('ends with its budget, what a step spends most on first, and leaves it at that: the next run computes the same', async () => {
    const cache = kept();
    const first = bench(cache, { budgetMs: variantsOf(large, facts).length * 1000 });
    await first.tune();
    const second = bench(cache);
    await second.tune();
    expect(second.state.trials).toBe(0);
    for (const { tuner } of [first, second]) {
      expect(tuner.choices.filter(large)).toEqual(variantsOf(large, facts)[2]);
      expect(tuner.choices.filter(small)).toEqual(variantsOf(small, facts)[0]);
    }
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
      expect(tuner.choices.filter(small)).toEqual(variantsOf(small, facts)[2]);
    }
  });

  it('works where nothing can be kept', async () => {
    const fails = async () => {
      throw new Error('no room');
    };
    const { tuner, tune } = bench({ read: fails, write: fails });
    await tune();
    expect(tuner.choices.filter(small)).toBeDefined();
  });

  it('leaves software adapters alone', async () => {
    const { tuner, state, tune } = bench(null, { software: true });
    await tune();
    expect(state.trials).toBe(0);
    expect(tuner.choices.filter(small)).toBeUndefined();
  });

  it('passes over what the device refuses, but not over its loss', async () => {
    const times = (kind: 'internal' | 'device-lost') => async (calls: readonly KernelCall[]) => {
      if (calls[0]!.code.includes('var<workgroup>')) throw new Problem(kind, 'No.', 'None.');
      return 1;
    };
    const common = { facts, adapterKey: 'a GPU', cache: null, clock: () => 0, budgetMs: 1 };
    const tuner = new Tuner({ ...common, time: times('internal') });
    await tuner.tune([small], () => {});
    expect(tuner.choices.filter(small)!.kind).toBe('registers');
    const lost = new Tuner({ ...common, time: times('device-lost') });
    await expect(lost.tune([small], () => {})).rejects.toMatchObject({ kind: 'device-lost' });
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
    const tuner = new Tuner({ facts, adapterKey: 'a GPU', cache: null, time, clock: () => 0, budgetMs: 1 });
    await tuner.tune([large], () => {});
    expect(tuner.choices.filter(large)!.kind).toBe('workgroup');
    expect(long).toBe(0);
  });
});

describe('a trial', () => {
  it('is of the same kind, and small', () => {
    const huge = filterGradient(256, 400);
    const trial = trialOf(huge, trialFlops(0.001));
    expect(trial.conv).toEqual(huge.conv);
    expect(flopsOf(trial)).toBeLessThan(5e9);
    expect(flopsOf(trialOf(huge, trialFlops(1000)))).toBeLessThan(
      1.5 * leastTrialFlops + 16 ** 2 * 2 * 9 * 256 ** 2,
    );
    expect(flopsOf(trialOf(filterGradient(8, 2), leastTrialFlops))).toBeGreaterThan(0);
  });
});
