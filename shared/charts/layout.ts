/** A chart laid out: what is drawn where. The exported SVG and the screens draw the same. */
import type { Chart, Panel } from './chart.ts';
import { paints, type Theme } from './inks.ts';
import { drawLegend } from './legend.ts';
import { measurePanel, plotRect } from './measure.ts';
import { drawPanel } from './panel.ts';
import type { Plane } from './paths.ts';
import { letters, type RectPx, type Shape } from './shapes.ts';
import { wrapText } from './words.ts';

export interface LayoutOptions {
  readonly widthPx: number;
  /** Absent: what the width asks for. */
  readonly heightPx?: number;
  readonly theme: Theme;
  /** With question, caption and ground: the drawing stands alone. Without: they stand around it. */
  readonly alone: boolean;
}

export interface PanelLayout extends Plane {
  readonly panel: Panel;
}

export interface ChartLayout {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly shapes: readonly Shape[];
  readonly panels: readonly PanelLayout[];
}

const minPanelPx = 250;
const gapPx = 24;
const alonePadPx = 16;
const questionPx = 16;
const captionPx = 12;

export function layoutChart(chart: Chart, options: LayoutOptions): ChartLayout {
  const { theme, alone } = options;
  const pad = alone ? alonePadPx : 0;
  const widthPx = Math.max(120, options.widthPx);
  const innerPx = widthPx - 2 * pad;
  const head = alone
    ? textBlock(chart.question, pad, pad, innerPx, questionPx, true, paints[theme].text)
    : nothing;
  const legend = drawLegend(chart, pad, pad + head.heightPx, innerPx, theme);
  const top = pad + head.heightPx + legend.heightPx;
  const caption = alone && chart.caption ? chart.caption : '';
  const foot = textBlock(caption, pad, 0, innerPx, captionPx, false, paints[theme].muted);
  const around = top + pad + foot.heightPx;
  const grid = panelGrid(chart.panels.length, innerPx, options.heightPx && options.heightPx - around);
  const heightPx = Math.max(options.heightPx ?? 0, around + grid.heightPx);
  const drawn = drawPanels(chart, grid, pad, top, theme);
  const ground: Shape = {
    tag: 'rect',
    attributes: { x: 0, y: 0, width: widthPx, height: heightPx, fill: paints[theme].surface },
  };
  const footShape: Shape = {
    tag: 'g',
    attributes: { transform: `translate(0 ${heightPx - pad - foot.heightPx + 4})` },
    children: foot.shapes,
  };
  return {
    widthPx,
    heightPx,
    shapes: [
      ...(alone ? [ground] : []),
      ...head.shapes,
      ...legend.shapes,
      ...drawn.shapes,
      ...(foot.shapes.length > 0 ? [footShape] : []),
    ],
    panels: drawn.panels,
  };
}

interface PanelGrid {
  readonly columns: number;
  readonly panelWidthPx: number;
  readonly panelHeightPx: number;
  readonly heightPx: number;
}

/** Side by side where they fit, else one below the other. */
function panelGrid(count: number, widthPx: number, heightPx: number | undefined): PanelGrid {
  const fitting = Math.max(1, Math.min(count, Math.floor((widthPx + gapPx) / (minPanelPx + gapPx))));
  const rows = Math.max(1, Math.ceil(count / fitting));
  const columns = Math.max(1, Math.ceil(count / rows));
  const panelWidthPx = (widthPx - (columns - 1) * gapPx) / columns;
  const natural = Math.round(Math.min(320, Math.max(220, panelWidthPx * 0.62)));
  const given = heightPx === undefined ? natural : (heightPx - (rows - 1) * gapPx) / rows;
  const panelHeightPx = Math.max(120, Math.floor(given));
  return { columns, panelWidthPx, panelHeightPx, heightPx: rows * (panelHeightPx + gapPx) - gapPx };
}

function drawPanels(chart: Chart, grid: PanelGrid, left: number, top: number, theme: Theme) {
  const measured = chart.panels.map((panel) => measurePanel(panel, grid.panelWidthPx, grid.panelHeightPx));
  // All plots of a chart begin and end at one height.
  const headPx = Math.max(0, ...measured.map((each) => each.headPx));
  const footPx = Math.max(0, ...measured.map((each) => each.footPx));
  const shapes: Shape[] = [];
  const panels: PanelLayout[] = [];
  for (const [index, each] of measured.entries()) {
    const room: RectPx = {
      x: left + (index % grid.columns) * (grid.panelWidthPx + gapPx),
      y: top + Math.floor(index / grid.columns) * (grid.panelHeightPx + gapPx),
      width: grid.panelWidthPx,
      height: grid.panelHeightPx,
    };
    const plot = plotRect(each, room, headPx, footPx);
    shapes.push(...drawPanel(each, room, plot, theme));
    panels.push({ panel: each.panel, x: each.x, y: each.y, plot });
  }
  return { shapes, panels };
}

interface Block {
  readonly shapes: readonly Shape[];
  readonly heightPx: number;
}

const nothing: Block = { shapes: [], heightPx: 0 };

function textBlock(
  text: string,
  x: number,
  y: number,
  widthPx: number,
  size: number,
  bold: boolean,
  fill: string,
): Block {
  const lines = wrapText(text, size, widthPx, bold);
  if (lines.length === 0) return nothing;
  const linePx = Math.round(size * 1.35);
  const shapes = lines.map((line, row) => letters(x, y + size + row * linePx, line, { fill, size, bold }));
  return { shapes, heightPx: lines.length * linePx + 8 };
}
