/** Who causes a batch's loss and where its logits lie, term by term in float64: what the GPU's kernel is held to. */
import { matchBackground, matchIgnored } from '../detector/matcher.ts';
import type { ClassBalance } from './balance.ts';
import { type Matched, sigmoid } from './focal.ts';
import { type LogitHistogram, type Side, sides } from './histogram.ts';
import { addLogit, emptyHistogram } from './histogramOps.ts';
import type { LossSettings } from './strategy.ts';
import type { BatchMatches } from './targets.ts';
import { formGradient, formLoss, type TermForm, termForm } from './term.ts';

/** One image of a batch. */
export interface ImageLogits extends Matched {
  /** `[A * K]` */
  readonly logits: Float32Array;
  /** `[A]`: what an anchor's terms are multiplied with; 0: left out by the strategy. */
  readonly weights: Float32Array;
}

export interface Statistics {
  /** Losses and gradients carry the weights. Anchors are counted whether or not the strategy leaves them out. */
  readonly balance: ClassBalance[];
  /** Of all anchors that are not ignored, whether or not the strategy leaves them out. */
  readonly histogram: LogitHistogram;
}

export function computeStatistics(
  images: readonly ImageLogits[],
  foregroundClassCount: number,
  settings: LossSettings,
): Statistics {
  const form = termForm(settings);
  const histogram = emptyHistogram(foregroundClassCount);
  const sums = Array.from({ length: foregroundClassCount }, () => ({
    foreground: emptySum(),
    backgroundTrue: emptySum(),
    backgroundOther: emptySum(),
  }));
  for (const image of images) {
    eachLogit(image, foregroundClassCount, (anchor, classIndex, side, logit) => {
      const isTarget = side === 'foreground';
      const weight = image.weights[anchor]!;
      const sum = sums[classIndex]![side];
      sum.count++;
      // A logit that is not finite and does not count must not spoil the sum.
      if (weight !== 0) {
        sum.loss += weight * formLoss(logit, isTarget, form);
        sum.gradient += weight * Math.abs(formGradient(logit, isTarget, form));
      }
      addLogit(histogram, classIndex, side, isTarget ? logit : -logit);
    });
  }
  return { histogram, balance: sums.map(balanceOfSides) };
}

/** A logit that costs much, by its place in the batch. */
export interface HardLogit {
  readonly image: number;
  readonly anchor: number;
  readonly classIndex: number;
  readonly side: Side;
  /** p of the class. */
  readonly probability: number;
  /** Unreduced. */
  readonly loss: number;
}

/**
 * The logits of most loss among anchors that count, heaviest first, equal ones by image, anchor and class. Neighbours in
 * `anchorsPerPlace`, the anchors of one cell, look at the same thing: for each class the heaviest stands for them all.
 */
export function hardestAnchors(
  images: readonly ImageLogits[],
  foregroundClassCount: number,
  form: TermForm,
  { count, anchorsPerPlace }: { count: number; anchorsPerPlace: number },
): HardLogit[] {
  let hardest = new Map<string, HardLogit>();
  /** So many of more loss are known. */
  let floor = -Infinity;
  const prune = () => {
    const kept = [...hardest].sort(([, a], [, b]) => byLoss(a, b)).slice(0, count);
    hardest = new Map(kept);
    if (kept.length === count) floor = kept.at(-1)?.[1].loss ?? Infinity;
  };
  images.forEach((image, index) => {
    eachLogit(image, foregroundClassCount, (anchor, classIndex, side, logit) => {
      if (image.weights[anchor] === 0) return;
      const loss = formLoss(logit, side === 'foreground', form);
      if (loss <= floor) return;
      const key = `${index}/${Math.floor(anchor / anchorsPerPlace)}/${classIndex}`;
      if (loss <= (hardest.get(key)?.loss ?? -Infinity)) return;
      hardest.set(key, { image: index, anchor, classIndex, side, probability: sigmoid(logit), loss });
      if (hardest.size > 8 * count) prune();
    });
  });
  prune();
  return [...hardest.values()];
}

/** Heaviest first, equal ones by image, anchor and class. */
export function byLoss(a: HardLogit, b: HardLogit): number {
  return b.loss - a.loss || a.image - b.image || a.anchor - b.anchor || a.classIndex - b.classIndex;
}

/** The classification loss that the balance shares out. */
export function classificationLoss(balance: readonly ClassBalance[]): number {
  return balance.reduce((sum, { foreground, background }) => sum + foreground + background, 0);
}

/** Of the logits of one class and side. */
export interface Sum {
  loss: number;
  gradient: number;
  count: number;
}

function emptySum(): Sum {
  return { loss: 0, gradient: 0, count: 0 };
}

/** A class's balance out of what each of its sides sums up to. */
export function balanceOfSides(
  sides: Readonly<Record<Side, Readonly<Sum>>>,
  classIndex: number,
): ClassBalance {
  const { foreground, backgroundTrue, backgroundOther } = sides;
  return {
    classIndex,
    foreground: foreground.loss,
    background: backgroundTrue.loss + backgroundOther.loss,
    backgroundTrue: backgroundTrue.loss,
    backgroundOther: backgroundOther.loss,
    foregroundGradient: foreground.gradient,
    backgroundTrueGradient: backgroundTrue.gradient,
    backgroundOtherGradient: backgroundOther.gradient,
    positives: foreground.count,
    backgroundTrueAnchors: backgroundTrue.count,
    backgroundOtherAnchors: backgroundOther.count,
  };
}

/** Balances out of sums that a device made: losses and gradients `[K * 3]`, sides in the order of `sides`. */
export function balanceOfSums(
  { losses, gradients }: { readonly losses: Float64Array; readonly gradients: Float64Array },
  matched: Pick<BatchMatches, 'positivesOf' | 'positives' | 'backgroundTrueAnchors'>,
): ClassBalance[] {
  return matched.positivesOf.map((positives, classIndex) => {
    const counts = [positives, matched.backgroundTrueAnchors, matched.positives - positives];
    const [foreground, backgroundTrue, backgroundOther] = sides.map((_, side) => {
      const at = classIndex * sides.length + side;
      return { loss: losses[at]!, gradient: gradients[at]!, count: counts[side]! };
    });
    return balanceOfSides(
      { foreground: foreground!, backgroundTrue: backgroundTrue!, backgroundOther: backgroundOther! },
      classIndex,
    );
  });
}

function eachLogit(
  { logits, matches, classIndices }: ImageLogits,
  classCount: number,
  visit: (anchor: number, classIndex: number, side: Side, logit: number) => void,
): void {
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match === matchIgnored) continue;
    const target = match >= 0 ? classIndices[match]! : -1;
    const elsewhere: Side = match === matchBackground ? 'backgroundTrue' : 'backgroundOther';
    for (let k = 0, at = anchor * classCount; k < classCount; k++, at++) {
      visit(anchor, k, k === target ? 'foreground' : elsewhere, logits[at]!);
    }
  }
}
