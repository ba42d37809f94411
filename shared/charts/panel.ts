/** One panel, drawn: frame, series, marks, the x that is looked at. */
import { type Paint, paints, type Theme } from './inks.ts';
import { markRowPx, markTextPx } from './marks.ts';
import { type MeasuredPanel, rightPx, tickLinePx, tickTextPx } from './measure.ts';
import { barPx, drawSeries, type Plane, xPx, yPx } from './paths.ts';
import { letters, type RectPx, type Shape, stroke, tenth } from './shapes.ts';
import { fitText, textWidthPx, valueText, wrapText } from './words.ts';

/** Lines at the plot's edge keep their full width. */
const bleedPx = 2;

/** `plot`: where the plot lies; `panel`: the room it shares with its words. */
export function drawPanel(measured: MeasuredPanel, panel: RectPx, plot: RectPx, theme: Theme): Shape[] {
  const plane: Plane = { x: measured.x, y: measured.y, plot };
  const paint = paints[theme];
  return [
    ...heads(measured, panel, plot, paint),
    ...frame(measured, plane, paint),
    measured.empty ? noData(plot, paint) : curves(measured, plane, theme),
    ...(measured.barValues ? barValues(measured, plane, paint) : []),
    ...marks(measured, plot, paint),
    ...cursor(measured, plane, paint),
  ];
}

function heads({ panel }: MeasuredPanel, room: RectPx, plot: RectPx, paint: Paint): Shape[] {
  const shapes: Shape[] = [];
  let y = room.y;
  if (panel.title) {
    const text = fitText(panel.title, 13, room.width);
    shapes.push(letters(room.x, y + 13, text, { fill: paint.text, size: 13, bold: true }));
    y += 20;
  }
  if (panel.y.label) {
    shapes.push(letters(room.x, y + 11, fitText(panel.y.label, 11, room.width), { fill: paint.muted }));
  }
  if (panel.x.label) {
    const text = fitText(panel.x.label, 11, room.width);
    const half = textWidthPx(text, 11) / 2;
    const middle = Math.min(plot.x + plot.width / 2, room.x + room.width - half);
    shapes.push(letters(middle, room.y + room.height - 4, text, { fill: paint.muted, anchor: 'middle' }));
  }
  return shapes;
}

function frame(measured: MeasuredPanel, plane: Plane, paint: Paint): Shape[] {
  const { plot } = plane;
  const shapes: Shape[] = [];
  let grid = '';
  for (const { at, label } of measured.yTicks) {
    const y = yPx(plane, at);
    if (y === null) continue;
    grid += `M${plot.x} ${tenth(plot.y + y)}h${plot.width}`;
    shapes.push(letters(plot.x - 6, plot.y + y + 4, label, { fill: paint.muted, anchor: 'end' }));
  }
  let notches = '';
  for (const { at, lines } of measured.xTicks) {
    const x = xPx(plane, at);
    if (x === null) continue;
    if (!measured.panel.x.ticks) notches += `M${tenth(plot.x + x)} ${plot.y + plot.height}v4`;
    const half = Math.max(...lines.map((line) => textWidthPx(line, tickTextPx))) / 2;
    const middle = Math.min(plot.x + x, plot.x + plot.width + rightPx - half);
    for (const [row, line] of lines.entries()) {
      const y = plot.y + plot.height + 16 + row * tickLinePx;
      shapes.push(letters(middle, y, line, { fill: paint.muted, anchor: 'middle' }));
    }
  }
  const bottom = `M${plot.x} ${plot.y + plot.height}h${plot.width}`;
  return [...(grid ? [stroke(grid, paint.grid)] : []), stroke(bottom + notches, paint.axis), ...shapes];
}

/** Clipped by an inner drawing, which needs no name that could be another's on the same page. */
function curves({ panel }: MeasuredPanel, plane: Plane, theme: Theme): Shape {
  const { plot } = plane;
  const [width, height] = [plot.width + 2 * bleedPx, plot.height + 2 * bleedPx];
  const order = (series: (typeof panel.series)[number]) => (series.ghost ? 0 : series.strong ? 2 : 1);
  return {
    tag: 'svg',
    attributes: {
      x: tenth(plot.x - bleedPx),
      y: tenth(plot.y - bleedPx),
      width: tenth(width),
      height: tenth(height),
      viewBox: `${-bleedPx} ${-bleedPx} ${tenth(width)} ${tenth(height)}`,
    },
    children: [...panel.series]
      .sort((a, b) => order(a) - order(b))
      .flatMap((series) => drawSeries(series, plane, theme)),
  };
}

/** Each bar's value above it, where all of them have room. */
function barValues({ panel }: MeasuredPanel, plane: Plane, paint: Paint): Shape[] {
  const labels = panel.series
    .filter(({ shape }) => shape === 'bars')
    .flatMap((series) =>
      series.points.flatMap(([x, value]) => {
        const [bar, top] = [barPx(series, plane, x), yPx(plane, value)];
        if (!bar || top === null) return [];
        return [{ middle: bar.left + bar.width / 2, top, text: valueText(value, panel.y.format) }];
      }),
    )
    .sort((a, b) => a.middle - b.middle);
  const roomy = labels.every(({ middle, text }, index) => {
    const next = labels[index + 1];
    if (!next) return true;
    return next.middle - middle >= (textWidthPx(text, 11) + textWidthPx(next.text, 11)) / 2 + 3;
  });
  if (!roomy) return [];
  return labels.map(({ middle, top, text }) => {
    const y = plane.plot.y + Math.min(plane.plot.height, Math.max(0, top)) - 4;
    return letters(plane.plot.x + middle, y, text, { fill: paint.text, anchor: 'middle' });
  });
}

function marks(measured: MeasuredPanel, plot: RectPx, paint: Paint): Shape[] {
  const rows = Math.max(0, ...measured.marks.map(({ row, label }) => (label ? row + 1 : 0)));
  const top = plot.y - rows * markRowPx - 2;
  return measured.marks.flatMap(({ xPx: x, label, labelLeftPx, row }) => {
    const from = label ? top + row * markRowPx : plot.y;
    const line = `M${tenth(plot.x + x)} ${tenth(from)}V${tenth(plot.y + plot.height)}`;
    const dashed = stroke(line, paint.muted, 1, { strokeDasharray: '3 3' });
    if (!label) return [dashed];
    return [dashed, letters(plot.x + labelLeftPx, from + 10, label, { fill: paint.text, size: markTextPx })];
  });
}

function cursor({ panel }: MeasuredPanel, plane: Plane, paint: Paint): Shape[] {
  const x = panel.cursorX == null ? null : xPx(plane, panel.cursorX);
  const { plot } = plane;
  if (x === null || x < -1 || x > plot.width + 1) return [];
  return [stroke(`M${tenth(plot.x + x)} ${plot.y}v${plot.height}`, paint.cursor, 1.5)];
}

function noData(plot: RectPx, paint: Paint): Shape {
  const lines = wrapText('No data yet.', 12, plot.width);
  return {
    tag: 'g',
    attributes: {},
    children: lines.map((line, row) =>
      letters(plot.x + plot.width / 2, plot.y + plot.height / 2 + row * 15, line, {
        fill: paint.muted,
        size: 12,
        anchor: 'middle',
      }),
    ),
  };
}
