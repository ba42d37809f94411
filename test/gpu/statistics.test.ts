/** The kernels of the statistics against the plain reference, logit by logit. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  backend,
  dispose,
  grad,
  memory,
  mul,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { matchBackground, matchIgnored } from '../../shared/detector/matcher.ts';
import { fnv1a32, uniformAt } from '../../shared/domain/random.ts';
import type { BatchTarget } from '../../shared/loss/executor.ts';
import type { LogitHistogram } from '../../shared/loss/histogram.ts';
import { histogramWords, readHistogram } from '../../shared/loss/histogramWords.ts';
import { computeStatistics, hardestAnchors, type ImageLogits } from '../../shared/loss/statistics.ts';
import { lossSettingsOf } from '../../shared/loss/strategies.ts';
import type { LossSettings } from '../../shared/loss/strategy.ts';
import type { BatchTargets } from '../../shared/loss/targets.ts';
import { formGradient, formLoss, termForm } from '../../shared/loss/term.ts';
import { readTensor } from '../../shared/reference/backend.ts';
import { countLogits } from '../../shared/reference/kernels/statistics.ts';
import { lossTerms } from '../../shared/reference/losses.ts';
import { logitCounter } from '../../shared/reference/tally.ts';
import { expectNear } from './smallStep.ts';
import { testDevice } from './softwareDevice.ts';

let gpu: Awaited<ReturnType<typeof testDevice>>;
beforeAll(async () => {
  gpu = await testDevice();
});

const strategies = [
  lossSettingsOf({ alpha: 0.25, gamma: 2 }),
  lossSettingsOf({ alpha: -1, gamma: 0.5 }),
  lossSettingsOf({ strategy: 'ce', alpha: 0.25, gamma: 2 }),
  lossSettingsOf({ strategy: 'focal-star', alpha: 0.25, gamma: 2, beta: 1 }),
];

/** Logits as they come and as they never should: at the edges of the histogram, far beyond them, and on a bin's edge. */
const special = [100, -100, 16, -16, 0, -0.125, 15.999, 1e-6];

/** Two images of some anchors: objects, background, ignored ones, and some that count for nothing. */
function batchOf(
  anchors: number,
  classCount: number,
): { images: ImageLogits[]; targets: BatchTargets; of: BatchTarget[] } {
  const stream = fnv1a32(`statistics ${anchors} ${classCount}`);
  let at = 0;
  const next = () => uniformAt(stream, at++);
  const classIndices = Int32Array.of(0, classCount - 1, Math.floor(classCount / 2));
  const images = [0, 1].map(() => ({
    classIndices,
    matches: Int32Array.from({ length: anchors }, () => {
      const lot = next();
      return lot < 0.1 ? Math.floor(lot * 30) : lot < 0.2 ? matchIgnored : matchBackground;
    }),
    logits: Float32Array.from({ length: anchors * classCount }, () => {
      const lot = next();
      return lot < 0.05 ? special[Math.floor(lot * 20 * special.length)]! : -4 + 8 * (next() + next() - 1);
    }),
    weights: Float32Array.from({ length: anchors }, () => (next() < 0.2 ? 0 : 0.01 + next())),
  }));
  for (const { matches, weights } of images) {
    matches.forEach((match, anchor) => {
      if (match === matchIgnored) weights[anchor] = 0;
    });
  }
  return {
    images,
    targets: targetsOf(images, classCount),
    of: images.map(() => ({ classIndices }) as BatchTarget),
  };
}

function targetsOf(images: readonly ImageLogits[], classCount: number): BatchTargets {
  const rows = images.flatMap(({ matches, classIndices }) =>
    [...matches].map((match) =>
      match >= 0 ? classIndices[match]! : match === matchBackground ? classCount : -1,
    ),
  );
  const positivesOf = Array.from({ length: classCount }, (_, k) => rows.filter((row) => row === k).length);
  return {
    anchorsPerImage: images[0]!.matches.length,
    matches: images.map(({ matches }) => matches),
    classes: Int32Array.from(rows),
    classWeights: Float32Array.from(images.flatMap(({ weights }) => [...weights])),
    boxWeights: new Float32Array(),
    boxes: new Float32Array(),
    positivesOf,
    positives: positivesOf.reduce((total, each) => total + each, 0),
    backgroundTrueAnchors: rows.filter((row) => row === classCount).length,
  };
}

/** What the device says of a batch that it counts `times` over. */
async function onDevice(
  given: ReturnType<typeof batchOf>,
  classCount: number,
  loss: LossSettings,
  times = 1,
) {
  const { images, targets, of } = given;
  const values = Float32Array.from(images.flatMap(({ logits }) => [...logits]));
  const logits = tensor2d(values, [targets.classes.length, classCount]);
  const counter = logitCounter(classCount, gpu.watch);
  const batch = { images: new Float32Array(), batch: 2, paddedHeight: 0, paddedWidth: 0, targets: of };
  const tallies = Array.from({ length: times }, () => counter.tally(logits, { batch, targets, loss }, true));
  const tallied = tallies[0]!.finish(await readTensor(tallies[0]!.figures, gpu.watch));
  const histogram = await counter.take();
  const afterwards = await counter.take();
  dispose([logits, ...tallies.map(({ figures }) => figures)]);
  counter.dispose();
  return { ...tallied, histogram, afterwards };
}

