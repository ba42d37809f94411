/** A chart's numbers as a table (RFC 4180) that spreadsheets open. */
import type { Chart, Panel } from './chart.ts';

export type Cell = string | number | undefined;

/**
 * One row for each x of each panel, one column for each series; a column for panels and one for marks where there are any. Numbers
 * are unrounded. A series that is in several panels has one column.
 */
export function chartCsv(chart: Chart): string {
  const names = [
    ...new Set(chart.panels.flatMap(({ series }) => series.map(({ name }, k) => columnName(name, k)))),
  ];
  const several = chart.panels.length > 1;
  const marked = chart.panels.some(({ marks }) => marks && marks.length > 0);
  const xNames = [...new Set(chart.panels.map(({ x }) => x.label))];
  const heads: Cell[] = [
    ...(several ? ['panel'] : []),
    (xNames.length === 1 && xNames[0]) || 'x',
    ...names,
    ...(marked ? ['event'] : []),
  ];
  const rows = chart.panels.flatMap((panel) =>
    panelRows(panel, names).map(({ x, values, marks }) => [
      ...(several ? [panel.title] : []),
      x,
      ...values,
      ...(marked ? [marks.join('; ')] : []),
    ]),
  );
  return tableCsv([heads, ...rows]);
}

/** Rows of any table, the first its heads. */
export function tableCsv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

interface Row {
  readonly x: number;
  readonly values: Cell[];
  readonly marks: string[];
}

function panelRows(panel: Panel, names: readonly string[]): Row[] {
  const rows = new Map<number, Row>();
  const rowAt = (x: number): Row => {
    const row = rows.get(x) ?? { x, values: names.map(() => undefined), marks: [] };
    rows.set(x, row);
    return row;
  };
  for (const [index, { name, points }] of panel.series.entries()) {
    const column = names.indexOf(columnName(name, index));
    for (const [x, y] of points) rowAt(x).values[column] = y;
  }
  for (const { x, label } of panel.marks ?? []) rowAt(x).marks.push(label);
  return [...rows.values()].sort((a, b) => a.x - b.x);
}

function columnName(name: string, index: number): string {
  return name || `series ${index + 1}`;
}

/** Text that a spreadsheet would take for a formula is marked as text. */
function cellText(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
