/** How a panel's width and height are shared between its words and its plot. */
import type { Panel, Series } from './chart.ts';
import { markRowPx, type PlacedMark, placeMarks } from './marks.ts';
import { drawable, makeScale, makeTicks, type Scale, type Tick } from './scale.ts';
import { textWidthPx, wrapText } from './words.ts';

export const tickTextPx = 11;
export const tickLinePx = 13;
const titlePx = 20;
const labelPx = 16;
const valueRoomPx = 14;
export const rightPx = 16;

export interface MeasuredPanel {
  readonly panel: Panel;
  readonly x: Scale;
  readonly y: Scale;
  readonly empty: boolean;
  readonly yTicks: readonly Tick[];
  readonly xTicks: readonly { readonly at: number; readonly lines: readonly string[] }[];
  readonly marks: readonly PlacedMark[];
  /** Bars so few that each can bear its value. */
  readonly barValues: boolean;
  readonly leftPx: number;
  readonly plotWidthPx: number;
  /** Above the plot: title, the y axis's label, marks' words. */
  readonly headPx: number;
  /** Below it: ticks and the x axis's label. */
  readonly footPx: number;
}

/** `plotHeightPx`: about as high as the plot will be. */
export function measurePanel(panel: Panel, widthPx: number, plotHeightPx: number): MeasuredPanel {
  const empty = !panel.series.some((series) => hasPlaces(series, panel));
  const x = makeScale(panel.x, panel.series.flatMap(xExtent), false);
  const yValues = panel.series.flatMap(({ points, standsOn }) =>
    points.map(([, y], index) => y + (standsOn?.[index] ?? 0)),
  );
  const y = makeScale(panel.y, yValues, growsFromZero(panel, yValues));
  const named = !empty || panel.y.domain !== undefined;
  const yTicks = named ? makeTicks(panel.y, y, Math.max(2, Math.floor(plotHeightPx / 36))) : [];
  const leftPx = Math.ceil(Math.max(8, ...yTicks.map(({ label }) => textWidthPx(label, tickTextPx))) + 8);
  const plotWidthPx = Math.max(20, widthPx - leftPx - rightPx);
  const xTicks = !empty || panel.x.domain || panel.x.ticks ? roomyTicks(panel, x, plotWidthPx) : [];
  const placeX = (value: number) => {
    const part = x.place(value);
    return part === null ? null : part * plotWidthPx;
  };
  const { marks, rows } = placeMarks(panel.marks ?? [], placeX, plotWidthPx);
  const barValues = fewBars(panel);
  return {
    panel,
    x,
    y,
    empty,
    yTicks,
    xTicks,
    marks,
    barValues,
    leftPx,
    plotWidthPx,
    headPx:
      (panel.title ? titlePx : 0) +
      (panel.y.label ? labelPx : 0) +
      rows * markRowPx +
      (barValues ? valueRoomPx : 6),
    footPx:
      6 +
      tickLinePx * Math.max(1, ...xTicks.map(({ lines }) => lines.length)) +
      (panel.x.label ? labelPx + 2 : 0),
  };
}

function hasPlaces({ points }: Series, { x, y }: Panel): boolean {
  return points.some(([atX, atY]) => drawable(atX, x.scale === 'log') && drawable(atY, y.scale === 'log'));
}

function xExtent({ points, shape, barWidth = 1 }: Series): number[] {
  if (shape !== 'bars') return points.map(([x]) => x);
  return points.flatMap(([x]) => [x - barWidth / 2, x + barWidth / 2]);
}

/** Bars and areas do; lines do where that costs them no more than half of the height. */
function growsFromZero({ series, y }: Panel, values: readonly number[]): boolean {
  if (series.some(({ shape }) => shape === 'bars' || shape === 'area')) return true;
  if (y.scale === 'log') return false;
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const value of values) {
    if (!drawable(value, false)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low >= 0 && low <= high / 2;
}

function fewBars({ series }: Panel): boolean {
  const count = series.reduce((sum, { shape, points }) => sum + (shape === 'bars' ? points.length : 0), 0);
  return count > 0 && count <= 12;
}

/** As many ticks as fit without their labels touching. Names of places are broken into lines instead. */
function roomyTicks(panel: Panel, scale: Scale, widthPx: number): MeasuredPanel['xTicks'] {
  if (panel.x.ticks) {
    const ticks = makeTicks(panel.x, scale, 1);
    const roomPx = widthPx / Math.max(1, ticks.length) - 6;
    return ticks.map(({ at, label }) => ({ at, lines: wrapText(label, tickTextPx, roomPx) }));
  }
  for (let count = Math.max(1, Math.min(10, Math.floor(widthPx / 56))); ; count--) {
    const ticks = makeTicks(panel.x, scale, count);
    if (count <= 1 || !touching(ticks, scale, widthPx))
      return ticks.map(({ at, label }) => ({ at, lines: [label] }));
  }
}

function touching(ticks: readonly Tick[], scale: Scale, widthPx: number): boolean {
  return ticks.some(({ at, label }, index) => {
    const next = ticks[index + 1];
    if (!next) return false;
    const apartPx = (scale.place(next.at)! - scale.place(at)!) * widthPx;
    return apartPx < (textWidthPx(label, tickTextPx) + textWidthPx(next.label, tickTextPx)) / 2 + 8;
  });
}
