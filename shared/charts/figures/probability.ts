/** Hardness: how the answers are spread over the probability that the network gives to the right one. */
import { probabilityHistogram } from '../../loss/counterfactual.ts';
import { type Side, sides } from '../../loss/histogram.ts';
import type { Slice } from '../../loss/histogramOps.ts';
import type { Chart, ChartMark, Panel } from '../chart.ts';
import { type ChartWords, sideTitles } from './words.ts';

export const probabilityWords: ChartWords = {
  explanation: [
    'Each bar counts the answers to which the network gave that probability of being right: answers far on the right are easy for it, those on the left it gets wrong.',
    'The scale is logarithmic, each line ten times the one below, because the easy answers on the background outnumber all others by thousands to one.',
    'Training should move the objects’ bars to the right, and leave on the background only few bars on the left: those are the mistakes that are worth looking at.',
  ],
  formula: 'p_t = p where the class is there, 1 − p where it is not;  p = 1 / (1 + e^{−x})',
};

export interface ProbabilityData {
  /** A panel for each that is given. */
  readonly slices: Partial<Record<Side, Slice>>;
  readonly bins?: number;
  readonly marks?: Partial<Record<Side, readonly ChartMark[]>>;
  readonly caption?: string;
}

export function probabilityChart({ slices, bins = 20, marks, caption }: ProbabilityData): Chart {
  const given = sides.filter((side) => slices[side]);
  return {
    question: 'How sure is the network of the right answer?',
    panels: given.map((side) => panelOf(side, slices[side]!, bins, marks?.[side])),
    caption,
  };
}

function panelOf(side: Side, slice: Slice, bins: number, marks?: readonly ChartMark[]): Panel {
  const bars = probabilityHistogram(slice, bins).filter(({ count }) => count > 0);
  return {
    title: sideTitles[side],
    x: {
      label: 'probability given to the right answer',
      scale: 'linear',
      domain: [0, 1],
      format: 'percent',
    },
    y: { label: 'answers', scale: 'log', domain: countDomain(bars), format: 'number' },
    series: [
      {
        name: sideTitles[side],
        ink: side,
        shape: 'bars',
        points: bars.map(({ from, to, count }) => [(from + to) / 2, count]),
        barWidth: 1 / bins,
      },
    ],
    marks,
  };
}

/** A single answer stands visibly above the floor. */
function countDomain(bars: readonly { count: number }[]): [number, number] | undefined {
  if (bars.length === 0) return undefined;
  const counts = bars.map(({ count }) => count);
  return [Math.min(0.5, ...counts.map((count) => count / 2)), Math.max(10, 1.5 * Math.max(...counts))];
}
