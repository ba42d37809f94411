/** Figure 4 of Lin et al. 2017, on the user's own images: how much of the loss the easiest examples carry, and how little is left to them. */
import { concentrationCurve } from '../../loss/counterfactual.ts';
import type { Slice } from '../../loss/histogramOps.ts';
import type { Chart, Ink, Panel, Series } from '../chart.ts';
import { valueText } from '../words.ts';
import type { ChartWords } from './words.ts';

/** The paper's four and the largest it trained with. */
export const paperGammas = [0, 0.5, 1, 2, 5] as const;
const gammaInks: readonly Ink[] = ['neutral', 'series4', 'series2', 'series1', 'series3'];
const pickedInk: Ink = 'series6';

export const concentrationWords: ChartWords = {
  explanation: [
    'Every answer of the network is an example: they are lined up from the one it finds easiest, on the left, to the hardest, on the right, and the curve adds up how much of the whole loss they cost so far.',
    'A curve that runs along the diagonal means that all examples teach alike; one that stays at the bottom and rises at the very end means that a few hard ones do all the teaching.',
    'A larger γ takes the loss away from easy examples: on the background, where nearly all are easy, the curve should sink to the floor, while on the objects it should hardly change.',
  ],
  formula: 'L(q) = Σ_{easiest q} (1 − p_t)^γ log(p_t) / Σ_{all} (1 − p_t)^γ log(p_t)',
};

export interface ConcentrationData {
  readonly foreground: Slice;
  readonly background: Slice;
  /** Absent: the paper's. */
  readonly gammas?: readonly number[];
  /** Drawn strongly, beside the others or as one of them. */
  readonly pickedGamma?: number | null;
  /** What was counted: "mean over the last 100 steps: a mix of the network's states". */
  readonly caption?: string;
}

export function concentrationChart(data: ConcentrationData): Chart {
  return {
    question: 'Do a few hard examples carry the loss, or do the many easy ones?',
    panels: [panelOf('Foreground', data.foreground, data), panelOf('Background', data.background, data)],
    caption: data.caption,
  };
}

function panelOf(
  side: string,
  slice: Slice,
  { gammas = paperGammas, pickedGamma }: ConcentrationData,
): Panel {
  const count = Math.round(slice.counts.reduce((sum, each) => sum + each, 0));
  const all = pickedGamma == null || gammas.includes(pickedGamma) ? gammas : [...gammas, pickedGamma];
  return {
    title: count > 0 ? `${side}: ${valueText(count, 'integer')} examples` : side,
    x: { label: 'share of the examples, easiest first', scale: 'linear', domain: [0, 1], format: 'percent' },
    y: { label: 'share of the loss they carry', scale: 'linear', domain: [0, 1], format: 'percent' },
    series: all
      .map((gamma, index) => ({ gamma, series: curveOf(slice, gamma, index, gamma === pickedGamma) }))
      .sort((a, b) => a.gamma - b.gamma)
      .map(({ series }) => series),
  };
}

function curveOf(slice: Slice, gamma: number, index: number, picked: boolean): Series {
  const name = gamma === 0 ? 'γ 0 (cross-entropy)' : `γ ${Number(gamma.toFixed(2))}`;
  return {
    name,
    ink: gammaInks[index] ?? pickedInk,
    shape: 'line',
    points: concentrationCurve(slice, gamma, 240),
    strong: picked,
  };
}
