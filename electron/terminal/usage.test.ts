import { describe, expect, it } from 'vitest';
import { defaultTrainConfig } from '../../shared/training/config.ts';
import { changeOf, configOf, requireOwnSettings, resumedConfigOf } from './trainOptions.ts';
import { decimal, integer, oneOf, sizesOf } from './usage.ts';

describe('option parsers', () => {
  it('take whole numbers within bounds and nothing else', () => {
    const parse = integer({ min: 1, max: 8 });
    expect(parse('8')).toBe(8);
    for (const text of ['0', '9', '2.5', '1e1', '', 'two', '0x4'])
      expect(() => parse(text)).toThrow(/1 to 8/);
  });

  it('take numbers within bounds and nothing else', () => {
    expect(decimal({ min: 0, max: 1 })('0.25')).toBe(0.25);
    for (const text of ['1.1', '-0.1', 'NaN', 'Infinity', '']) {
      expect(() => decimal({ min: 0, max: 1 })(text)).toThrow(/0 to 1/);
    }
  });

  it('tell bounds that are not taken themselves, and none where there are none', () => {
    const prior = decimal({ above: 0, below: 1 });
    expect(prior('0.01')).toBe(0.01);
    for (const text of ['0', '1', '-1', 'nan']) {
      expect(() => prior(text)).toThrow('It takes a number above 0 and below 1.');
    }
    expect(() => decimal({ above: 0, max: 10 })('11')).toThrow('a number above 0 and at most 10.');
    expect(decimal()('-3')).toBe(-3);
    expect(() => decimal()('nan')).toThrow('It takes a number.');
    expect(() => integer({ min: 1 })('0')).toThrow('It takes a whole number from 1.');
  });

  it('say which names there are', () => {
    expect(oneOf(['focal', 'ce'])('ce')).toBe('ce');
    expect(() => oneOf(['focal', 'ce'])('toString')).toThrow('focal, ce');
  });
});

describe('sizesOf', () => {
  it('reads --side as both sizes and refuses contradictions', () => {
    expect(sizesOf({ side: 160 })).toEqual({ minSizePx: 160, maxSizePx: 160 });
    expect(() => sizesOf({ side: 160, minSize: 100 })).toThrow(/--side/);
    expect(() => sizesOf({ minSize: 200, maxSize: 100 })).toThrow(/larger/);
  });
});

describe('configOf', () => {
  it('fills in the defaults', () => {
    expect(configOf({})).toEqual(defaultTrainConfig);
  });

  it('carries every option over', () => {
    const config = configOf({
      lr: 0.3,
      warmup: 7,
      shuffle: 'off',
      minSize: 800,
      evaluateEvery: 0,
      clipNorm: 0,
    });
    expect(config).toMatchObject({ learningRate: 0.3, warmupSteps: 7, shuffle: false, clipNorm: 0 });
    expect(config).toMatchObject({ minSizePx: 800, maxSizePx: 1333, evaluateEvery: 0 });
    expect(configOf({ maxSize: 160 })).toMatchObject({ minSizePx: 160, maxSizePx: 160 });
  });

  it('takes a strategy’s own numbers where they are not given', () => {
    expect(configOf({ loss: 'balanced-ce' })).toMatchObject({ loss: 'balanced-ce', alpha: 0.75 });
    expect(configOf({ loss: 'balanced-ce', alpha: 0.9 }).alpha).toBe(0.9);
    const mined = configOf({ loss: 'ohem', hardCount: 256, anchorScale: 0.5, statisticsEvery: 0 });
    expect(mined).toMatchObject({ hardCount: 256, hardNms: 0.5, anchorScale: 0.5, statisticsEvery: 0 });
  });

  it('says how it is computed, and refuses what cannot be', () => {
    const chosen = { engine: 'reference', microBatch: 1, decay: 'matrices' } as const;
    expect(configOf(chosen)).toMatchObject({ ...chosen, precision: 'f32' });
    expect(() => configOf({ ...chosen, loss: 'ohem' })).toThrow(/whole batch/);
    expect(() => configOf({ ...chosen, precision: 'mixed' })).toThrow(/engine/);
  });

  it('names the option that is wrong', () => {
    expect(() => configOf({ prior: 1 })).toThrow(/^--prior: /);
    expect(() => configOf({ lr: -1 })).toThrow(/^--lr: /);
    expect(() => configOf({ hardNms: 0 })).toThrow(/^--hard-nms: /);
    expect(() => configOf({ momentum: 1 })).toThrow(/^--momentum: /);
  });
});

describe('resumedConfigOf', () => {
  it('lets a run be lengthened and nothing else changed', () => {
    const config = { ...defaultTrainConfig, steps: 40 };
    expect(resumedConfigOf(config, { resume: 'run-0001' })).toEqual(config);
    expect(resumedConfigOf(config, { resume: 'run-0001', steps: 60, json: true }).steps).toBe(60);
    const otherwise = { engine: 'engine', precision: 'mixed', microBatch: 1 } as const;
    expect(() => requireOwnSettings({ resume: 'run-0001', ...otherwise }, 'resume')).not.toThrow();
    expect(resumedConfigOf(config, otherwise)).toEqual({ ...config, ...otherwise });
    // How it is computed, not what: the run does not keep it.
    const tried = { resume: 'run-0001', experimental: 'matrices' } as const;
    expect(() => requireOwnSettings(tried, 'resume')).not.toThrow();
    expect(resumedConfigOf(config, tried)).toEqual(config);
    const lengthened = { resume: 'run-0001', steps: 60, json: true };
    expect(() => requireOwnSettings(lengthened, 'resume')).not.toThrow();
    expect(() => requireOwnSettings({ resume: 'run-0001', warmup: 3 }, 'resume')).toThrow(/--warmup/);
    expect(() => requireOwnSettings({ replay: 'run-0001', steps: 3 }, 'replay')).toThrow(/--steps/);
  });

  it('takes what can be changed under way as a change', () => {
    const options = { resume: 'run-0001', loss: 'focal-star', gamma: 4, lr: 0.1 } as const;
    expect(() => requireOwnSettings(options, 'resume')).not.toThrow();
    expect(changeOf(options)).toEqual({
      loss: 'focal-star',
      alpha: 0.25,
      beta: 1,
      gamma: 4,
      learningRate: 0.1,
    });
    expect(changeOf({ resume: 'run-0001', alpha: 0.5 })).toEqual({ alpha: 0.5 });
    expect(changeOf({ resume: 'run-0001' })).toEqual({});
  });
});
