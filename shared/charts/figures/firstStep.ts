/** What the very first step costs, with and without the prior: bars on a log scale. */
import type { FirstStepFigures } from '../../loss/firstStepLoss.ts';
import type { Chart, Ink, Panel } from '../chart.ts';
import type { ChartWords } from './words.ts';

export const firstStepWords: ChartWords = {
  explanation: [
    'Before it has learnt anything the network answers the same everywhere: without the prior it gives every place an even chance of holding an object, with it a chance of π.',
    'Blue is what all the places without an object cost in this first step, orange what your own boxes cost; each line is ten times the one below.',
    'Where blue towers over orange, the first steps teach the network nothing but “no”, and training may fail at once; the prior and focal loss are there to bring blue down.',
  ],
  formula: 'background ≈ anchors × classes × (1 − α) π^γ · −log(1 − π)',
};

export interface FirstStepCase {
  /** "π = 0.01, focal" */
  readonly label: string;
  readonly figures: FirstStepFigures;
}

export function firstStepChart(cases: readonly FirstStepCase[], caption?: string): Chart {
  return {
    question: 'What does the first step learn from: your objects, or the empty background?',
    panels: [
      panelOf('Loss', 'loss of the first step', cases, ({ foreground, background }) => [
        foreground,
        background,
      ]),
      panelOf('Gradient', 'how hard it pulls at the network', cases, (figures) => [
        figures.foregroundGradient,
        figures.backgroundGradient,
      ]),
    ],
    caption,
  };
}

const barWidth = 0.36;

function panelOf(
  title: string,
  label: string,
  cases: readonly FirstStepCase[],
  heights: (figures: FirstStepFigures) => readonly [foreground: number, background: number],
): Panel {
  const bars = (name: string, ink: Ink, side: 0 | 1) => ({
    name,
    ink,
    shape: 'bars' as const,
    barWidth,
    points: cases.map(({ figures }, place): [number, number] => [
      place + (side - 0.5) * (barWidth + 0.03),
      heights(figures)[side],
    ]),
  });
  return {
    title,
    x: {
      label: '',
      scale: 'linear',
      format: 'number',
      domain: [-0.5, Math.max(0.5, cases.length - 0.5)],
      // A symbol and its number stay on one line.
      ticks: cases.map((each, at) => ({ at, label: each.label.replace(/([αγπ=]) /g, '$1\u00a0') })),
    },
    y: { label, scale: 'log', format: 'number' },
    series: [bars('your objects', 'foreground', 0), bars('background', 'backgroundTrue', 1)],
  };
}
