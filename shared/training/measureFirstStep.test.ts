import { describe, expect, it } from 'vitest';
import type { Batch, Executor, Measured } from '../loss/executor.ts';
import { priorBias } from '../loss/focal.ts';
import { addLogit, emptyHistogram } from '../loss/histogramOps.ts';
import { decodeHistogram } from '../loss/histogramText.ts';
import { defaultTrainConfig } from './config.ts';
import { measureFirstStep } from './measureFirstStep.ts';
import { measureImages } from './measureImages.ts';
import type { TrainingImage } from './ports.ts';
import { isFlipped, Sampler } from './sampler.ts';

const config = { ...defaultTrainConfig, minSizePx: 32, maxSizePx: 32, batch: 2 };
const classes = ['a', 'b'];
const train = Array.from(
  { length: 5 },
  (_, index): TrainingImage => ({
    id: `${index}`,
    name: `${index}.png`,
    widthPx: 8,
    heightPx: 8,
    boxes: [{ boxPx: [0, 0, 4, 4], classIndex: index % 2, ignore: false }],
  }),
);
const pixels = async () => new Uint8Array(8 * 8 * 3);

/** Every image has ten anchors with two logits each, three of them positive, and one hard anchor that costs as much as its id says. */
function fakeExecutor(biases: readonly number[]) {
  const batches: Batch[] = [];
  const executor: Pick<Executor, 'measure' | 'exportWeights'> = {
    async measure(batch): Promise<Measured> {
      batches.push(batch);
      const histogram = emptyHistogram(2);
      addLogit(histogram, 0, 'foreground', 1, 3 * batch.batch);
      addLogit(histogram, 0, 'backgroundTrue', 2, 7 * batch.batch);
      addLogit(histogram, 1, 'backgroundTrue', 2, 10 * batch.batch);
      const hardest = batch.targets.map(({ imageId }) => ({
        imageId,
        boxPx: [0, 0, 1, 1] as const,
        classIndex: 0,
        side: 'foreground' as const,
        probability: 0.1,
        loss: Number(imageId),
      }));
      return { histogram, hardest, positives: 3 * batch.batch };
    },
    exportWeights: async () => [
      {
        name: 'head.classification_head.cls_logits.bias',
        shape: [biases.length],
        data: Float32Array.from(biases),
      },
    ],
  };
  return { executor, batches };
}

describe('measureFirstStep', () => {
  it('looks at the very batches that the run would draw first, mirrored as it would', async () => {
    const { executor, batches } = fakeExecutor([0]);
    const progress: number[][] = [];
    const firstStep = await measureFirstStep(
      executor,
      config,
      { classes, train, pixels },
      { images: 3, onProgress: (done, total) => progress.push([done, total]) },
    );
    const sampler = new Sampler({ ...config, count: train.length });
    const draws = [1, 2].map((step) => sampler.batchAt(step));
    expect(batches.map(({ targets }) => targets.map(({ imageId }) => imageId))).toEqual(
      draws.map((batch) => batch.map(({ imageIndex }) => train[imageIndex]!.id)),
    );
    const lefts = draws
      .flat()
      .map(({ imageIndex, draw }) => isFlipped(config.seed, draw, train[imageIndex]!.id));
    expect(batches.flatMap(({ targets }) => targets.map(({ boxes }) => boxes[0]! > 0))).toEqual(lefts);
    expect(firstStep).toMatchObject({
      images: 4,
      widthPx: 32,
      heightPx: 32,
      anchors: 10,
      positives: 3,
      classes,
    });
    expect(decodeHistogram(firstStep.histogram).counts.reduce((sum, count) => sum + count, 0)).toBe(80);
    expect(progress).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('reads the prior off the last bias, and has none where a trained head has many', async () => {
    const data = { classes, train, pixels };
    const fresh = await measureFirstStep(
      fakeExecutor(Array(18).fill(priorBias(0.02))).executor,
      config,
      data,
    );
    expect(fresh.prior).toBe(0.02);
    const trained = await measureFirstStep(fakeExecutor([-4.5, -4.6]).executor, config, data);
    expect(trained.prior).toBeNull();
  });
});

describe('measureImages', () => {
  it('adds up every readable image, keeps the hardest of all, and names what it left out', async () => {
    const { executor, batches } = fakeExecutor([0]);
    const measured = await measureImages(
      executor,
      {
        ...config,
        classes,
        images: train,
        pixels: async (id) => (id === '3' ? new Uint8Array(1) : pixels()),
      },
      { alpha: 0.25, gamma: 2, hardest: 2 },
    );
    expect(batches.map(({ targets }) => targets.map(({ flipped }) => flipped ?? false))).toEqual(
      Array(4).fill([false]),
    );
    expect(measured).toMatchObject({ images: 4, positives: 12 });
    expect(measured.hardest.map(({ imageId }) => imageId)).toEqual(['4', '2']);
    expect(measured.leftOut.map(({ name }) => name)).toEqual(['3.png']);
    expect(measured.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(80);
  });
});
