/** What a chart says at one x: for a crosshair, by pointer or by keyboard. */
import type { Ink, Panel, Series } from './chart.ts';
import { drawable } from './scale.ts';
import { valueText } from './words.ts';

export interface ReadValue {
  readonly name: string;
  readonly ink: Ink;
  readonly series: Series;
  readonly y: number;
  /** With the place of the point where that is not the x that was asked for. */
  readonly text: string;
}

/** Neighbouring points this near, in parts of the axis, are a curve that may be read between them. */
const curveGap = 0.02;

/** Values of all series that have one; `span`: how long the x axis is. */
export function readAt(panel: Panel, x: number, span: number): ReadValue[] {
  return panel.series.flatMap((series) => {
    const read = seriesAt(series, panel, x, span);
    if (read === null || !drawable(read.y, panel.y.scale === 'log')) return [];
    const far = Math.abs(read.x - x) > span * 0.005 && !panel.x.ticks;
    const text =
      valueText(read.y, panel.y.format) + (far ? ` (at ${valueText(read.x, panel.x.format)})` : '');
    return [{ name: series.name || panel.y.label, ink: series.ink, series, y: read.y, text }];
  });
}

function seriesAt({ points, shape }: Series, panel: Panel, x: number, span: number) {
  if (points.length === 0) return null;
  const after = firstNotBelow(points, x);
  const [left, right] = [points[after - 1], points[after]];
  const curve = shape === 'line' || shape === 'area';
  if (curve && left && right && panel.x.scale === 'linear' && right[0] - left[0] < span * curveGap) {
    const part = (x - left[0]) / (right[0] - left[0]);
    return { x, y: left[1] + part * (right[1] - left[1]) };
  }
  const nearest = !left ? right! : !right ? left : x - left[0] < right[0] - x ? left : right;
  return { x: nearest[0], y: nearest[1] };
}

/** Index of the first point at x or beyond; the number of points where there is none. */
function firstNotBelow(points: Series['points'], x: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The x that a crosshair can stand at, rising: every point's, or the named places. */
export function stopsOf(panels: readonly Panel[]): number[] {
  const stops = panels.flatMap((panel) =>
    panel.x.ticks
      ? panel.x.ticks.map(({ at }) => at)
      : panel.series.flatMap(({ points }) => points.map(([x]) => x)),
  );
  const log = panels[0]?.x.scale === 'log';
  return [...new Set(stops.filter((x) => drawable(x, log)))].sort((a, b) => a - b);
}

export function nearestStop(stops: readonly number[], x: number): number | null {
  if (stops.length === 0) return null;
  const after = stops.findIndex((stop) => stop >= x);
  if (after < 0) return stops.at(-1)!;
  if (after === 0) return stops[0]!;
  return x - stops[after - 1]! < stops[after]! - x ? stops[after - 1]! : stops[after]!;
}

/** "step 430", "probability 10% to 15%", or the name of the place. `brief`: beside the axis, a long label need not be said again. */
export function placeText(panel: Panel, x: number, brief = false): string {
  if (panel.x.ticks) {
    const nearest = [...panel.x.ticks].sort((a, b) => Math.abs(a.at - x) - Math.abs(b.at - x))[0];
    return nearest?.label ?? '';
  }
  const bars = panel.series.find(({ shape, barWidth }) => shape === 'bars' && barWidth);
  const text = (value: number) => valueText(value, panel.x.format);
  const half = (bars?.barWidth ?? 0) / 2;
  const place = bars ? `${text(x - half)} to ${text(x + half)}` : text(x);
  return brief && panel.x.label.length > 12 ? place : `${panel.x.label} ${place}`.trim();
}

/** Marks at an x, as far from it as `nearby`. */
export function marksAt(panel: Panel, x: number, nearby: number): string[] {
  return (panel.marks ?? []).filter((mark) => Math.abs(mark.x - x) <= nearby).map(({ label }) => label);
}
