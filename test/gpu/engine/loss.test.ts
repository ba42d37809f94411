/** The losses' kernels against the plain functions of `shared/loss`, logit by logit. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deviceFacts } from '../../../shared/engine/device/engineDevice.ts';
import { type BoxLossOp, lowerBoxLoss } from '../../../shared/engine/kernels/loss/boxLoss.ts';
import {
  figuresLayout,
  hardLogitOf,
  readFigures,
  readHeaviest,
} from '../../../shared/engine/kernels/loss/figures.ts';
import { lowerLoss } from '../../../shared/engine/kernels/loss/loss.ts';
import { placeOf, unpackRows } from '../../../shared/engine/kernels/loss/targets.ts';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import type { StepNumbers } from '../../../shared/engine/plan/settings.ts';
import { strideOf, type TensorView } from '../../../shared/engine/plan/tensor.ts';
import { boxLosses } from '../../../shared/loss/boxLoss.ts';
import { histogramWords, readHistogram } from '../../../shared/loss/histogramWords.ts';
import { computeStatistics, hardestAnchors } from '../../../shared/loss/statistics.ts';
import { lossSettingsOf } from '../../../shared/loss/strategies.ts';
import { formGradient, termForm } from '../../../shared/loss/term.ts';
import { expectNear } from '../smallStep.ts';
import { testDevice } from '../softwareDevice.ts';
import { figuresOf, type LossCase, lossCase, readState, writeNumbers } from './lossCase.ts';
import { expectSame, runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const strategies = {
  focal: lossSettingsOf({ alpha: 0.25, gamma: 2 }),
  unweighted: lossSettingsOf({ alpha: -1, gamma: 0.5 }),
  ce: lossSettingsOf({ strategy: 'ce', alpha: 0.25, gamma: 2 }),
  'focal-star': lossSettingsOf({ strategy: 'focal-star', alpha: 0.25, gamma: 2, beta: 1 }),
};

const gradientOf = (view: TensorView): TensorView => ({
  ...view,
  tensor: { ...view.tensor, id: `d ${view.tensor.id}` },
});

function runLoss(of: LossCase, software: boolean, numbers: Partial<StepNumbers>): Promise<Memory> {
  writeNumbers(of.memory, numbers);
  // What an arena holds at first is anything.
  of.memory.tensor(gradientOf(of.logits)).fill(7);
  const op = { ...of, dLogits: gradientOf(of.logits), anchorsPerPosition: of.layout.perPosition };
  return runCalls(device, lowerLoss(op, deviceFacts(device, software)), of.memory);
}

const cases = [
  { software: true, classCount: 1, ratios: [1], leftOut: 0, strategy: 'focal', lossScale: 1 },
  { software: true, classCount: 3, ratios: [0.5, 1, 2], leftOut: 3, strategy: 'focal-star', lossScale: 128 },
  { software: true, classCount: 80, ratios: [0.5, 1], leftOut: 0, strategy: 'unweighted', lossScale: 1 },
  { software: false, classCount: 3, ratios: [0.5, 1, 2], leftOut: 3, strategy: 'unweighted', lossScale: 128 },
  { software: false, classCount: 301, ratios: [1], leftOut: 0, strategy: 'ce', lossScale: 1 },
] as const;

describe('classification loss', () => {
  it.each(cases)(
    'is the plain one: $classCount classes, $strategy, software $software',
    async ({ software, classCount, ratios, leftOut, strategy, lossScale }) => {
      const of = lossCase(classCount, ratios, leftOut);
      const loss = strategies[strategy];
      const form = termForm(loss);
      const after = await runLoss(of, software, { form, lossScale });
      expectGradients(of, after, lossScale, form);
      const layout = figuresLayout(classCount, { software });
      const words = figuresOf(after, classCount, software);
      const theirs = computeStatistics(of.images, classCount, loss);
      const ours = readFigures(words, layout);
      theirs.balance.forEach((each, k) => {
        const losses = [each.foreground, each.backgroundTrue, each.backgroundOther];
        const gradients = [
          each.foregroundGradient,
          each.backgroundTrueGradient,
          each.backgroundOtherGradient,
        ];
        losses.forEach((value, side) => {
          expectNear(ours.losses[k * 3 + side]!, value, 1e-5);
          expectNear(ours.gradients[k * 3 + side]!, gradients[side]!, 1e-5);
        });
      });
      expectNear(
        ours.classification,
        theirs.balance.reduce((sum, each) => sum + each.foreground + each.background, 0),
      );
      expectHistogram(after, classCount, theirs.histogram);
      const found = readHeaviest(words, layout).map((each) => hardLogitOf(each, of.layout, 0, form));
      const all = { count: of.layout.anchorsPerImage * 2 * classCount, anchorsPerPlace: 1 };
      const hardest = hardestAnchors(of.images, classCount, form, all);
      expect(found.length).toBeGreaterThan(0);
      expect(Math.max(...found.map((each) => each.loss))).toBe(hardest[0]!.loss);
      const known = new Map(hardest.map((each) => [`${each.image}/${each.anchor}/${each.classIndex}`, each]));
      for (const each of found) {
        expect(known.get(`${each.image}/${each.anchor}/${each.classIndex}`)).toEqual(each);
      }
    },
  );

  it('takes no notice of what is no number where it counts for nothing, and tells where it counts', async () => {
    const of = lossCase(3, [0.5, 1, 2], 3);
    const { perPosition, levels } = of.layout;
    const packed = of.memory.tensor(of.logits);
    const classification = async () => {
      const words = figuresOf(await runLoss(of, true, {}), 3, true);
      return readFigures(words, figuresLayout(3, { software: true })).classification;
    };
    const sound = await classification();
    const { weights } = of.images[0]!;
    // Of the first image on the first level, anchors lie as their rows do.
    const spoil = (anchor: number) => {
      const pixel = Math.floor(anchor / perPosition);
      packed[pixel * strideOf(perPosition * 3) + (anchor % perPosition) * 3] = Number.NaN;
    };
    for (let anchor = 0; anchor < levels[0]!.height * levels[0]!.width * perPosition; anchor++) {
      if (weights[anchor] === 0) spoil(anchor);
    }
    expect(await classification()).toBe(sound);
    spoil(weights.findIndex((weight) => weight > 0));
    expect(await classification()).toBeNaN();
  });

  it('adds part to part, counts only where told, and goes on where 32 bits are full', async () => {
    const software = true;
    const of = lossCase(3, [0.5, 1, 2]);
    const full = readState(of.memory, 'histogram', histogramWords(3));
    full.fill(0xfffffffd);
    for (let at = 1; at < full.length; at += 2) full[at] = 0;
    const first = await runLoss(of, software, { part: 1 });
    const second = await runLoss({ ...of, memory: first }, software, { counted: false, part: 2 });
    const layout = figuresLayout(3, { software });
    const [once, twice] = [first, second].map((memory) =>
      readFigures(figuresOf(memory, 3, software), layout),
    );
    expectNear(twice!.classification, 2 * once!.classification);
    expect(new Set(readHeaviest(figuresOf(second, 3, software), layout).map(({ part }) => part))).toEqual(
      new Set([1]),
    );
    const { histogram } = computeStatistics(of.images, 3, strategies.focal);
    const counts = readHistogram(readState(second, 'histogram', histogramWords(3)), 3).counts;
    expect(counts).toEqual(histogram.counts.map((count) => count + 2 ** 32 - 3));
  });
});

function expectGradients(
  of: LossCase,
  after: Memory,
  scale: number,
  form: ReturnType<typeof termForm>,
): void {
  const { classCount, layout } = of;
  const packed = after.tensor(gradientOf(of.logits));
  const ours = unpackRows(packed, classCount, layout);
  const theirs = of.images.flatMap(({ logits, weights, matches, classIndices }) =>
    Array.from(logits, (logit, at) => {
      const anchor = Math.floor(at / classCount);
      const isTarget = matches[anchor]! >= 0 && classIndices[matches[anchor]!] === at % classCount;
      return weights[anchor] === 0 ? 0 : scale * weights[anchor]! * formGradient(logit, isTarget, form);
    }),
  );
  expectSame(ours, Float32Array.from(theirs));
  const channels = layout.perPosition * classCount;
  const stride = strideOf(channels);
  for (const { firstRow, height, width } of layout.levels) {
    for (let row = firstRow; row < firstRow + 2 * height * width; row++) {
      for (let at = row * stride + channels; at < (row + 1) * stride; at++) expect(packed[at]).toBe(0);
    }
  }
}

function expectHistogram(
  after: Memory,
  classCount: number,
  theirs: ReturnType<typeof computeStatistics>['histogram'],
): void {
  const ours = readHistogram(readState(after, 'histogram', histogramWords(classCount)), classCount);
  expect(ours.counts).toEqual(theirs.counts);
  for (const field of ['places', 'squaredPlaces'] as const) {
    const near = ours[field].every(
      (sum, bin) => Math.abs(sum - theirs[field][bin]!) <= 5e-5 * ours.counts[bin]!,
    );
    expect(near).toBe(true);
  }
}

describe.each([true, false])('box loss, software %s', (software) => {
  it.each(['l1', 'giou'] as const)('%s is the plain one', async (kind) => {
    const of = lossCase(3, [0.5, 1, 2], 4);
    writeNumbers(of.memory, { lossScale: 8 });
    const dDeltas = gradientOf(of.deltas);
    of.memory.tensor(dDeltas).fill(7);
    const op: BoxLossOp = { ...of, kind, dDeltas };
    const after = await runCalls(device, lowerBoxLoss(op, deviceFacts(device, software)), of.memory);
    let loss = 0;
    const gradients = of.images.flatMap(({ matches }, image) => {
      const { boxes } = of.targets[image]!;
      const weight = of.imageWeights[image]!;
      const input = { deltas: of.imageDeltas[image]!, anchors: of.grid.anchors, groundTruth: boxes, matches };
      const terms = boxLosses[kind](input);
      loss += weight * terms.loss.reduce((sum, each) => sum + each, 0);
      return Array.from(terms.gradient, (each) => 8 * weight * each);
    });
    const { box } = readFigures(figuresOf(after, 3, software), figuresLayout(3, { software }));
    expectNear(box, loss);
    expectSame(unpackRows(after.tensor(dDeltas), 4, of.layout), Float32Array.from(gradients), 1e-5);
  });
});

describe('packed rows', () => {
  it('lead back to image and anchor', () => {
    const { layout } = lossCase(1, [1]);
    const rows = Float32Array.from({ length: layout.anchorRows * 4 }, (_, at) => Math.floor(at / 4));
    // Each anchor's four channels say which row they are in: two anchors a position fill eight channels.
    expect(layout.perPosition).toBe(2);
    unpackRows(rows, 4, layout).forEach((row, at) => {
      const anchor = Math.floor(at / 4);
      const expected = {
        image: Math.floor(anchor / layout.anchorsPerImage),
        anchor: anchor % layout.anchorsPerImage,
      };
      expect(placeOf(layout, row)).toEqual(expected);
    });
  });
});
