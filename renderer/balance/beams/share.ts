/** From a step's balance to what one beam shows: shares, and the sum that ties the beams to the loss beside them. */
import { scientific } from '../../../shared/charts/words.ts';
import type { ClassBalanceEvent } from '../../../shared/training/events.ts';

/** One class's loss and who causes it. Losses carry the classification loss's own normalisation. */
export interface BeamNumbers {
  readonly name: string;
  /** The class's own colour, `#rrggbb`. */
  readonly color: string;
  readonly foreground: number;
  readonly background: number;
  readonly backgroundTrue: number;
  readonly backgroundOther: number;
  /** 0..1, null where the class has no loss at all. */
  readonly foregroundShare: number | null;
  readonly backgroundShare: number | null;
  /** Anchors matched to the class per step, a mean. */
  readonly positives: number;
  /** Every anchor that counts: the class's own, true background and other classes' objects. */
  readonly anchors: number;
  readonly backgroundTrueAnchors: number;
  readonly backgroundOtherAnchors: number;
}

/** What lies on the pans: the loss, or the sum of its |dL/dlogit|, by which the weights are moved. */
export type Weighed = 'loss' | 'gradient';

export const weighedWords: Record<Weighed, string> = { loss: 'loss', gradient: 'pull' };

export function beamNumbers(
  balance: ClassBalanceEvent,
  color: string,
  weighed: Weighed = 'loss',
): BeamNumbers {
  const { foreground, backgroundTrue, backgroundOther } = pansOf(balance, weighed);
  const background = backgroundTrue + backgroundOther;
  const total = foreground + background;
  return {
    name: balance.class,
    color,
    foreground,
    background,
    backgroundTrue,
    backgroundOther,
    foregroundShare: total > 0 ? foreground / total : null,
    backgroundShare: total > 0 ? background / total : null,
    positives: balance.positives,
    anchors: balance.positives + balance.backgroundTrueAnchors + balance.backgroundOtherAnchors,
    backgroundTrueAnchors: balance.backgroundTrueAnchors,
    backgroundOtherAnchors: balance.backgroundOtherAnchors,
  };
}

/** Logs of earlier versions know no gradient: level and empty then. */
function pansOf(balance: ClassBalanceEvent, weighed: Weighed) {
  if (weighed === 'loss') return balance;
  return {
    foreground: balance.foregroundGradient ?? 0,
    backgroundTrue: balance.backgroundTrueGradient ?? 0,
    backgroundOther: balance.backgroundOtherGradient ?? 0,
  };
}

/** A class before its first step: no loss, a level beam. */
export function restingBeam(name: string, color: string): BeamNumbers {
  return beamNumbers(
    {
      class: name,
      foreground: 0,
      background: 0,
      backgroundTrue: 0,
      backgroundOther: 0,
      positives: 0,
      backgroundTrueAnchors: 0,
      backgroundOtherAnchors: 0,
    },
    color,
  );
}

/** Several classes as one. */
export function sumOfBeams(beams: readonly BeamNumbers[], name: string): BeamNumbers {
  const sum = (field: 'foreground' | 'backgroundTrue' | 'backgroundOther' | 'positives') =>
    beams.reduce((total, beam) => total + beam[field], 0);
  const [foreground, backgroundTrue, backgroundOther] = [
    sum('foreground'),
    sum('backgroundTrue'),
    sum('backgroundOther'),
  ];
  const balance = { foreground, backgroundTrue, backgroundOther, positives: sum('positives') };
  return beamNumbers(
    {
      ...balance,
      class: name,
      background: backgroundTrue + backgroundOther,
      backgroundTrueAnchors: 0,
      backgroundOtherAnchors: 0,
    },
    neutralColor,
  );
}

/** Of what belongs to no class. */
export const neutralColor = '#8a90a0';

export const beamOrders = ['loss', 'background', 'class'] as const;
export type BeamOrder = (typeof beamOrders)[number];

/** `loss`: heaviest class first. `background`: the most taught by what it is not first. `class`: as the project lists them. */
export function sortBeams(beams: readonly BeamNumbers[], order: BeamOrder): BeamNumbers[] {
  const sorted = [...beams];
  if (order === 'loss') sorted.sort((a, b) => lossOf(b) - lossOf(a));
  if (order === 'background') sorted.sort((a, b) => (b.backgroundShare ?? -1) - (a.backgroundShare ?? -1));
  return sorted;
}

export function lossOf(beam: Pick<BeamNumbers, 'foreground' | 'background'>): number {
  return beam.foreground + beam.background;
}

export interface SumCheck {
  /** Over the classes, foreground + background. */
  readonly sum: number;
  readonly classification: number;
  /** Equal within 1e-4 relative, which is what float32 sums on a GPU can promise. */
  readonly agrees: boolean;
}

export function checkSum(beams: readonly BeamNumbers[], classification: number): SumCheck {
  const sum = beams.reduce((total, beam) => total + lossOf(beam), 0);
  return {
    sum,
    classification,
    agrees: Math.abs(sum - classification) <= 1e-4 * Math.max(Math.abs(classification), 1e-6),
  };
}

/**
 * Two shares as whole percents that add up to 100, never saying 0% or 100% of something that is not quite: those become
 * "<1" and ">99".
 */
export function percentPair(beam: Pick<BeamNumbers, 'foregroundShare' | 'backgroundShare'>): {
  foreground: string;
  background: string;
} {
  if (beam.foregroundShare === null) return { foreground: '–', background: '–' };
  const foreground = percentText(beam.foregroundShare);
  const complement: Record<string, string> = { '<1': '>99', '>99': '<1' };
  return { foreground, background: complement[foreground] ?? String(100 - Number(foreground)) };
}

function percentText(share: number): string {
  if (share > 0 && share < 0.01) return '<1';
  if (share > 0.99 && share < 1) return '>99';
  return String(Math.round(share * 100));
}

/** Two beams that a line of text and a small drawing cannot tell apart. */
export function looksAlike(a: BeamNumbers, b: BeamNumbers): boolean {
  const otherPart = (beam: BeamNumbers) => beam.backgroundOther / (lossOf(beam) || 1);
  return (
    lossText(lossOf(a)) === lossText(lossOf(b)) &&
    countText(a.positives) === countText(b.positives) &&
    countText(a.anchors) === countText(b.anchors) &&
    Math.abs((a.foregroundShare ?? -1) - (b.foregroundShare ?? -1)) < 0.005 &&
    percentPair(a).foreground === percentPair(b).foreground &&
    Math.abs(otherPart(a) - otherPart(b)) < 0.01
  );
}

/** A loss to three or four digits that mean something: 1.234, 0.0123, 1.2×10⁻⁵. */
export function lossText(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1e5) return scientific(value, 2);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 0.01) return value.toFixed(3);
  return Math.abs(value) >= 0.0001 ? value.toFixed(4) : scientific(value, 2);
}

/** A mean count: whole from ten on, with one decimal below (a class met once in three steps is not "0 anchors"). */
export function countText(value: number): string {
  const digits = value > 0 && value < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
