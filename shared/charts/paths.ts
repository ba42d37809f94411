/** A series' points as the paths that draw them. Points without a place are gaps. */
import type { Series } from './chart.ts';
import { dashOf, fillOf, strokeOf, type Theme } from './inks.ts';
import type { Scale } from './scale.ts';
import { type RectPx, type Shape, stroke, tenth } from './shapes.ts';

/** Points further apart than this are measurements that are shown as such, the line between them a help for the eye. */
const sparsePx = 20;

type PointPx = readonly [x: number, y: number];

/** Where values lie within a plot whose top left corner is 0, 0. */
export interface Plane {
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: RectPx;
}

export function xPx({ x, plot }: Plane, value: number): number | null {
  const part = x.place(value);
  return part === null ? null : part * plot.width;
}

export function yPx({ y, plot }: Plane, value: number): number | null {
  const part = y.place(value);
  return part === null ? null : (1 - part) * plot.height;
}

export function drawSeries(series: Series, plane: Plane, theme: Theme): Shape[] {
  const shapes = shapesOf(series, plane, theme);
  if (!series.ghost || shapes.length === 0) return shapes;
  return [{ tag: 'g', attributes: { opacity: 0.5 }, children: shapes }];
}

function shapesOf(series: Series, plane: Plane, theme: Theme): Shape[] {
  if (series.shape === 'bars') return bars(series, plane, theme);
  if (series.shape === 'points') return dots(series, plane, theme, series.strong ? 4.5 : 3.5);
  const runs = unbroken(series, plane).map((run) => thinned(run, plane.plot.width));
  if (runs.length === 0) return [];
  const dash = dashOf(series);
  const line = stroke(
    runs.map(linePath).join(''),
    strokeOf(series.ink, theme),
    series.strong ? 3 : series.ghost ? 1.5 : 2,
    {
      strokeLinejoin: 'round',
      strokeLinecap: dash ? 'butt' : 'round',
      ...(dash ? { strokeDasharray: dash } : {}),
    },
  );
  if (series.shape === 'line') {
    const few = series.points.length <= plane.plot.width / sparsePx && !series.ghost;
    return few ? [line, ...dots(series, plane, theme, 2.6)] : [line];
  }
  const baseline = baselinePx(plane);
  const d = runs.map((run) => areaPath(run, baseline)).join('');
  return [{ tag: 'path', attributes: { d, fill: fillOf(series.ink, theme), fillOpacity: 0.22 } }, line];
}

/** Runs of points between gaps. */
function unbroken({ points }: Series, plane: Plane): PointPx[][] {
  const runs: PointPx[][] = [];
  let run: PointPx[] = [];
  for (const [x, y] of points) {
    const [atX, atY] = [xPx(plane, x), yPx(plane, y)];
    if (atX !== null && atY !== null) {
      if (run.length === 0) runs.push(run);
      run.push([atX, atY]);
    } else run = [];
  }
  return runs;
}

/** At most four points a pixel of width (first, lowest, highest, last): the same picture, however long the run was. */
function thinned(run: readonly PointPx[], widthPx: number): readonly PointPx[] {
  if (run.length <= 4 * widthPx) return run;
  const kept: PointPx[] = [];
  for (let start = 0; start < run.length; ) {
    const column = Math.floor(run[start]![0]);
    let end = start;
    let [low, high] = [start, start];
    for (; end < run.length && Math.floor(run[end]![0]) === column; end++) {
      if (run[end]![1] < run[low]![1]) low = end;
      if (run[end]![1] > run[high]![1]) high = end;
    }
    const places = [...new Set([start, Math.min(low, high), Math.max(low, high), end - 1])];
    for (const place of places) kept.push(run[place]!);
    start = end;
  }
  return kept;
}

/** A point alone is a line of no length, which round ends make a dot. */
function linePath(run: readonly PointPx[]): string {
  const places = run.map(([x, y]) => `${tenth(x)} ${tenth(y)}`);
  return places.length === 1 ? `M${places[0]}h0.1` : `M${places.join('L')}`;
}

function areaPath(run: readonly PointPx[], baseline: number): string {
  const [first, last] = [run[0]![0], run.at(-1)![0]];
  const top = run.map(([x, y]) => `${tenth(x)} ${tenth(y)}`).join('L');
  return `M${tenth(first)} ${tenth(baseline)}L${top}L${tenth(last)} ${tenth(baseline)}Z`;
}

/** Zero where the axis has one, else the low end. */
function baselinePx(plane: Plane): number {
  const zero = plane.y.log ? plane.plot.height : yPx(plane, 0)!;
  return Math.min(plane.plot.height, Math.max(0, zero));
}

/** A bar's left edge and width; too thin to be seen is a pixel. */
export function barPx(series: Series, plane: Plane, x: number): { left: number; width: number } | null {
  const half = (series.barWidth ?? 1) / 2;
  const [from, to] = [xPx(plane, x - half), xPx(plane, x + half)];
  const middle = xPx(plane, x);
  if (middle === null) return null;
  if (from === null || to === null) return { left: middle - 2, width: 4 };
  const width = to - from;
  const gap = width > 6 ? 1 : 0;
  return { left: from + gap / 2, width: Math.max(1, width - gap) };
}

/** One path for all bars: a histogram of hundreds is one element. */
function bars(series: Series, plane: Plane, theme: Theme): Shape[] {
  let d = '';
  for (const [index, [x, y]] of series.points.entries()) {
    const bar = barPx(series, plane, x);
    const below = series.standsOn?.[index] ?? 0;
    const foot = below > 0 ? yPx(plane, below) : baselinePx(plane);
    const top = yPx(plane, below + y);
    if (!bar || top === null || foot === null || top === foot) continue;
    d += `M${tenth(bar.left)} ${tenth(foot)}V${tenth(top)}h${tenth(bar.width)}V${tenth(foot)}Z`;
  }
  if (d === '') return [];
  return [
    { tag: 'path', attributes: { d, fill: fillOf(series.ink, theme), fillOpacity: series.strong ? 1 : 0.9 } },
  ];
}

function dots(series: Series, plane: Plane, theme: Theme, radius: number): Shape[] {
  let d = '';
  for (const [x, y] of series.points) {
    const [atX, atY] = [xPx(plane, x), yPx(plane, y)];
    if (atX === null || atY === null) continue;
    d += `M${tenth(atX - radius)} ${tenth(atY)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
  }
  return d === '' ? [] : [{ tag: 'path', attributes: { d, fill: strokeOf(series.ink, theme) } }];
}
