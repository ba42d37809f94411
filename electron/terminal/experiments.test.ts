import { describe, expect, it } from 'vitest';
import { describeMatrix, withoutMatrices } from './experiments.ts';

const halves = { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 } as const;
const singles = { component: 'f32', result: 'f32', m: 8, n: 8, k: 8 } as const;
const gpu = { name: 'A GPU', software: false, matrices: [halves] };

describe('withoutMatrices', () => {
  it('is silent where matrices are used', () => {
    expect(withoutMatrices(gpu, { engine: 'auto', precision: 'mixed' })).toBeNull();
    expect(
      withoutMatrices({ ...gpu, matrices: [halves, singles] }, { engine: 'engine', precision: 'f32' }),
    ).toBe(null);
  });

  it('says why they are not, and what to do', () => {
    const mixed = { engine: 'auto', precision: 'mixed' } as const;
    const single = withoutMatrices(gpu, { ...mixed, precision: 'f32' });
    expect(single).toMatchObject({ remedy: expect.stringContaining('--precision mixed') });
    expect(withoutMatrices({ ...gpu, matrices: [] }, mixed)?.message).toMatch(/^A GPU has no units/);
    const inHalves = { ...halves, result: 'f16' } as const;
    expect(withoutMatrices({ ...gpu, matrices: [inHalves] }, mixed)?.message).toMatch(/has no units/);
    expect(withoutMatrices({ ...gpu, software: true }, mixed)?.message).toMatch(/playing a GPU/);
    expect(withoutMatrices(gpu, { ...mixed, engine: 'reference' })?.message).toMatch(/TensorFlow/);
  });
});

it('describes a matrix', () => {
  expect([halves, singles].map(describeMatrix)).toEqual(['16x16x16 of f16 in f32', '8x8x8 of f32']);
});
