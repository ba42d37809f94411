import { describe, expect, it } from 'vitest';
import { Problem } from '../domain/problem.ts';
import { describeComputing, requireComputable, slowness, usesEngine } from './computing.ts';
import { defaultTrainConfig } from './config.ts';

const none = new Problem('no-gpu', 'No graphics adapter answered.', 'Update the driver.');
const single = { precision: 'f32' } as const;

describe('usesEngine', () => {
  it('is the default where there is WebGPU, and nowhere else', () => {
    expect(usesEngine({ engine: 'auto', ...single }, null)).toBe(true);
    expect(usesEngine({ engine: 'auto', ...single }, none)).toBe(false);
    expect(usesEngine({ engine: 'reference', ...single }, null)).toBe(false);
    expect(usesEngine({ engine: 'engine', precision: 'mixed' }, null)).toBe(true);
  });

  it('refuses what is not to be had', () => {
    expect(() => usesEngine({ engine: 'engine', ...single }, none)).toThrow(/No graphics adapter.*engine/);
    for (const [engine, why] of [
      ['reference', null],
      ['auto', none],
    ] as const) {
      expect(() => usesEngine({ engine, precision: 'mixed' }, why)).toThrow(/Mixed precision/);
    }
  });
});

describe('requireComputable', () => {
  it('refuses what goes together on no device', () => {
    const config = { ...defaultTrainConfig, batch: 4, microBatch: 2 };
    expect(() => requireComputable(config)).not.toThrow();
    expect(() => requireComputable({ ...config, loss: 'ohem' })).toThrow(/4 images cannot be computed 2/);
    expect(() => requireComputable({ ...config, loss: 'ohem', batch: 2 })).not.toThrow();
    expect(() => requireComputable({ ...config, precision: 'mixed' })).not.toThrow();
    expect(() => requireComputable({ ...config, engine: 'reference', precision: 'mixed' })).toThrow(/Mixed/);
  });
});

describe('what computes', () => {
  it('is said in words, and why it is slow', () => {
    const engine = { adapter: 'SwiftShader', backend: 'engine', software: true };
    expect(describeComputing(engine)).toBe('the engine on SwiftShader');
    expect(describeComputing({ ...engine, backend: 'engine-matrices' })).toMatch(
      /matrix units.* on SwiftShader/,
    );
    expect(describeComputing({ ...engine, backend: 'webnn' })).toBe('webnn on SwiftShader');
    expect(slowness(engine)).toContain('SwiftShader is the processor playing a GPU');
    expect(slowness({ ...engine, software: false })).toBeNull();
    expect(slowness({ adapter: 'CPU', backend: 'tfjs-cpu', software: true })).toContain('one core');
  });
});
