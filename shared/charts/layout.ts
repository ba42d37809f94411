/** A chart laid out: what is drawn where. The exported SVG and the screens draw the same. */
import type { Chart, Panel } from './chart.ts';
import { paints, type Theme } from './inks.ts';
import { drawLegend } from './legend.ts';
import { measurePanel } from './measure.ts';
import { drawPanel } from './panel.ts';
import type { Plane } from './paths.ts';
import { letters, type Shape } from './shapes.ts';
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
const minPlotPx = 60;
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
  const below = pad + foot.heightPx;
  const drawn = drawPanels(
    chart,
    { left: pad, top, widthPx: innerPx, heightPx: options.heightPx && options.heightPx - top - below },
    theme,
  );
  const heightPx = Math.max(options.heightPx ?? 0, Math.ceil(top + drawn.heightPx + below));
  const ground: Shape = {
    tag: 'rect',
    attributes: { x: 0, y: 0, width: widthPx, height: heightPx, fill: paints[theme].surface },
  };
  const footShape: Shape = {
    tag: 'g',
    attributes: { transform: `translate(0 ${heightPx - pad - foot.heightPx + 8})` },
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

/** Room for the panels: absent height means the one that suits their width. */
interface Room {
  readonly left: number;
  readonly top: number;
  readonly widthPx: number;
  readonly heightPx: number | undefined;
}

/** Side by side where they fit, else one below the other; all plots of one height, beginning and ending together. */
function drawPanels(chart: Chart, room: Room, theme: Theme) {
  const count = chart.panels.length;
  const fitting = Math.max(1, Math.min(count, Math.floor((room.widthPx + gapPx) / (minPanelPx + gapPx))));
  const rows = Math.max(1, Math.ceil(count / fitting));
  const columns = Math.max(1, Math.ceil(count / rows));
  const width = (room.widthPx - (columns - 1) * gapPx) / columns;
  const given = room.heightPx === undefined ? undefined : (room.heightPx - (rows - 1) * gapPx) / rows;
  const naturalPlotPx = Math.round(Math.min(240, Math.max(150, width * 0.42)));
  const measured = chart.panels.map((panel) =>
    measurePanel(panel, width, given ? given - 70 : naturalPlotPx),
  );
  const headPx = Math.max(0, ...measured.map((each) => each.headPx));
  const footPx = Math.max(0, ...measured.map((each) => each.footPx));
  const height = headPx + footPx + Math.max(minPlotPx, given ? given - headPx - footPx : naturalPlotPx);
  const shapes: Shape[] = [];
  const panels: PanelLayout[] = [];
  for (const [index, each] of measured.entries()) {
    const x = room.left + (index % columns) * (width + gapPx);
    const y = room.top + Math.floor(index / columns) * (height + gapPx);
    const plot = {
      x: x + each.leftPx,
      y: y + headPx,
      width: each.plotWidthPx,
      height: height - headPx - footPx,
    };
    shapes.push(...drawPanel(each, { x, y, width, height }, plot, theme));
    panels.push({ panel: each.panel, x: each.x, y: each.y, plot });
  }
  return { shapes, panels, heightPx: rows * (height + gapPx) - gapPx };
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
