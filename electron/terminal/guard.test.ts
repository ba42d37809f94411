import { describe, expect, it } from 'vitest';
import { Problem } from '../../shared/domain/problem.ts';
import type { Batch, StepSettings } from '../../shared/training/ports.ts';
import { CellExecutor } from '../../test/learning/cellExecutor.ts';
import { guardExecutor } from './guard.ts';

const settings: StepSettings = { learningRate: 0.1, momentum: 0, weightDecay: 0, alpha: 0.25, gamma: 2 };
const batch: Batch = {
  images: new Float32Array(32 * 32 * 3),
  batch: 1,
  paddedHeight: 32,
  paddedWidth: 32,
  targets: [],
};

/** A device that breaks off the next step, and says why (or never does) a little later. */
function breaking(reason: Problem | null) {
  const executor = new CellExecutor(1);
  let failure: Problem | null = null;
  executor.step = async () => {
    setTimeout(() => {
      failure = reason;
    }, 20);
    throw new Error('AbortError');
  };
  const check = () => {
    if (failure) throw failure;
  };
  return guardExecutor(executor, { check });
}

describe('guardExecutor', () => {
  it('tells a broken-off step as the loss that broke it off', async () => {
    const lost = new Problem('device-lost', 'The GPU stopped answering.', 'Resume the run.');
    await expect(breaking(lost).step(batch, settings)).rejects.toBe(lost);
  });

  it('leaves an error alone that the device knows nothing of', async () => {
    await expect(breaking(null).step(batch, settings)).rejects.toThrow('AbortError');
  });

  it('passes answers through', async () => {
    const executor = new CellExecutor(1);
    const guarded = guardExecutor(executor, { check: () => {} });
    expect(await guarded.exportWeights()).toEqual(await executor.exportWeights());
    expect(guarded.parameterCount).toBe(executor.parameterCount);
    expect((await guarded.step(batch, { ...settings, statistics: 'all' })).finite).toBe(true);
    expect(await guarded.lastSnapshot()).toMatchObject({ steps: 1 });
    expect(await guarded.measure(batch, { alpha: 0.25, gamma: 2, hardest: 1 })).toMatchObject({
      positives: 0,
    });
  });
});
