/** What any executor promises: losses as the CPU has them, no step on what is not finite, exact resumption. */
import { describe, expect, it } from 'vitest';
import { matchIgnored } from '../../shared/detector/matcher.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { boxLosses } from '../../shared/loss/boxLoss.ts';
import type { NamedTensor } from '../../shared/loss/executor.ts';
import { focalGradients } from '../../shared/loss/focal.ts';
import { computeStatistics } from '../../shared/loss/statistics.ts';
import { lossSettingsOf } from '../../shared/loss/strategies.ts';
import {
  classCount,
  expectEqual,
  expectNear,
  matchesOf,
  network,
  settings,
  side,
  smallAnchors,
  smallBatch,
} from './smallStep.ts';
import type { MakeExecutor, TestedExecutor } from './testedExecutor.ts';

const batch = smallBatch();

/** What the CPU says of the same logits and deltas. */
async function onCpu(executor: TestedExecutor, boxLoss: 'l1' | 'giou', alpha: number, gamma: number) {
  const { logits, deltas } = await executor.heads(batch);
  const anchors = smallAnchors();
  const count = anchors.length / 4;
  const biasGradients = { logits: new Float64Array(9 * classCount), deltas: new Float64Array(9 * 4) };
  let box = 0;
  const images = batch.targets.map((target, image) => {
    const matches = matchesOf(target);
    const weight = 1 / (Math.max(1, matches.filter((match) => match >= 0).length) * batch.batch);
    const matched = { matches, classIndices: target.classIndices };
    const own = logits.subarray(image * count * classCount, (image + 1) * count * classCount);
    const ownDeltas = deltas.slice(image * count * 4, (image + 1) * count * 4);
    const boxTerms = boxLosses[boxLoss]({ deltas: ownDeltas, anchors, groundTruth: target.boxes, matches });
    box += boxTerms.loss.reduce((sum, each) => sum + each, 0) * weight;
    boxTerms.gradient.forEach((each, i) => {
      biasGradients.deltas[i % 36]! += each * weight;
    });
    focalGradients(own, matched, classCount, { alpha, gamma }).forEach((each, i) => {
      biasGradients.logits[i % 27]! += each * weight;
    });
    const weights = Float32Array.from(matches, (match) => (match === matchIgnored ? 0 : weight));
    return { ...matched, logits: own, weights };
  });
  const { balance } = computeStatistics(images, classCount, lossSettingsOf({ alpha, gamma }));
  return { box, balance, biasGradients };
}

