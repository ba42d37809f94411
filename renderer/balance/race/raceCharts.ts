/** What a race's own screen draws beside the pictures of its report: who learns from what, and how wrong each is by one measure. */
import type { Chart } from '../../../shared/charts/chart.ts';
import { concentrationWords } from '../../../shared/charts/figures/concentration.ts';
import { type CourseLine, courseChart } from '../../../shared/charts/figures/course.ts';
import type { ChartWords } from '../../../shared/charts/figures/words.ts';
import {
  type Course,
  type CourseSnapshot,
  mergedHistogram,
  ownShares,
  type RaceLog,
  type Shares,
  sharesUnder,
} from '../../../shared/race/raceLog.ts';
import { type Measure, measures } from '../../../shared/race/raceTable.ts';

/** Single steps say more of their images than of the loss; of a few steps each is shown all the same. */
const minSteps = 5;
const manySteps = 50;
/** More points than this nobody sees. */
const maxPoints = 160;
/** Each takes some work. */
const maxSnapshots = 40;

type Point = readonly [step: number, value: number];

export const precisionWords: ChartWords = {
  explanation: [
    'Every line is a competitor; each dot is a measurement on the same validation images, which none of them learns from.',
    'The higher the line, the more of the objects it finds without calling too much else one: AP50 is 100 % where every box is found and nothing is found twice or in vain.',
    'All saw the same images in the same order, so what differs is what a wrong answer cost them; on few images a point or two is still chance.',
  ],
  formula: 'AP50 = area under precision over recall, boxes right from IoU 0.5',
};

export const shareWords: ChartWords = {
  explanation: [
    'Of all that a competitor’s own loss adds up to in a step, this is the part that comes from places without an object of the class.',
    'Where a line lies near the top, the network learns almost only to say “no”; the right picture shows the same of the gradient, which is what moves the weights.',
    'Shares can be compared between strategies although their losses cannot: each is a part of its own whole.',
  ],
  formula: 'background / (objects + background), of the loss and of Σ|dL/dx|',
};

/** Figure 4's words, of competitors instead of gammas. */
export const concentrationOverlayWords: ChartWords = {
  explanation: [
    concentrationWords.explanation[0],
    concentrationWords.explanation[1],
    'Every line is a competitor’s network, and all are weighed by the same loss: where one lies lower, it has left fewer answers half right, and what still costs something are a few mistakes.',
  ],
  formula: concentrationWords.formula,
};

export const lossWordsUnder: Readonly<Record<Measure, ChartWords>> = {
  ce: {
    explanation: [
      'Losses of different strategies are in different units, so here every competitor’s answers are weighed by one and the same measure: plain cross-entropy over all anchors, for each object’s anchor.',
      'On the left what it costs on the objects, on the right on everything else; lower is less wrong.',
      'A competitor that keeps only some anchors still has to answer for all of them here.',
    ],
    formula: 'Σ −log p_t / anchors on objects',
  },
  focal: {
    explanation: [
      'Losses of different strategies are in different units, so here every competitor’s answers are weighed by one and the same measure: focal loss over all anchors, for each object’s anchor.',
      'On the left what it costs on the objects, on the right on everything else; lower is less wrong where it is hard.',
      'A competitor that keeps only some anchors still has to answer for all of them here.',
    ],
    formula: 'Σ −α_t (1 − p_t)^{γ} log p_t / anchors on objects, α 0.25, γ 2',
  },
};

export function shareChart(logs: readonly RaceLog[], lastStep: number): Chart {
  const panel = (title: string, of: (shares: Shares) => number | null) => ({
    title,
    label: 'share that is background',
    format: 'percent' as const,
    domain: [0, 1] as const,
    lines: linesOf(logs, (course) => stepPoints(course, of)),
  });
  return courseChart({
    question: 'How much of what each one learns from is background?',
    panels: [
      panel('Of the loss', ({ backgroundShare }) => backgroundShare),
      panel('Of what moves the weights', ({ gradientShare }) => gradientShare),
    ],
    lastStep,
    caption: 'Over all classes, each under its own loss; every point is the mean of its steps.',
  });
}

export function lossChart(logs: readonly RaceLog[], lastStep: number, measure: Measure): Chart {
  const panel = (title: string, side: 'foreground' | 'background') => ({
    title,
    label: measure === 'ce' ? 'cross-entropy' : 'focal loss',
    scale: 'log' as const,
    lines: linesOf(logs, (course) => snapshotPoints(course, measure, side)),
  });
  return courseChart({
    question: 'How wrong are they, all measured alike?',
    panels: [panel('On the objects', 'foreground'), panel('On the background', 'background')],
    lastStep,
    caption: 'For each object’s anchor, over all classes, on the images that they were just trained on.',
  });
}

function linesOf(logs: readonly RaceLog[], pointsOf: (course: Course) => readonly Point[]): CourseLine[] {
  return logs.map(({ label, course }) => ({ name: label, points: pointsOf(course) }));
}

/** Of neighbouring steps the mean, so that a long race costs what a short one does. */
function stepPoints({ steps }: Course, of: (shares: Shares) => number | null): Point[] {
  const stride = Math.max(steps.length > manySteps ? minSteps : 1, Math.ceil(steps.length / maxPoints));
  const points: Point[] = [];
  for (let from = 0; from < steps.length; from += stride) {
    const stretch = steps.slice(from, from + stride);
    const shares = ownShares(stretch);
    const value = shares && of(shares);
    if (value !== null) points.push([stretch.at(-1)!.step, value]);
  }
  return points;
}

function snapshotPoints({ snapshots }: Course, measure: Measure, side: 'foreground' | 'background'): Point[] {
  const stride = 2 ** Math.max(0, Math.ceil(Math.log2(snapshots.length / maxSnapshots)));
  return snapshots
    .filter((_, index) => index % stride === 0 || index === snapshots.length - 1)
    .flatMap((snapshot): Point[] => {
      const value = measured(snapshot, measure)?.[side];
      return value !== undefined && value > 0 ? [[snapshot.step, value]] : [];
    });
}

const known = new WeakMap<CourseSnapshot, Partial<Record<Measure, Shares | null>>>();

/** A snapshot stays the same, and so does what it says. */
function measured(snapshot: CourseSnapshot, measure: Measure): Shares | null {
  const found = known.get(snapshot) ?? {};
  known.set(snapshot, found);
  if (found[measure] === undefined) {
    const histogram = mergedHistogram([snapshot]);
    found[measure] = histogram && sharesUnder(histogram, measures[measure]);
  }
  return found[measure];
}
