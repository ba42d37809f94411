/** The reference executor's promises, and its own: no leak, the same without a GPU. */
import { engine, memory, profile, setBackend, type TensorContainer } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { matchIgnored } from '../../shared/detector/matcher.ts';
import type { ReferenceExecutor } from '../../shared/reference/executor.ts';
import { describeExecutor } from './executorPromises.ts';
import { classCount, expectNear, matchesOf, settings, smallBatch, smallExecutor } from './smallStep.ts';
import { testDevice } from './softwareDevice.ts';
import { onTfjs } from './testedExecutor.ts';

const batch = smallBatch();
let device: Awaited<ReturnType<typeof testDevice>>;

beforeAll(async () => {
  device = await testDevice();
});

function newExecutor(): Promise<ReferenceExecutor> {
  return smallExecutor(device);
}

describeExecutor(onTfjs);

describe('the cpu backend', () => {
  it('computes the same step without a GPU', async () => {
    const onGpu = await newExecutor();
    const expected = await onGpu.gradients(batch, settings);
    onGpu.dispose();
    await setBackend('cpu');
    try {
      const executor = await newExecutor();
      expect(executor.backend).toBe('tfjs-cpu');
      const { report, gradients } = await executor.gradients(batch, settings);
      expectNear(report.classification, expected.report.classification);
      expectNear(report.box, expected.report.box);
      for (const [index, { name, data }] of gradients.entries()) {
        const theirs = expected.gradients[index]!.data;
        const norm = Math.sqrt(theirs.reduce((sum, each) => sum + each * each, 0));
        const distance = Math.sqrt(data.reduce((sum, each, i) => sum + (each - theirs[i]!) ** 2, 0));
        expect(distance, name).toBeLessThan(1e-3 * norm + 1e-7);
      }
      const { balance } = await executor.step(batch, { ...settings, statistics: 'all' });
      balance.forEach(({ backgroundTrue, foregroundGradient }, k) => {
        expectNear(backgroundTrue, expected.report.balance[k]!.backgroundTrue);
        expectNear(foregroundGradient, expected.report.balance[k]!.foregroundGradient);
      });
      const { steps, histogram, hardest } = (await executor.lastSnapshot())!;
      const counted = batch.targets.flatMap((target) => [...matchesOf(target)]);
      expect(steps).toBe(1);
      expect(histogram.counts.reduce((sum, each) => sum + each, 0)).toBe(
        classCount * counted.filter((match) => match !== matchIgnored).length,
      );
      expect(hardest[0]!.side).toBe('foreground');
      expect((await executor.step(batch, settings)).classification).toBeLessThan(report.classification);
      executor.dispose();
    } finally {
      await setBackend('webgpu');
    }
  });
});

describe('memory', () => {
  it('is what it was after any number of steps', async () => {
    const executor = await newExecutor();
    await executor.step(batch, settings);
    await executor.detect(batch, { scoreThreshold: 0.05 });
    const before = { ...memory(), onDevice: engine().backend.numDataIds() };
    for (let step = 0; step < 3; step++) await executor.step(batch, settings);
    await executor.detect(batch, { scoreThreshold: 0.05 });
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(engine().backend.numDataIds()).toBe(before.onDevice);
    executor.dispose();
  });

  it('holds the weights once until a step is taken, then their momentum too', async () => {
    const before = memory().numBytes;
    const executor = await newExecutor();
    executor.importWeights(await executor.exportWeights());
    await executor.detect(batch, { scoreThreshold: 0.05 });
    expect(memory().numBytes - before).toBe(4 * executor.parameterCount);
    await executor.step(batch, settings);
    expect(memory().numBytes - before).toBe(8 * executor.parameterCount);
    executor.dispose();
    expect(memory().numBytes).toBe(before);
  });

  it('lets go of an activation when nothing reads it any more', async () => {
    const executor = await newExecutor();
    await executor.heads(batch);
    const before = memory().numBytes;
    const { peakBytes, kernels } = await profile(() => executor.heads(batch) as unknown as TensorContainer);
    const computed = kernels.reduce((total, { bytesAdded }) => total + bytesAdded, 0);
    expect(computed).toBeGreaterThan(1e6);
    expect((peakBytes - before) / computed).toBeLessThan(0.3);
    executor.dispose();
  });
});
