/** What the lines are called, once for all panels. */
import type { Chart, Series } from './chart.ts';
import { dashOf, fillOf, paints, strokeOf, type Theme } from './inks.ts';
import { letters, type Shape, stroke } from './shapes.ts';
import { fitText, textWidthPx } from './words.ts';

const rowPx = 19;
const sampleWidthPx = 22;
const sampleRoomPx = sampleWidthPx + 6;
const entryGapPx = 16;
const textPx = 12;
const maxRows = 4;

export interface Legend {
  readonly shapes: readonly Shape[];
  readonly heightPx: number;
}

/** A line alone needs no name beside the chart's question, nor one that bears its panel's. */
export function drawLegend(chart: Chart, x: number, y: number, widthPx: number, theme: Theme): Legend {
  const entries = legendEntries(chart);
  if (entries.length < 2) return { shapes: [], heightPx: 0 };
  const shapes: Shape[] = [];
  let [left, row] = [0, 0];
  for (const [index, series] of entries.entries()) {
    const rest = `and ${entries.length - index} more`;
    const restPx = index < entries.length - 1 ? textWidthPx(rest, textPx) + entryGapPx : 0;
    const roomPx = () => widthPx - (row === maxRows - 1 ? restPx : 0);
    if (left > 0 && left + sampleRoomPx + textWidthPx(series.name, textPx) > roomPx()) {
      if (row === maxRows - 1) {
        const style = { fill: paints[theme].muted, size: textPx };
        shapes.push(letters(x + left, y + row * rowPx + 13, rest, style));
        break;
      }
      [left, row] = [0, row + 1];
    }
    const name = fitText(series.name, textPx, roomPx() - left - sampleRoomPx);
    const middle = y + row * rowPx + 9;
    shapes.push(...sample(series, x + left, middle, theme));
    const textX = x + left + sampleRoomPx;
    shapes.push(letters(textX, middle + 4, name, { fill: paints[theme].text, size: textPx }));
    left += sampleRoomPx + textWidthPx(name, textPx) + entryGapPx;
  }
  return { shapes, heightPx: (row + 1) * rowPx + 5 };
}

function legendEntries(chart: Chart): Series[] {
  const entries = new Map<string, Series>();
  for (const { title, series: all } of chart.panels) {
    for (const series of all) {
      const look = [series.name, series.ink, series.shape, series.dash, series.ghost].join('|');
      const named = series.name === '' || series.name === title;
      if (!named && !entries.has(look)) entries.set(look, series);
    }
  }
  return [...entries.values()];
}

function sample(series: Series, x: number, y: number, theme: Theme): Shape[] {
  const opacity: Shape['attributes'] = series.ghost ? { opacity: 0.5 } : {};
  if (series.shape === 'bars') {
    const box = { x: x + 4, y: y - 6, width: 13, height: 12, rx: 2 };
    return [{ tag: 'rect', attributes: { ...box, fill: fillOf(series.ink, theme), ...opacity } }];
  }
  if (series.shape === 'points') {
    return [
      {
        tag: 'circle',
        attributes: { cx: x + 11, cy: y, r: 4, fill: strokeOf(series.ink, theme), ...opacity },
      },
    ];
  }
  const dash = dashOf(series);
  return [
    stroke(`M${x} ${y}h${sampleWidthPx}`, strokeOf(series.ink, theme), series.strong ? 3 : 2, {
      ...(dash ? { strokeDasharray: dash } : {}),
      ...opacity,
    }),
  ];
}
