/** Ways to train that fit small objects better, as plans for anchor coverage and as what they were found to be worth. Pure. */
import { type BoxCoverage, coverImage, frameCost, type LabelledImage } from './coverage.ts';
import {
  badlyCovered,
  type ClassCoverage,
  type CoverageSummary,
  summariseCoverage,
  worstCovered,
} from './coverageSummary.ts';
import { type RetinaNetOptions, withAnchorScale } from './network.ts';

/** A way to train: what the form says, or something to try instead. */
export interface CoveragePlan {
  readonly minSizePx: number;
  readonly maxSizePx: number;
  readonly anchorScale: number;
}

export interface PlanCoverage {
  readonly plan: CoveragePlan;
  readonly summary: CoverageSummary;
  /** Of an image in the network: means over the images. */
  readonly pixels: number;
  readonly anchors: number;
  /** The boxes furthest from any anchor, worst first. */
  readonly worst: readonly BoxCoverage[];
}

/** Image sides that the run form offers, px. */
export const imageSides: readonly number[] = [128, 160, 224, 256, 320, 416, 512, 640, 800];

/** The form's own plan; then the next larger side, one about twice as large, anchors of half the size, and the first with the last. */
export function plansToTry({ minSizePx, maxSizePx, anchorScale }: CoveragePlan): CoveragePlan[] {
  const own = { minSizePx, maxSizePx, anchorScale };
  const larger = imageSides.filter((side) => side > maxSizePx);
  const sides = [...new Set([larger[0], larger.find((side) => side >= 2 * maxSizePx) ?? larger.at(-1)])];
  const atSides = sides.flatMap((side) =>
    side === undefined ? [] : [{ minSizePx: side, maxSizePx: side, anchorScale }],
  );
  const half = anchorScale / 2;
  const halved =
    half < smallestScale ? [] : [own, ...atSides.slice(0, 1)].map((plan) => ({ ...plan, anchorScale: half }));
  return [own, ...atSides, ...halved];
}

/** A run's config allows no smaller. */
const smallestScale = 0.125;

const worstKept = 12;

/** `network`: with the anchors that the plan scales. `onImage`: before each image. */
export function coverPlan(
  network: RetinaNetOptions,
  images: readonly LabelledImage[],
  plan: CoveragePlan,
  onImage: (index: number) => void = () => {},
): PlanCoverage {
  const settings = { ...plan, network: withAnchorScale(network, plan.anchorScale) };
  const boxes = images.flatMap((image, index) => {
    onImage(index);
    return coverImage(image, settings);
  });
  const costs = images.map((image) => frameCost(image, settings));
  return {
    plan,
    summary: summariseCoverage(boxes, network.foregroundClassCount),
    pixels: mean(costs.map(({ pixels }) => pixels)),
    anchors: mean(costs.map(({ anchors }) => anchors)),
    worst: worstCovered(boxes, worstKept),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** What another plan would change. */
export interface Advice {
  readonly plan: CoveragePlan;
  /** Share of boxes that no anchor fits, 0..1. */
  readonly share: number;
  /** The same of the class that is worst off under the form's plan. */
  readonly worstShare: number;
  /** Times the pixels and anchors of now. */
  readonly pixels: number;
  readonly anchors: number;
  /** `better`: markedly fewer boxes without a fitting anchor, of all or of the class worst off, and not more of the other. */
  readonly verdict: 'better' | 'same' | 'worse';
}

export function adviceOf([own, ...others]: readonly PlanCoverage[]): Advice[] {
  if (!own) return [];
  const worst = worstClass(own.summary)?.classIndex ?? 0;
  const now = { share: badShare(own.summary), worstShare: badShare(own.summary.classes[worst]!) };
  return others.map(({ plan, summary, pixels, anchors }) => {
    const then = { share: badShare(summary), worstShare: badShare(summary.classes[worst]!) };
    return {
      plan,
      ...then,
      pixels: pixels / own.pixels,
      anchors: anchors / own.anchors,
      verdict: verdictOf(now, then),
    };
  });
}

/** Of what is better, the cheapest that is hardly worse than the best for the class worst off; null where nothing is better. */
export function bestAdvice(advice: readonly Advice[]): Advice | null {
  const better = advice.filter(({ verdict }) => verdict === 'better');
  const least = Math.min(...better.map(({ worstShare }) => worstShare));
  const good = better.filter(({ worstShare }) => worstShare <= least + slight);
  return good.sort((a, b) => a.pixels - b.pixels)[0] ?? null;
}

/** The class with the largest share of boxes that no anchor fits; null where there are no boxes. */
export function worstClass({ classes }: CoverageSummary): ClassCoverage | null {
  const known = classes.filter(({ boxes }) => boxes > 0);
  return known.reduce<ClassCoverage | null>(
    (worst, each) => (worst && badShare(worst) >= badShare(each) ? worst : each),
    null,
  );
}

export function badShare({ boxes, counts }: Pick<ClassCoverage, 'boxes' | 'counts'>): number {
  return boxes > 0 ? badlyCovered(counts) / boxes : 0;
}

/** A difference that a person need not care about. */
const slight = 0.01;

type Shares = Pick<Advice, 'share' | 'worstShare'>;

function verdictOf(now: Shares, then: Shares): Advice['verdict'] {
  const changes = [then.share - now.share, then.worstShare - now.worstShare];
  if (changes.some((change) => change > slight)) return 'worse';
  return changes.some((change) => change < -slight) ? 'better' : 'same';
}
