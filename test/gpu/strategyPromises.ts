/** Steps under every strategy, and what a run is told of its logits, on any executor. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBoxes } from '../../shared/detector/boxCoder.ts';
import { matchIgnored } from '../../shared/detector/matcher.ts';
import { pyramidSizes } from '../../shared/detector/network.ts';
import { balanceUnder } from '../../shared/loss/counterfactual.ts';
import type { Snapshot, StepSettings } from '../../shared/loss/executor.ts';
import { selectAnchors } from '../../shared/loss/selection.ts';
import { classificationLoss, computeStatistics } from '../../shared/loss/statistics.ts';
import { lossSettingsOf, strategies } from '../../shared/loss/strategies.ts';
import { strategyNames } from '../../shared/loss/strategy.ts';
import { formGradient, termForm } from '../../shared/loss/term.ts';
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
const anchors = smallAnchors();
const count = anchors.length / 4;
const draw = { seed: 7, step: 3 };
export function describeStrategies(make: MakeExecutor): void {
  const fresh = () => make({ network, boxLoss: 'l1', prior: 0.01, seed: 1 });
  let executor: TestedExecutor;

  beforeAll(async () => {
    executor = await fresh();
    // A step, so that equal scores of the very first weights decide nothing.
    await executor.step(batch, { ...settings, statistics: 'none' });
  });
  afterAll(() => executor.dispose());

  /** What plain TypeScript makes of the executor's own logits. */
  async function plainly(step: StepSettings) {
    const loss = lossSettingsOf(step);
    const { logits, deltas } = await executor.heads(batch);
    const images = batch.targets.map((target, image) => ({
      logits: logits.slice(image * count * classCount, (image + 1) * count * classCount),
      foregroundClassCount: classCount,
      matches: matchesOf(target),
      classIndices: target.classIndices,
      boxes: () => decodeBoxes(deltas.slice(image * count * 4, (image + 1) * count * 4), anchors),
      levelCounts: pyramidSizes(side, side).map(({ height, width }) => height * width * 9),
    }));
    const selection =
      strategies[loss.strategy].selection === 'all'
        ? null
        : selectAnchors(images, loss, step.draw ?? { seed: 0, step: 0 });
    const weighted = images.map((image, index) => {
      const positives = image.matches.filter((match) => match >= 0).length;
      const each = (match: number) => (match === matchIgnored ? 0 : 0.5 / Math.max(1, positives));
      return { ...image, weights: selection?.weights[index] ?? Float32Array.from(image.matches, each) };
    });
    const biasGradient = new Float64Array(9 * classCount);
    for (const { logits: own, weights, matches, classIndices } of weighted) {
      own.forEach((logit, at) => {
        const match = matches[Math.floor(at / classCount)]!;
        const isTarget = match >= 0 && classIndices[match] === at % classCount;
        const weight = weights[Math.floor(at / classCount)]!;
        biasGradient[at % biasGradient.length]! += weight * formGradient(logit, isTarget, termForm(loss));
      });
    }
    const { balance } = computeStatistics(weighted, classCount, loss);
    return { balance, biasGradient, selectedAnchors: selection?.selectedAnchors };
  }

  describe('a step', () => {
    it.each(strategyNames)('takes the loss and the anchors of %s', async (strategy) => {
      const step = { ...settings, ...strategies[strategy].defaults, strategy, draw };
      const plain = await plainly(step);
      const { report, gradients } = await executor.gradients(batch, step);
      expect(report.selectedAnchors).toBe(plain.selectedAnchors);
      expectNear(report.classification, classificationLoss(plain.balance));
      report.balance.forEach((each, k) => {
        for (const [field, value] of Object.entries(plain.balance[k]!)) {
          expectNear(each[field as keyof typeof each], value);
        }
      });
      const bias = gradients.find(({ name }) => name === 'head.classification_head.cls_logits.bias')!;
      bias.data.forEach((each, i) => {
        expectNear(each, plain.biasGradient[i]!, 1e-5);
      });
    });

    it('draws by seed and step, and leaves the box loss as it is', async () => {
      const sampled = { ...settings, strategy: 'sampled', statistics: 'none', draw } as const;
      const loss = async (step: StepSettings) => (await executor.gradients(batch, step)).report;
      const [first, again] = [await loss(sampled), await loss(sampled)];
      expect(again).toEqual(first);
      const other = await loss({ ...sampled, draw: { ...draw, step: 4 } });
      expect(other.classification).not.toBe(first.classification);
      const focal = await loss({ ...settings, statistics: 'none' });
      for (const { box, balance } of [first, other]) {
        expect(box).toBe(focal.box);
        expect(balance).toEqual([]);
      }
    });
  });

  /** Five steps, the second and fourth with a snapshot. */
  async function shortRun(statistics: 'none' | 'all') {
    const own = await fresh();
    const snapshots: (Snapshot | undefined)[] = [];
    const reports = [];
    for (let step = 1; step <= 5; step++) {
      const snapshot = step % 2 === 0;
      const moving = { ...settings, normalizer: 'moving', statistics, snapshot } as const;
      const report = await own.step(batch, moving);
      snapshots.push(report.snapshot);
      reports.push(report);
    }
    const last = await own.lastSnapshot();
    const weights = await own.exportWeights();
    expect(await own.lastSnapshot()).toBeNull();
    own.dispose();
    return { snapshots, last, weights, reports };
  }

  describe('statistics of a run', () => {
    it('change no weight and no loss, repeat exactly, and count every step once', async () => {
      const [without, first, again] = [await shortRun('none'), await shortRun('all'), await shortRun('all')];
      expectEqual(first.weights, without.weights);
      expect(without.last).toBeNull();
      expect({ ...again, weights: [] }).toEqual({ ...first, weights: [] });
      for (const [index, { classification, box }] of without.reports.entries()) {
        expect(first.reports[index]).toMatchObject({ classification, box });
      }

      expect(first.snapshots.map((each) => each?.steps)).toEqual([undefined, undefined, 2, undefined, 2]);
      expect(first.last!.steps).toBe(1);
      const notIgnored = batch.targets.flatMap((target) =>
        [...matchesOf(target)].filter((m) => m !== matchIgnored),
      );
      for (const { steps, histogram, hardest } of [first.snapshots[2]!, first.snapshots[4]!, first.last!]) {
        const counted = histogram.counts.reduce((sum, each) => sum + each, 0);
        expect(counted).toBe(steps * notIgnored.length * classCount);
        expect(hardest.length).toBeGreaterThan(3);
        expect(hardest.length).toBeLessThanOrEqual(12);
      }
    });

    it('tell every loss and gradient of the step from the histogram alone', async () => {
      const own = await fresh();
      const moving = { ...settings, normalizer: 'moving', statistics: 'all' } as const;
      const { balance } = await own.step(batch, moving);
      const { histogram, scale, steps } = (await own.lastSnapshot())!;
      own.dispose();
      const told = balanceUnder(histogram, settings, { scale, steps });
      balance.forEach((each, k) => {
        for (const [field, value] of Object.entries(each)) {
          const ours = told[k]![field as keyof typeof each];
          expect(Math.abs(ours - value), field).toBeLessThanOrEqual(1e-3 * Math.abs(value) + 1e-9);
        }
      });
    });

    it('go on from a snapshot that nobody has collected', async () => {
      const own = await fresh();
      const all = { ...settings, statistics: 'all' } as const;
      await own.step(batch, { ...all, snapshot: true });
      expect((await own.lastSnapshot())!.steps).toBe(1);
      await own.step(batch, { ...all, snapshot: true });
      await own.step(batch, { ...all, snapshot: true });
      expect((await own.lastSnapshot())!.steps).toBe(1);
      own.dispose();
    });
  });

  describe('measuring', () => {
    it('finds what a step on the same weights would have counted, and changes nothing', async () => {
      const own = await fresh();
      const measured = await own.measure(batch, { alpha: 0.25, gamma: 2, hardest: 5 });
      const other = await fresh();
      const step = { ...settings, statistics: 'all' } as const;
      const report = await other.step(batch, step);
      const counted = (await other.lastSnapshot())!;
      expect(measured.positives).toBe(report.positives);
      expect(measured.hardest).toEqual(counted.hardest.slice(0, 5));
      expect(measured.histogram.counts).toEqual(counted.histogram.counts);
      expect((await own.step(batch, step)).classification).toBe(report.classification);
      expect((await own.lastSnapshot())!.steps).toBe(1);
      own.dispose();
      other.dispose();
    });
  });
}