function expectSameHistogram(ours: LogitHistogram, theirs: LogitHistogram, times = 1): void {
  expect(ours.counts).toEqual(theirs.counts.map((count) => count * times));
  for (const field of ['places', 'squaredPlaces'] as const) {
    const off = ours[field].map(
      (sum, bin) => Math.abs(sum / times - theirs[field][bin]!) - 5e-5 * ours.counts[bin]!,
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(0);
  }
}

describe('statistics on the device', () => {
  it.each([
    { anchors: 1, classCount: 1 },
    { anchors: 333, classCount: 3 },
    { anchors: 61, classCount: 80 },
  ])('are the plain reference: $anchors anchors, $classCount classes', async ({ anchors, classCount }) => {
    const given = batchOf(anchors, classCount);
    for (const loss of strategies) {
      const theirs = computeStatistics(given.images, classCount, loss);
      const ours = await onDevice(given, classCount, loss);
      ours.balance.forEach((each, k) => {
        for (const [field, value] of Object.entries(theirs.balance[k]!)) {
          expectNear(each[field as keyof typeof each], value, 1e-5);
        }
      });
      expectSameHistogram(ours.histogram, theirs.histogram);
      const everything = { count: anchors * 2 * classCount, anchorsPerPlace: 1 };
      const hardest = hardestAnchors(given.images, classCount, termForm(loss), everything);
      const found = ours.hardest().sort((a, b) => b.loss - a.loss);
      if (hardest.length === 0) expect(found).toEqual([]);
      else expect(found[0]!.loss).toBe(hardest[0]!.loss);
      for (const each of found) expect(hardest).toContainEqual(each);
    }
  });

  it('count every batch once more until they are taken, and leave nothing behind', async () => {
    const given = batchOf(101, 3);
    const loss = strategies[0]!;
    const before = memory().numTensors;
    const { histogram, afterwards } = await onDevice(given, 3, loss, 3);
    expectSameHistogram(histogram, computeStatistics(given.images, 3, loss).histogram, 3);
    expect(afterwards.counts.every((count) => count === 0)).toBe(true);
    expect(memory().numTensors).toBe(before);
  });

  it('go on counting where 32 bits are full', async () => {
    const words = new Int32Array(histogramWords(1)).fill(0);
    for (let at = 0; at < words.length; at += 2) words[at] = -3;
    const into = tensor1d(words, 'int32');
    const logits = tensor2d(new Float32Array(40).fill(-3.96875), [40, 1]);
    const classes = tensor1d(new Int32Array(40).fill(1), 'int32');
    countLogits(backend() as WebGPUBackend, { logits, classes }, into);
    const { counts, places, squaredPlaces } = readHistogram(await readTensor<Int32Array>(into, gpu.watch), 1);
    // x_t = 3.96875, background: bin 159 of side 1, three quarters of the way up.
    const bin = 256 + 159;
    expect(counts[bin]).toBe(2 ** 32 - 3 + 40);
    expect(places[bin]! * 65536).toBe(2 ** 32 - 3 + 40 * 0.75 * 65536);
    expect(squaredPlaces[bin]! * 65536).toBe(2 ** 32 - 3 + 40 * 0.5625 * 65536);
    expect(counts[bin - 1]).toBe(2 ** 32 - 3);
    dispose([into, logits, classes]);
  });

  it('pass over what is no number', async () => {
    const given = batchOf(50, 2);
    given.images[0]!.logits.fill(Number.NaN);
    const { histogram } = await onDevice(given, 2, strategies[0]!);
    expectSameHistogram(histogram, computeStatistics(given.images, 2, strategies[0]!).histogram);
  });
});

describe('terms under a gradient', () => {
  it.each(strategies)('are the plain ones, and nothing of an anchor left out: %o', async (loss) => {
    const form = termForm(loss);
    const logits = [...special, -4.6, -1, 2, 7];
    const targets = logits.map((_, index) => index % 2);
    const weights = logits.map((_, index) => (index % 3 === 0 ? 0 : 0.1 * index));
    const column = (values: readonly number[]) => tensor2d([...values], [values.length, 1]);
    const total = (x: Tensor) => sum(mul(lossTerms(x as Tensor2D, column(targets), form), column(weights)));
    const slopes = await grad(total)(column(logits)).data();
    const terms = await lossTerms(column(logits), column(targets), form).data();
    logits.forEach((logit, index) => {
      const isTarget = targets[index] === 1;
      expectNear(terms[index]!, formLoss(logit, isTarget, form));
      expectNear(slopes[index]!, weights[index]! * formGradient(logit, isTarget, form));
      if (weights[index] === 0) expect(Math.abs(slopes[index]!)).toBe(0);
    });
  });
});
