import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chart, Panel } from './chart.ts';
import { chartCsv, tableCsv } from './csv.ts';

const axis = { label: 'step', scale: 'linear', format: 'integer' } as const;
const panel = (title: string, series: Record<string, [number, number][]>): Panel => ({
  title,
  x: axis,
  y: { label: 'loss', scale: 'linear', format: 'number' },
  series: Object.entries(series).map(([name, points]) => ({ name, ink: 'neutral', shape: 'line', points })),
});
const chart = (...panels: Panel[]): Chart => ({ question: '?', panels });

/** RFC 4180, read strictly. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (!match) throw new Error(`not CSV: ${text}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('chartCsv', () => {
  it('has a row for each x and a column for each series, unrounded', () => {
    const text = chartCsv(
      chart(
        panel('', {
          focal: [
            [1, 1 / 3],
            [2, 0.25],
          ],
          ohem: [[2, 1e-9]],
        }),
      ),
    );
    expect(text).toBe('step,focal,ohem\r\n1,0.3333333333333333,\r\n2,0.25,1e-9\r\n');
  });

  it('tells panels apart and names what happened', () => {
    const marked = {
      ...panel('Loss', { focal: [[1, 5]] }),
      marks: [
        { x: 1, label: 'γ 2 → 0' },
        { x: 3, label: 'stop, here' },
      ],
    };
    expect(parse(chartCsv(chart(marked, panel('AP50', { focal: [[2, 0.5]] }))))).toEqual([
      ['panel', 'step', 'focal', 'event'],
      ['Loss', '1', '5', 'γ 2 → 0'],
      ['Loss', '3', '', 'stop, here'],
      ['AP50', '2', '0.5', ''],
    ]);
  });

  it('leaves what is no number empty', () => {
    expect(
      chartCsv(
        chart(
          panel('', {
            a: [
              [1, Number.NaN],
              [2, Number.POSITIVE_INFINITY],
            ],
          }),
        ),
      ),
    ).toBe('step,a\r\n1,\r\n2,\r\n');
  });
});

describe('tableCsv', () => {
  it('hands over any text whole, and none that a spreadsheet would compute', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (cells) => {
        const read = parse(tableCsv([cells]))[0]!;
        expect(read.map((cell, k) => (cells[k] === cell ? cell : cell.slice(1)))).toEqual(cells);
        for (const cell of read) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });

  it('marks formulas as text, and leaves negative numbers numbers', () => {
    expect(tableCsv([['=1+1', '@SUM(A1)', '-x', -3]])).toBe("'=1+1,'@SUM(A1),'-x,-3\r\n");
  });
});