export function describeExecutor(make: MakeExecutor): void {
  function newExecutor(
    boxLoss: 'l1' | 'giou' = 'l1',
    seed = 1,
    options: RetinaNetOptions = network,
  ): Promise<TestedExecutor> {
    return make({ network: options, boxLoss, prior: 0.01, seed });
  }

  describe('losses', () => {
    const cases = [
      { alpha: 0.25, gamma: 2, boxLoss: 'l1' },
      { alpha: -1, gamma: 0, boxLoss: 'giou' },
      { alpha: 0.75, gamma: 0.5, boxLoss: 'giou' },
    ] as const;

    it.each(cases)('and their gradients are those of the CPU: %o', async ({ alpha, gamma, boxLoss }) => {
      const executor = await newExecutor(boxLoss);
      const cpu = await onCpu(executor, boxLoss, alpha, gamma);
      const { report, gradients } = await executor.gradients(batch, { ...settings, alpha, gamma });
      executor.dispose();
      expect(report.finite).toBe(true);
      expectNear(report.box, cpu.box);
      for (const [index, ours] of report.balance.entries()) {
        const theirs = cpu.balance[index]!;
        for (const key of ['foreground', 'backgroundTrue', 'backgroundOther', 'background'] as const) {
          expectNear(ours[key], theirs[key]);
          if (key !== 'background') expectNear(ours[`${key}Gradient`], theirs[`${key}Gradient`]);
        }
        expect(ours.positives).toBe(theirs.positives);
        expect(ours.backgroundTrueAnchors).toBe(theirs.backgroundTrueAnchors);
        expect(ours.backgroundOtherAnchors).toBe(theirs.backgroundOtherAnchors);
      }
      const shared = report.balance.reduce((sum, each) => sum + each.foreground + each.background, 0);
      expectNear(shared, report.classification);
      const bias = (name: string) => gradients.find((each) => each.name === name)!.data;
      const clsBias = bias('head.classification_head.cls_logits.bias');
      clsBias.forEach((each, i) => {
        expectNear(each, cpu.biasGradients.logits[i]!, 1e-5);
      });
      bias('head.regression_head.bbox_reg.bias').forEach((each, i) => {
        expectNear(each, cpu.biasGradients.deltas[i]!, 1e-5);
      });
    });
  });

  describe('the moving divisor', () => {
    it('divides the terms by 0.9 * 100 + 0.1 * positives, and is part of the state', async () => {
      const one = {
        ...batch,
        batch: 1,
        images: batch.images.slice(0, side * side * 3),
        targets: [batch.targets[0]!],
      };
      const moving = { ...settings, normalizer: 'moving' } as const;
      const executor = await newExecutor();
      const { report: byImage } = await executor.gradients(one, settings);
      const { report: first } = await executor.gradients(one, moving);
      const average = 90 + 0.1 * byImage.positives;
      expectNear(first.classification, (byImage.classification * byImage.positives) / average);
      expectNear(first.box, (byImage.box * byImage.positives) / average);

      const other = await newExecutor();
      other.importState(await executor.exportState());
      const [here, there] = [await executor.gradients(one, moving), await other.gradients(one, moving)];
      expect(there.report.classification).toBe(here.report.classification);
      expect(here.report.classification).not.toBe(first.classification);
      executor.dispose();
      other.dispose();
    });
  });

  describe('a step', () => {
    it('learns', async () => {
      const executor = await newExecutor();
      const first = await executor.step(batch, settings);
      let last = first;
      for (let step = 0; step < 15; step++) last = await executor.step(batch, settings);
      expect(last.classification + last.box).toBeLessThan(0.8 * (first.classification + first.box));
      executor.dispose();
    });

    it('touches no weight where a number is not finite', async () => {
      const executor = await newExecutor();
      await executor.step(batch, settings);
      const before = await executor.exportWeights();
      const momentum = await executor.exportState();
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const images = batch.images.slice();
        images[100] = bad;
        const report = await executor.step({ ...batch, images }, settings);
        expect(report.finite).toBe(false);
      }
      expectEqual(await executor.exportWeights(), before);
      expectEqual(await executor.exportState(), momentum);
      // Nor after it: whoever asked for more before this one was known is not to go on from there.
      expect((await executor.step(batch, settings)).finite).toBe(false);
      expectEqual(await executor.exportWeights(), before);
      executor.importWeights(before);
      expect((await executor.step(batch, settings)).finite).toBe(true);
      executor.dispose();
    });

    it('goes on from weights and momentum as if nothing had happened', async () => {
      const one = await newExecutor();
      const other = await newExecutor('l1', 99);
      await one.step(batch, settings);
      await one.step(batch, settings);
      other.importWeights(await one.exportWeights());
      other.importState(await one.exportState());
      const [expected, resumed] = [await one.step(batch, settings), await other.step(batch, settings)];
      expect(resumed).toEqual(expected);
      expectEqual(await other.exportWeights(), await one.exportWeights());
      one.dispose();
      other.dispose();
    });

    it('is SGD with momentum and decay', async () => {
      const executor = await newExecutor();
      const name = 'backbone.fpn.layer_blocks.0.0.weight';
      const pick = (tensors: readonly NamedTensor[]) => tensors.find((each) => each.name === name)!.data;
      let value = pick(await executor.exportWeights());
      let velocity = new Float32Array(value.length);
      for (let step = 0; step < 2; step++) {
        const gradient = pick((await executor.gradients(batch, settings)).gradients);
        const previous = value;
        velocity = velocity.map((each, i) => 0.9 * each + gradient[i]! + 1e-4 * previous[i]!);
        value = previous.map((each, i) => each - 0.02 * velocity[i]!);
        await executor.step(batch, settings);
        const ours = pick(await executor.exportWeights());
        const worst = Math.max(...ours.map((each, i) => Math.abs(each - value[i]!)));
        expect(worst).toBeLessThan(1e-6);
      }
      executor.dispose();
    });

    it('clips the norm of all gradients together, before decay', async () => {
      const executor = await newExecutor();
      const { gradients } = await executor.gradients(batch, settings);
      const before = new Map((await executor.exportWeights()).map(({ name, data }) => [name, data]));
      const norm = lengthOf(gradients.map(({ data }) => lengthOf(data)));
      // From rest, the momentum after one step is the clipped gradient and the decay.
      await executor.step(batch, { ...settings, weightDecay: 0.01, clipNorm: norm / 4 });
      const velocities = new Map((await executor.exportState()).map(({ name, data }) => [name, data]));
      for (const { name, data: gradient } of gradients) {
        const velocity = velocities.get(name)!;
        const wanted = gradient.map((each, i) => each / 4 + 0.01 * before.get(name)![i]!);
        const distance = lengthOf(velocity.map((each, i) => each - wanted[i]!));
        expect(distance, name).toBeLessThan(1e-5 * lengthOf(wanted) + 1e-9);
      }
      executor.dispose();
    });

    it('leaves norms and biases undecayed where matrices alone are to decay', async () => {
      const [all, matrices] = [await newExecutor(), await newExecutor()];
      const weights = new Map((await all.exportWeights()).map(({ name, data }) => [name, data]));
      await all.step(batch, { ...settings, weightDecay: 0.01 });
      await matrices.step(batch, { ...settings, weightDecay: 0.01, decay: 'matrices' });
      const [decayed, spared] = [await all.exportState(), await matrices.exportState()];
      for (const [index, { name, shape, data }] of spared.entries()) {
        if (!weights.has(name)) continue; // the moving divisor
        const expected = shape.length > 1 ? weights.get(name)!.map(() => 0) : weights.get(name)!;
        data.forEach((each, i) => {
          expectNear(decayed[index]!.data[i]! - each, 0.01 * expected[i]!, 1e-5);
        });
      }
      all.dispose();
      matrices.dispose();
    });

    it('is the same with the batch computed image by image', async () => {
      const told = {
        ...settings,
        normalizer: 'moving',
        statistics: 'all',
        snapshot: true,
        clipNorm: 1,
      } as const;
      const [whole, parted] = [await newExecutor(), await newExecutor()];
      for (let step = 0; step < 2; step++) {
        const expected = await whole.step(batch, told);
        const report = await parted.step(batch, { ...told, microBatch: 1 });
        expectNear(report.classification, expected.classification);
        expectNear(report.box, expected.box);
        expect(report.positives).toBe(expected.positives);
        report.balance.forEach((each, k) => {
          const theirs = expected.balance[k]!;
          expectNear(each.backgroundOther, theirs.backgroundOther);
          expect(each.positives).toBe(theirs.positives);
          expect(each.backgroundTrueAnchors).toBe(theirs.backgroundTrueAnchors);
        });
      }
      const [one, other] = [(await whole.lastSnapshot())!, (await parted.lastSnapshot())!];
      expect(other.steps).toBe(one.steps);
      const counted = ({ histogram }: typeof one) => histogram.counts.reduce((sum, each) => sum + each, 0);
      expect(counted(other)).toBe(counted(one));
      expect(other.hardest[0]!.imageId).toBe(one.hardest[0]!.imageId);
      const theirs = await whole.exportWeights();
      for (const [index, { name, data }] of (await parted.exportWeights()).entries()) {
        const wanted = theirs[index]!.data;
        const distance = lengthOf(data.map((each, i) => each - wanted[i]!));
        expect(distance, name).toBeLessThan(1e-5 * lengthOf(wanted) + 1e-7);
      }
      const byScore = { ...told, strategy: 'ohem', microBatch: 1 } as const;
      await expect(parted.step(batch, byScore)).rejects.toThrow(/whole batch/);
      whole.dispose();
      parted.dispose();
    });

    it('is left alone by a clip that its gradients do not reach', async () => {
      const [free, clipped] = [await newExecutor(), await newExecutor()];
      await free.step(batch, { ...settings, clipNorm: 0 });
      await clipped.step(batch, { ...settings, clipNorm: 1e6 });
      expectEqual(await clipped.exportWeights(), await free.exportWeights());
      free.dispose();
      clipped.dispose();
    });
  });

  describe('norms of fixed statistics', () => {
    it.each([
      { kind: 'batch', learns: true },
      { kind: 'frozen', learns: false },
    ] as const)(
      'have a scale that learns in $kind alone, and are exported whole',
      async ({ kind, learns }) => {
        const options = { ...network, backboneNorm: kind };
        const [one, other] = [await newExecutor('l1', 1, options), await newExecutor('l1', 2, options)];
        const before = await one.exportWeights();
        expect(before.map(({ name }) => name)).toEqual(one.graph.parameters.map(({ name }) => name));
        await one.step(batch, settings);
        const after = await one.exportWeights();
        const changed = after.filter(({ data }, i) =>
          data.some((value, at) => value !== before[i]!.data[at]),
        );
        const isNorm = (leaf: string) => (each: NamedTensor) =>
          new RegExp(`bn\\d\\.${leaf}$`).test(each.name);
        expect(changed.some(isNorm('running_(mean|var)'))).toBe(false);
        expect(changed.filter(isNorm('(weight|bias)')).length).toBe(
          learns ? after.filter(isNorm('(weight|bias)')).length : 0,
        );
        other.importWeights(after);
        expect(await other.heads(batch)).toEqual(await one.heads(batch));
        one.dispose();
        other.dispose();
      },
    );
  });

  describe('what does not fit', () => {
    it('is named, and nothing is changed', async () => {
      const executor = await newExecutor();
      const before = await executor.exportWeights();
      const shorter = before.slice(1);
      expect(() => executor.importWeights(shorter)).toThrow(/no tensor named backbone\.body\.conv1\.weight/);
      const bent = before.map((each, i) => (i === before.length - 1 ? { ...each, shape: [7] } : each));
      expect(() => executor.importWeights(bent)).toThrow(/has shape \[7\]/);
      expectEqual(await executor.exportWeights(), before);
      await expect(executor.step({ ...batch, paddedWidth: 50 }, settings)).rejects.toBeInstanceOf(Problem);
      executor.dispose();
    });
  });

  describe('detection', () => {
    it('gives boxes in the original image, best first', async () => {
      const executor = await newExecutor();
      const [first] = await executor.detect(batch, { scoreThreshold: 0.001 });
      expect(first!.length).toBeGreaterThan(0);
      expect(first!.length).toBeLessThanOrEqual(300);
      for (const [index, { boxPx, score }] of first!.entries()) {
        expect(boxPx[0]).toBeGreaterThanOrEqual(0);
        expect(boxPx[2]).toBeLessThanOrEqual(side * 2 - 8 + 1e-3);
        expect(boxPx[3]).toBeLessThanOrEqual(side * 2 + 1e-3);
        if (index > 0) expect(score).toBeLessThanOrEqual(first![index - 1]!.score);
      }
      executor.dispose();
    });
  });
}

function lengthOf(vector: ArrayLike<number>): number {
  return Math.sqrt(Array.from(vector).reduce((sum, each) => sum + each * each, 0));
}
