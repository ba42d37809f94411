/**
 * What a histogram of logits tells of losses that were not trained with: totals under any alpha and gamma, the paper's figure 4
 * (Lin et al. 2017), how few logits carry the loss. In a bin the logits are taken to lie evenly about their mean, as wide as
 * their variance says; sums take the two-point Gauss rule of that.
 */
import type { ClassBalance } from './balance.ts';
import { classWeight, type FocalSettings, sigmoid, softplus } from './focal.ts';
import { binCount, binWidth, type LogitHistogram, lowestLogit, type Side } from './histogram.ts';
import { binSpread, type Slice, sliceStart } from './histogramOps.ts';
import { balanceOfSides, type Sum } from './statistics.ts';

/** The slice's focal loss, summed and unreduced; `isForeground` decides between alpha and 1 - alpha. */
export function sliceLoss(slice: Slice, isForeground: boolean, settings: FocalSettings): number {
  return sumBins(slice, 0, isForeground, settings).loss;
}

/** The slice's |dL/dlogit|, summed and unreduced. */
export function sliceGradient(slice: Slice, isForeground: boolean, settings: FocalSettings): number {
  return sumBins(slice, 0, isForeground, settings).gradient;
}

/** The balance of every class as it would be under other settings: of one step, the mean over those that were counted. */
export function balanceUnder(
  histogram: LogitHistogram,
  settings: FocalSettings,
  { scale, steps }: { scale: number; steps: number },
): ClassBalance[] {
  return Array.from({ length: histogram.foregroundClassCount }, (_, classIndex) => {
    const of = (side: Side) => {
      const sum = sumBins(histogram, sliceStart(classIndex, side), side === 'foreground', settings);
      return {
        loss: (sum.loss * scale) / steps,
        gradient: (sum.gradient * scale) / steps,
        count: sum.count / steps,
      };
    };
    return balanceOfSides(
      {
        foreground: of('foreground'),
        backgroundTrue: of('backgroundTrue'),
        backgroundOther: of('backgroundOther'),
      },
      classIndex,
    );
  });
}

/**
 * `under` brought to what was measured: every side of a class by what its loss really was over what the histogram tells of it under
 * the settings that it was trained with (`told`). One mean weight cannot know that images weighed differently; this does.
 */
export function broughtToMeasured(
  under: readonly ClassBalance[],
  told: readonly ClassBalance[],
  measured: readonly Omit<ClassBalance, 'classIndex'>[],
): ClassBalance[] {
  return under.map((balance, index) => {
    const side = (loss: Side, gradient: `${Side}Gradient`, count: number) => ({
      loss: balance[loss] * ratio(measured[index]![loss], told[index]![loss]),
      gradient: balance[gradient] * ratio(measured[index]![gradient], told[index]![gradient]),
      count,
    });
    return balanceOfSides(
      {
        foreground: side('foreground', 'foregroundGradient', balance.positives),
        backgroundTrue: side('backgroundTrue', 'backgroundTrueGradient', balance.backgroundTrueAnchors),
        backgroundOther: side('backgroundOther', 'backgroundOtherGradient', balance.backgroundOtherAnchors),
      },
      balance.classIndex,
    );
  });
}

function ratio(measured: number, told: number): number {
  return told > 0 && measured > 0 ? measured / told : 1;
}

/**
 * Figure 4: the share of the loss that the easiest fraction of the logits carries together, from [0, 0] to [1, 1]. `points`: at most
 * about so many, evenly along the curve; absent: as finely as the histogram knows. Without logits: empty. Off by at most 0.0001 where
 * logits fill many bins, and by 0.002 where they fill a part of one; by 0.005 at gamma 5 where they lie normally about one
 * bin, by 0.016 where they form two heaps in it.
 */
export function concentrationCurve(slice: Slice, gamma: number, points?: number): [number, number][] {
  const pieces = piecesOf(slice, gamma);
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
  const loss = pieces.reduce((sum, piece) => sum + piece.loss, 0);
  if (count === 0) return [];
  const curve: [number, number][] = [[0, 0]];
  let counted = 0;
  let carried = 0;
  for (const piece of pieces) {
    counted += piece.count;
    carried += piece.loss;
    curve.push([counted / count, loss > 0 ? carried / loss : counted / count]);
  }
  curve[curve.length - 1] = [1, 1];
  return points === undefined ? curve : thinned(curve, points);
}

