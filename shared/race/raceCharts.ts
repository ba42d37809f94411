/** A race's pictures as data: every competitor a line, in the ink of its place. */
import type { Chart } from '../charts/chart.ts';
import { courseChart } from '../charts/figures/course.ts';
import { firstStepChart } from '../charts/figures/firstStep.ts';
import { seriesInk } from '../charts/inks.ts';
import { concentrationCurve } from '../loss/counterfactual.ts';
import type { LogitHistogram } from '../loss/histogram.ts';
import { type Slice, sliceOf } from '../loss/histogramOps.ts';
import type { FirstStepRow } from './firstStepFigures.ts';
import { type Course, mergedHistogram, ownShares, type RaceLog, sharesUnder } from './raceLog.ts';
import { lastSnapshots, measureNames, measures } from './raceTable.ts';

const maxPoints = 120;
/** A point is the mean of at least so many steps: single ones say more of their images than of the loss. */
const minSteps = 5;

type Point = readonly [step: number, value: number];

/** Null where nobody has been evaluated. */
export function precisionChart(logs: readonly RaceLog[]): Chart | null {
  const courses = logs.map(({ course }) =>
    course.evaluations.flatMap(({ step, AP50 }): Point[] => (AP50 === null ? [] : [[step, AP50]])),
  );
  if (courses.every((points) => points.length === 0)) return null;
  return courseChart({
    question: 'Who finds the objects, and how soon?',
    lastStep: lastStepOf(logs),
    panels: [
      {
        ...{ title: '', label: 'AP50 on the validation images', format: 'percent' },
        lines: courses.map((points, index) => ({
          ...{ name: logs[index]!.label, points, ink: seriesInk(index) },
          shape: points.length === 1 ? 'points' : 'line',
        })),
      },
    ],
  });
}

/** The second panel only where the logs say where the logits lay. */
export function backgroundChart(logs: readonly RaceLog[]): Chart {
  const isCounted = logs.some(({ course }) => course.snapshots.length > 0);
  const panel = (title: string, points: (course: Course) => Point[]) => ({
    ...{ title, label: "background's part of the loss", format: 'percent' as const, domain: [0, 1] as const },
    lines: logs.map(({ label, course }, index) => ({
      ...{ name: label, points: points(course), ink: seriesInk(index) },
    })),
  });
  return courseChart({
    question: "How much of the loss is background's?",
    lastStep: lastStepOf(logs),
    panels: [
      panel('Under the loss each trained with', ownCourse),
      ...(isCounted ? [panel('The same answers under cross-entropy', crossEntropyCourse)] : []),
    ],
  });
}

/** Background's share of each stretch of steps, at the stretch's end. */
function ownCourse({ steps }: Course): Point[] {
  const size = Math.max(minSteps, Math.ceil(steps.length / maxPoints));
  const points: Point[] = [];
  for (let end = Math.min(size, steps.length); end > 0 && end <= steps.length; end += size) {
    const share = ownShares(steps.slice(Math.max(0, end - size), end))!.backgroundShare;
    if (share !== null) points.push([steps[end - 1]!.step, share]);
  }
  return points;
}

function crossEntropyCourse({ snapshots }: Course): Point[] {
  const every = Math.max(1, Math.ceil(snapshots.length / maxPoints));
  const chosen = snapshots.filter((_, index) => (snapshots.length - 1 - index) % every === 0);
  return chosen.flatMap((snapshot): Point[] => {
    const histogram = mergedHistogram([snapshot]);
    const share = histogram && sharesUnder(histogram, measures.ce)?.backgroundShare;
    return share == null ? [] : [[snapshot.step, share]];
  });
}

/** Figure 4 of the networks that the race made, all under one gamma. Null where no log says where the logits lie. */
export function concentrationOverlay(logs: readonly RaceLog[], gamma: number): Chart | null {
  const histograms = logs.map(({ course }) => mergedHistogram(lastSnapshots(course)));
  if (histograms.every((histogram) => histogram === null)) return null;
  const panel = (title: string, slice: (histogram: LogitHistogram) => Slice) =>
    ({
      title,
      x: {
        label: 'share of the examples, easiest first',
        scale: 'linear',
        domain: [0, 1],
        format: 'percent',
      },
      y: { label: 'share of the loss they carry', scale: 'linear', domain: [0, 1], format: 'percent' },
      series: histograms.map((histogram, index) => ({
        ...{ name: logs[index]!.label, ink: seriesInk(index), shape: 'line' as const },
        points: histogram ? concentrationCurve(slice(histogram), gamma, maxPoints) : [],
      })),
    }) as const;
  const under = gamma === 0 ? 'cross-entropy (γ 0)' : `focal loss with γ ${gamma}`;
  return {
    question: 'Do a few hard examples carry the loss, or do the many easy ones?',
    caption: `All measured by ${under}, over each one’s last steps: mixed model states, for the weights changed while they ran.`,
    panels: [
      panel('Objects', (histogram) => sliceOf(histogram, 'all', ['foreground'])),
      panel('Background', (histogram) => sliceOf(histogram, 'all', ['backgroundTrue', 'backgroundOther'])),
    ],
  };
}

export function firstStepPicture(rows: readonly FirstStepRow[]): Chart {
  return firstStepChart(
    rows.map(({ prior, measure, ...figures }) => ({
      label: `π ${prior}, ${measureNames[measure]}`,
      figures,
    })),
  );
}

function lastStepOf(logs: readonly RaceLog[]): number {
  return Math.max(...logs.map(({ config }) => config.steps));
}
