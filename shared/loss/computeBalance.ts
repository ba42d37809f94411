/** From unreduced loss terms to how each class's loss is shared. Nothing is estimated: every term is added once, in float64. */
import { countPositives, matchBackground, matchIgnored } from '../detector/matcher.ts';
import type { ClassBalance } from './balance.ts';
import type { Matched } from './focal.ts';

export interface ImageTerms extends Matched {
  /** Unreduced classification loss `[A * K]`. */
  readonly terms: Float32Array;
}

/**
 * The balance of every class over a batch. Terms of ignored anchors are not read. Each image's terms are divided by
 * max(1, its positives) and the batch averaged, so that foreground + background over all classes is the classification loss.
 */
export function computeBalance(images: readonly ImageTerms[], foregroundClassCount: number): Shares[] {
  const sums = Array.from({ length: foregroundClassCount }, () => ({
    foreground: 0,
    backgroundTrue: 0,
    backgroundOther: 0,
    positives: 0,
    backgroundTrueAnchors: 0,
    backgroundOtherAnchors: 0,
  }));
  for (const image of images) {
    const scale = 1 / (Math.max(1, countPositives(image.matches)) * images.length);
    for (let k = 0; k < foregroundClassCount; k++) addClass(sums[k]!, image, k, foregroundClassCount, scale);
  }
  return sums.map((sum, classIndex) => ({
    classIndex,
    background: sum.backgroundTrue + sum.backgroundOther,
    ...sum,
  }));
}

type Shares = Omit<ClassBalance, `${string}Gradient`>;

/** The classification loss that the balance shares out. */
export function classificationLoss(balance: readonly Shares[]): number {
  return balance.reduce((sum, { foreground, background }) => sum + foreground + background, 0);
}

type Sums = {
  -readonly [Field in Exclude<keyof Shares, 'classIndex' | 'background'>]: number;
};

function addClass(sum: Sums, image: ImageTerms, k: number, classCount: number, scale: number): void {
  const { terms, matches, classIndices } = image;
  let foreground = 0;
  let backgroundTrue = 0;
  let backgroundOther = 0;
  for (let anchor = 0; anchor < matches.length; anchor++) {
    const match = matches[anchor]!;
    if (match === matchIgnored) continue;
    const term = terms[anchor * classCount + k]!;
    if (match === matchBackground) {
      backgroundTrue += term;
      sum.backgroundTrueAnchors++;
    } else if (classIndices[match] === k) {
      foreground += term;
      sum.positives++;
    } else {
      backgroundOther += term;
      sum.backgroundOtherAnchors++;
    }
  }
  sum.foreground += foreground * scale;
  sum.backgroundTrue += backgroundTrue * scale;
  sum.backgroundOther += backgroundOther * scale;
}
