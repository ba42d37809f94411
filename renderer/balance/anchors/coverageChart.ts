/** How well the best anchor overlaps each box, and on which level of the network the anchors lie. */
import type { Chart } from '../../../shared/charts/chart.ts';
import { type CoverageSummary, iouBins } from '../../../shared/detector/coverageSummary.ts';
import { levelNames } from '../../../shared/detector/network.ts';
import { fitTitles } from './coverageWords.ts';

export const coverageExplanation: readonly [string, string, string] = [
  'An anchor is a box of fixed size and shape at a fixed place; the network has thousands, and learns for each of them whether your object is there and how to move the anchor onto it.',
  'On the left every one of your boxes is counted by how much of it its best anchor overlaps; below one half no anchor fits, and the box lives on the nearest ones that are taken by force.',
  'On the right you see which level of the network answers: P3 looks closely at small objects, P7 from afar at large ones, and a level without any anchor learns only “no”.',
];

export const coverageFormula =
  'overlap = area of box ∩ anchor / area of box ∪ anchor; anchor is foreground from 0.5, background below 0.4';

const inks = { fitted: 'series5', forced: 'series4', unanswered: 'series3' } as const;

export function coverageChart(summary: CoverageSummary, caption: string): Chart {
  const width = 1 / iouBins;
  return {
    question: 'How well does the best anchor fit each box?',
    caption,
    panels: [
      {
        title: 'Your boxes',
        x: { label: 'overlap with the best anchor', scale: 'linear', format: 'percent', domain: [0, 1] },
        y: { label: 'boxes', scale: 'linear', format: 'integer' },
        series: (['unanswered', 'forced', 'fitted'] as const)
          .filter((fit) => summary.counts[fit] > 0)
          .map((fit) => ({
            name: fitTitles[fit],
            ink: inks[fit],
            shape: 'bars' as const,
            barWidth: width * 0.9,
            ...(fit === 'forced' ? { standsOn: summary.histogram.unanswered } : {}),
            points: summary.histogram[fit].map((count, bin): [number, number] => [
              (bin + 0.5) * width,
              count,
            ]),
          })),
        marks: [{ x: 0.5, label: 'fits' }],
      },
      {
        title: 'Their anchors',
        x: {
          label: 'level of the network',
          scale: 'linear',
          format: 'integer',
          domain: [-0.5, levelNames.length - 0.5],
          ticks: levelNames.map((label, at) => ({ at, label })),
        },
        y: { label: 'anchors that answer for a box', scale: 'linear', format: 'integer' },
        series: [
          {
            name: 'Anchors',
            ink: 'neutral',
            shape: 'bars',
            barWidth: 0.6,
            points: summary.positives.map((count, level): [number, number] => [level, count]),
          },
        ],
      },
    ],
  };
}
