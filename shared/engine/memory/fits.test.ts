import { describe, expect, it } from 'vitest';
import { bindScratch, bindState, type KernelCall } from '../plan/call.ts';
import { planBytes } from './bytes.ts';
import { doesNotFit, type MemoryLimits, whatFits } from './fits.ts';

interface Shape {
  readonly batch: number;
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

/** 400 bytes a pixel that live together, in four tensors, beside 40 MB of weights. */
function callsOf({ batch, paddedHeight, paddedWidth }: Shape): KernelCall[] {
  const words = batch * paddedHeight * paddedWidth * 25;
  const bindings = [
    ...['a', 'b', 'c', 'd'].map((id) => bindScratch(id, words, 'read-write')),
    { ref: { kind: 'weights', offsetWords: 0, words: 10e6 }, access: 'read' } as const,
    bindState('settings', 16, 'uniform'),
  ];
  const uniforms = new Uint32Array(4);
  return [{ label: 'test', code: '', bindings, uniforms, workgroups: [1, 1, 1], flops: 0 }];
}

const bytesOf = (shape: Shape) => planBytes(callsOf(shape), new Set(), limits);
const limits: MemoryLimits = { maxBufferBytes: 256e6, maxBindingBytes: 128e6, budgetBytes: 500e6 };
const shape = { batch: 8, paddedHeight: 512, paddedWidth: 768 };

describe('bytes of a plan', () => {
  it('counts the arena, parameters, state and uniforms', () => {
    const bytes = bytesOf({ batch: 1, paddedHeight: 512, paddedWidth: 512 });
    expect(bytes).toMatchObject({ arena: 512 * 512 * 400, parameters: 40e6, state: 64 + 256 });
    expect(bytes.total).toBe(bytes.arena + bytes.parameters + bytes.state);
    expect(bytes.largestBuffer).toBe(bytes.arena);
    expect(bytes.largestBinding).toBe(40e6);
  });

  it('takes several buffers where one would be longer than allowed', () => {
    const bytes = bytesOf({ batch: 2, paddedHeight: 512, paddedWidth: 768 });
    expect(bytes.arena).toBe(2 * 512 * 768 * 400);
    expect(bytes.largestBuffer).toBeLessThanOrEqual(limits.maxBufferBytes);
  });
});

describe('what fits', () => {
  it('lets through what does', () => {
    expect(whatFits(bytesOf, { ...shape, batch: 2 }, limits).fits).toBe(true);
  });

  it('is the largest batch at this size and the largest size at this batch', () => {
    const { fits, batch, side } = whatFits(bytesOf, shape, limits);
    expect(fits).toBe(false);
    expect(batch).toEqual({ ...shape, batch: 2 });
    expect(side).toEqual({ batch: 8, paddedHeight: 288, paddedWidth: 448 });
    expect(bytesOf(batch!).total).toBeLessThanOrEqual(500e6);
    expect(bytesOf({ ...shape, batch: 3 }).total).toBeGreaterThan(500e6);
    expect(bytesOf(side!).total).toBeLessThanOrEqual(500e6);
  });

  it('heeds what may be bound at once', () => {
    const small = { ...limits, budgetBytes: null, maxBindingBytes: 60e6 };
    expect(whatFits(bytesOf, shape, small).batch).toEqual({ ...shape, batch: 1 });
  });

  it('is refused with the figures of both plans', () => {
    const problem = doesNotFit(shape, whatFits(bytesOf, shape, limits), limits);
    expect(problem.kind).toBe('out-of-memory');
    expect(problem.message).toBe(
      "8 images of 768 x 512 px need 1.30 GB of the GPU's memory, but there are 500 MB.",
    );
    expect(problem.remedy).toBe(
      'What fits: a batch of 2 at this size, or this batch 2 at once (images at once: 2, --micro-batch 2), or 8 images of 448 x 288 px.',
    );
  });

  it('says so where nothing does', () => {
    const none = { ...limits, maxBindingBytes: 1e6, budgetBytes: null };
    const problem = doesNotFit(shape, whatFits(bytesOf, shape, none), none);
    expect(problem.message).toContain(
      '315 MB of it in one piece, but this GPU allows at most 1 MB in one piece',
    );
    expect(problem.remedy).toMatch(/smaller network/);
  });
});