/** How many of the hardest logits carry this share (0..1) of the slice's loss. */
export function carriersOf(slice: Slice, gamma: number, share: number): number {
  const pieces = piecesOf(slice, gamma).reverse();
  const wanted = share * pieces.reduce((sum, piece) => sum + piece.loss, 0);
  let carried = 0;
  let carriers = 0;
  for (const piece of pieces) {
    if (carried + piece.loss >= wanted) {
      const part = piece.loss > 0 ? (wanted - carried) / piece.loss : 0;
      return carriers + part * piece.count;
    }
    carried += piece.loss;
    carriers += piece.count;
  }
  return carriers;
}

/** How many logits have which p_t, the probability of the right answer: `bins` equal parts of 0..1. */
export function probabilityHistogram(
  slice: Slice,
  bins: number,
): { from: number; to: number; count: number }[] {
  const below = (p: number) => countBelow(slice, Math.log(p / (1 - p)));
  const edges = Array.from({ length: bins + 1 }, (_, index) => index / bins);
  const counts = edges.map(below);
  return edges.slice(1).map((to, index) => ({
    from: edges[index]!,
    to,
    count: counts[index + 1]! - counts[index]!,
  }));
}

/** Focal loss of a signed logit without alpha. */
function unweightedLoss(xt: number, gamma: number): number {
  return sigmoid(-xt) ** gamma * softplus(-xt);
}

/** 256 bins from `start` on. */
function sumBins(slice: Slice, start: number, isForeground: boolean, { alpha, gamma }: FocalSettings): Sum {
  const sum = { loss: 0, gradient: 0, count: 0 };
  for (let bin = 0; bin < binCount; bin++) {
    const count = slice.counts[start + bin]!;
    if (count === 0) continue;
    sum.count += count;
    const { mean, deviation } = binSpread(slice, start + bin);
    for (const place of [mean - deviation, mean + deviation]) {
      const xt = logitAt(bin, place);
      const wrong = sigmoid(-xt);
      const entropy = softplus(-xt);
      const weight = (classWeight(isForeground, alpha) * wrong ** gamma * count) / 2;
      sum.loss += weight * entropy;
      sum.gradient += weight * (gamma * (1 - wrong) * entropy + wrong);
    }
  }
  return sum;
}

function logitAt(bin: number, place: number): number {
  return lowestLogit + (bin + place) * binWidth;
}

/** The even stretch that stands for a bin's logits; it may reach a little into the bins beside. */
function stretchOf(slice: Slice, bin: number): { from: number; to: number } {
  const { mean, deviation } = binSpread(slice, bin);
  const half = Math.sqrt(3) * deviation;
  return { from: logitAt(bin, mean - half), to: logitAt(bin, mean + half) };
}

const piecesPerBin = 8;

/** Logits of about the same loss. */
interface Piece {
  readonly xt: number;
  readonly count: number;
  readonly loss: number;
}

/** Easiest first. */
function piecesOf(slice: Slice, gamma: number): Piece[] {
  const pieces: Piece[] = [];
  for (let bin = 0; bin < binCount; bin++) {
    const count = slice.counts[bin]! / piecesPerBin;
    if (count === 0) continue;
    const { from, to } = stretchOf(slice, bin);
    for (let piece = 0; piece < piecesPerBin; piece++) {
      const xt = from + ((piece + 0.5) / piecesPerBin) * (to - from);
      pieces.push({ xt, count, loss: count * unweightedLoss(xt, gamma) });
    }
  }
  return pieces.sort((a, b) => b.xt - a.xt);
}

/** Points at even distances (fraction plus share) along the curve. */
function thinned(curve: readonly [number, number][], points: number): [number, number][] {
  const kept: [number, number][] = [];
  let next = 0;
  for (const point of curve) {
    if (point[0] + point[1] < next) continue;
    kept.push(point);
    next = point[0] + point[1] + 2 / points;
  }
  if (kept.at(-1) !== curve.at(-1)) kept.push(curve.at(-1)!);
  return kept;
}

function countBelow(slice: Slice, xt: number): number {
  let below = 0;
  for (let bin = 0; bin < binCount; bin++) {
    const count = slice.counts[bin]!;
    if (count === 0) continue;
    const { from, to } = stretchOf(slice, bin);
    if (xt >= to) below += count;
    else if (xt > from) below += (count * (xt - from)) / (to - from);
  }
  return below;
}
