/** Anchor coverage in sentences. Pure. */
import { type Fit, fits } from '../../../shared/detector/coverage.ts';
import type { CoveragePlan, PlanCoverage } from '../../../shared/detector/coveragePlans.ts';
import { type Advice, badShare, worstClass } from '../../../shared/detector/coveragePlans.ts';
import { badlyCovered, type CoverageSummary } from '../../../shared/detector/coverageSummary.ts';
import type { ProblemData } from '../../../shared/domain/problem.ts';

export interface ClassLook {
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
}

/** How far the comparison is, and what it has found. */
export interface CoverageShown {
  readonly phase: 'idle' | 'working' | 'ready' | 'failed';
  readonly done: number;
  readonly total: number;
  readonly problem: ProblemData | null;
  /** Images looked at, of so many. */
  readonly images: number;
  readonly ofImages: number;
  /** Of the form's own plan first. */
  readonly results: readonly PlanCoverage[];
}

export const fitTitles: Readonly<Record<Fit, string>> = {
  fitted: 'An anchor fits',
  forced: 'Forced matches only',
  unanswered: 'No anchor answers',
  'too-small': 'Too small to be seen',
};

export const fitMeanings: Readonly<Record<Fit, string>> = {
  fitted: 'Some anchor overlaps the box by half or more: it is learnt from several anchors.',
  forced:
    'None does, so the nearest anchor is taken whether it fits or not: the box is learnt from one or two bad examples.',
  unanswered:
    'No anchor touches the box, or a neighbouring box took the nearest one: it is not learnt at all.',
  'too-small': 'At this image side the box is less than one pixel wide or high, so training leaves it out.',
};

/** 12 % and not 12.3 %, but 0.4 % and not 0 %. */
export function percentText(share: number): string {
  const percent = 100 * share;
  const digits = percent > 0 && percent < 1 ? 1 : 0;
  if (percent > 0 && percent < 0.05) return 'under 0.1 %';
  if (percent < 100 && percent > 99) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`;
  return `${percent.toFixed(digits)} %`;
}

function timesText(times: number): string {
  return `${times >= 10 ? times.toFixed(0) : times.toFixed(1)} ×`;
}

export function sideText({ minSizePx, maxSizePx }: CoveragePlan): string {
  return minSizePx === maxSizePx ? `${maxSizePx} px` : `${minSizePx} to ${maxSizePx} px`;
}

export interface Verdict {
  /** `good`: hardly a box without a fitting anchor, in no class. */
  readonly tone: 'good' | 'some' | 'bad';
  readonly text: string;
  /** Of the class that is worst off, where it is much worse off than all. */
  readonly worst: string | null;
}

/** Shares of boxes above which a person should know, and should do something. */
const [someShare, badlyShare] = [0.02, 0.2];

export function verdictOf({ plan, summary }: PlanCoverage, classes: readonly string[]): Verdict {
  const bad = badlyCovered(summary.counts);
  const worst = worstClass(summary);
  const worstShare = worst ? badShare(worst) : 0;
  const tone = worstShare <= someShare ? 'good' : worstShare <= badlyShare ? 'some' : 'bad';
  const boxes = summary.boxes.toLocaleString('en-US');
  return {
    tone,
    text:
      bad === 0
        ? `Every one of your ${boxes} boxes has an anchor that fits, at ${sideText(plan)}.`
        : `${bad.toLocaleString('en-US')} of your ${boxes} boxes (${percentText(bad / summary.boxes)}) ${bad === 1 ? 'has' : 'have'} no anchor that fits, at ${sideText(plan)}.`,
    worst:
      worst && tone !== 'good' && worstShare > badShare(summary)
        ? `Of ${classes[worst.classIndex]}, ${percentText(worstShare)}.`
        : null,
  };
}

/** What a plan changes, compared with the form's own. */
export function planText(plan: CoveragePlan, own: CoveragePlan): string {
  const parts = [
    ...(plan.maxSizePx !== own.maxSizePx ? [`image side ${sideText(plan)}`] : []),
    ...(plan.anchorScale !== own.anchorScale ? ['anchors half as large'] : []),
  ];
  const text = parts.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function costText({ pixels, anchors }: Advice): string {
  if (pixels === 1 && anchors === 1) return 'as now';
  const [low, high] = [Math.min(pixels, anchors), Math.max(pixels, anchors)].map(timesText);
  const times = low === high ? low! : `${low} to ${high}`;
  return `about ${times} time and memory`;
}

/** Parts of a whole as a bar shows them; empty ones left out. */
export function fitParts({ boxes, counts }: Pick<CoverageSummary, 'boxes' | 'counts'>) {
  return fits
    .map((fit) => ({ fit, count: counts[fit], share: boxes > 0 ? counts[fit] / boxes : 0 }))
    .filter(({ count }) => count > 0);
}

export function imagesText({ images, ofImages }: Pick<CoverageShown, 'images' | 'ofImages'>): string {
  const all = ofImages.toLocaleString('en-US');
  if (images === ofImages) return `the boxes of all ${all} images to train on`;
  return `the boxes of ${images} images, evenly chosen from the ${all} to train on`;
}
