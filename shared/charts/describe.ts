/** A chart in words, for those who hear it instead. */
import type { Chart, Panel, Series } from './chart.ts';
import { valueText } from './words.ts';

const maxNamed = 6;

/** "Background: γ 2 goes from 0% to 100%; …" */
export function describeChart(chart: Chart): string {
  return [...chart.panels.map(panelWords), chart.caption ?? ''].filter(Boolean).join(' ');
}

function panelWords(panel: Panel): string {
  const title = panel.title || panel.y.label;
  const shown = panel.series.filter((series) => measured(series).length > 0);
  if (shown.length === 0) return `${title}: no data yet.`;
  const named = shown.slice(0, maxNamed).map((series) => seriesWords(series, panel));
  const rest = shown.length > maxNamed ? [`${shown.length - maxNamed} more`] : [];
  return `${title}: ${[...named, ...rest].join('; ')}.`;
}

function measured({ points }: Series): number[] {
  return points.map(([, y]) => y).filter(Number.isFinite);
}

function seriesWords(series: Series, { y }: Panel): string {
  const values = measured(series);
  const [first, last] = [valueText(values[0]!, y.format), valueText(values.at(-1)!, y.format)];
  const what = series.name || y.label;
  return values.length === 1 ? `${what} ${first}` : `${what} goes from ${first} to ${last}`;
}
