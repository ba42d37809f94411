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
  const shown = panel.series.filter(({ points }) => points.some(measured));
  if (shown.length === 0) return `${title}: no data yet.`;
  const named = shown.slice(0, maxNamed).map((series) => seriesWords(series, panel));
  const rest = shown.length > maxNamed ? [`${shown.length - maxNamed} more`] : [];
  return `${title}: ${[...named, ...rest].join('; ')}.`;
}

function seriesWords({ name, points }: Series, { y }: Panel): string {
  const [first, last] = [points.find(measured)!, points.findLast(measured)!];
  const [from, to] = [valueText(first[1], y.format), valueText(last[1], y.format)];
  const what = name || y.label;
  return first === last ? `${what} ${from}` : `${what} goes from ${from} to ${to}`;
}

function measured([, y]: Series['points'][number]): boolean {
  return Number.isFinite(y);
}
