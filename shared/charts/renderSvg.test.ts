import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { Axis, Chart, Ink, Panel, Series } from './chart.ts';
import { layoutChart } from './layout.ts';
import { renderSvg } from './renderSvg.ts';
import type { Shape } from './shapes.ts';
import { textWidthPx } from './words.ts';

const value = fc.oneof(
  fc.double(),
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.constantFrom(0, -0, Number.NaN, 5e-324, -1e308),
);
const text = fc.string({ unit: 'binary', maxLength: 30 });
const ink = fc.constantFrom<Ink>('foreground', 'neutral', 'series3', 'series6', '#ffee00');
const axis: fc.Arbitrary<Axis> = fc.record(
  {
    label: text,
    scale: fc.constantFrom('linear', 'log'),
    format: fc.constantFrom('number', 'percent', 'integer'),
    domain: fc.tuple(value, value),
  },
  { requiredKeys: ['label', 'scale', 'format'] },
);
const series: fc.Arbitrary<Series> = fc.record(
  {
    name: text,
    ink,
    shape: fc.constantFrom('line', 'area', 'bars', 'points'),
    points: fc.array(fc.tuple(value, value), { maxLength: 12 }),
    barWidth: fc.double({ min: 1e-3, max: 3, noNaN: true }),
    dash: fc.boolean(),
    ghost: fc.boolean(),
    strong: fc.boolean(),
  },
  { requiredKeys: ['name', 'ink', 'shape', 'points'] },
);
const panel: fc.Arbitrary<Panel> = fc.record(
  {
    title: text,
    x: axis,
    y: axis,
    series: fc.array(series, { maxLength: 6 }),
    marks: fc.array(fc.record({ x: value, label: text }), { maxLength: 6 }),
    cursorX: value,
  },
  { requiredKeys: ['title', 'x', 'y', 'series'] },
);
const anyChart: fc.Arbitrary<Chart> = fc.record(
  { question: text, panels: fc.array(panel, { maxLength: 3 }), caption: text },
  { requiredKeys: ['question', 'panels'] },
);

const lossAxes = {
  x: { label: 'step', scale: 'linear', format: 'integer' },
  y: { label: 'loss', scale: 'log', format: 'number' },
} as const;
const line = (name: string, points: Series['points'], more: Partial<Series> = {}): Series => ({
  name,
  ink: 'series1',
  shape: 'line',
  points,
  ...more,
});
const chartOf = (...all: Series[]): Chart => ({
  question: 'Who learns?',
  panels: [{ title: 'Loss', ...lossAxes, series: all }],
});
const render = (chart: Chart, widthPx = 640) => renderSvg(chart, { widthPx, theme: 'light' });

describe('renderSvg', () => {
  it('never draws what is no number, and is always well-formed', () => {
    fc.assert(
      fc.property(
        anyChart,
        fc.integer({ min: 0, max: 1400 }),
        fc.constantFrom('light', 'dark'),
        (chart, widthPx, theme) => {
          const svg = renderSvg(chart, { widthPx, theme });
          expect(XMLValidator.validate(svg)).toBe(true);
          const attributes = svg.replace(/>[^<]*</g, '><');
          expect(attributes).not.toMatch(/NaN|Infinity|undefined|null/);
          for (const [, d] of attributes.matchAll(/ d="([^"]*)"/g)) expect(d).toMatch(/^M[-\d. MLVhvaZHe]*$/);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('carries colours, size, title and a description itself, and asks for nothing', () => {
    const svg = render(
      chartOf(
        line('focal', [
          [1, 0.5],
          [2, 0.25],
        ]),
      ),
    );
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="640" height="\d+" viewBox="0 0 640 \d+"/,
    );
    expect(svg).toContain('<title>Who learns?</title>');
    expect(svg).toContain('<desc>Loss: focal goes from 0.5 to 0.25.</desc>');
    expect(svg).not.toMatch(/class=|style=|var\(|href|url\(|currentColor/);
  });

  it('shows names as they are written', () => {
    const svg = render(
      chartOf(
        line('<b>"R&D"</b>', [
          [1, 1],
          [2, 2],
        ]),
        line('\u0000two', [
          [1, 2],
          [2, 3],
        ]),
      ),
    );
    expect(svg).toContain('&lt;b&gt;&quot;R&amp;D&quot;&lt;/b&gt;');
    expect(svg).not.toContain('\u0000');
    expect(new XMLParser().parse(svg)).toHaveProperty('svg');
  });

  it('says plainly where there are no data yet', () => {
    for (const points of [[], [[1, Number.NaN]], [[1, 0]]] as [number, number][][]) {
      expect(render(chartOf(line('focal', points)))).toContain('No data yet.');
    }
    expect(render(chartOf(line('focal', [[1, 0.1]])))).not.toContain('No data yet.');
  });

  it('breaks a line where a value is missing', () => {
    const svg = render(
      chartOf(
        line('focal', [
          [1, 1],
          [2, 1],
          [3, Number.NaN],
          [4, 1],
          [5, 1],
        ]),
      ),
    );
    const path = [...svg.matchAll(/ d="([^"]*)"[^>]*stroke="#6741d9"/g)].map(([, d]) => d!);
    expect(path).toHaveLength(1);
    expect(path[0]!.match(/M/g)).toHaveLength(2);
  });

  it('draws ghosts faintly and behind, and what is asked about in front', () => {
    const points: [number, number][] = [
      [1, 1],
      [2, 2],
    ];
    const svg = render(
      chartOf(
        line('asked', points, { strong: true }),
        line('real', points, { ink: 'series2' }),
        line('ghost', points, { ink: 'neutral', ghost: true }),
      ),
    );
    const inner = svg.slice(svg.lastIndexOf('<svg'));
    const order = ['opacity="0.5"', 'stroke="#2b8a3e"', 'stroke-width="3"'].map((mark) =>
      inner.indexOf(mark),
    );
    expect(order.every((place) => place > 0)).toBe(true);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  it('stays small however long the run was, and keeps its extremes', () => {
    const points = Array.from({ length: 100_000 }, (_, k): [number, number] => [
      k,
      k === 54_321 ? 900 : 1 + (k % 7),
    ]);
    const svg = render(chartOf(line('focal', points)));
    expect(svg.length).toBeLessThan(60_000);
    const ys = [...svg.matchAll(/L[\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(Math.min(...ys)).toBeLessThan(10);
  });
});

describe('layout', () => {
  const two: Chart = {
    question: 'Two?',
    panels: ['One', 'Two'].map((title) => ({
      title,
      ...lossAxes,
      series: [
        line('a', [
          [1, 1],
          [900, 20],
        ]),
      ],
    })),
  };

  it('puts panels side by side where they fit, else below each other', () => {
    const places = (widthPx: number) =>
      layoutChart(two, { widthPx, theme: 'light', alone: true }).panels.map(({ plot }) => plot);
    const [left, right] = places(900);
    expect(left!.y).toBe(right!.y);
    expect(left!.height).toBe(right!.height);
    expect(right!.x).toBeGreaterThan(left!.x + left!.width);
    const [upper, lower] = places(320);
    expect(lower!.y).toBeGreaterThan(upper!.y + upper!.height);
    expect(upper!.width).toBe(lower!.width);
  });

  it('leaves nothing outside of the drawing, at any width', () => {
    fc.assert(
      fc.property(fc.integer({ min: 280, max: 1600 }), fc.boolean(), (widthPx, alone) => {
        const layout = layoutChart(two, { widthPx, theme: 'dark', alone });
        for (const { plot } of layout.panels) expect(plot.x + plot.width).toBeLessThanOrEqual(widthPx);
        for (const { left, right, y } of textBoxes(layout.shapes)) {
          expect(left).toBeGreaterThanOrEqual(-1);
          expect(right).toBeLessThanOrEqual(widthPx + 1);
          expect(y).toBeLessThanOrEqual(layout.heightPx);
        }
      }),
    );
  });

  it('is as high as asked', () => {
    expect(layoutChart(two, { widthPx: 900, heightPx: 400, theme: 'light', alone: true }).heightPx).toBe(400);
  });

  it('names many classes in few rows, counts the rest, and stays within the drawing', () => {
    const many = Array.from({ length: 80 }, (_, k) =>
      line(`a class with the number ${k}`, [[1, 1]], { ink: `#0000${10 + k}` as Ink }),
    );
    for (const widthPx of [300, 320, 500, 900]) {
      const { shapes } = layoutChart(chartOf(...many), { widthPx, theme: 'light', alone: true });
      for (const { right } of textBoxes(shapes)) expect(right).toBeLessThanOrEqual(widthPx);
      const words = shapes.map(({ text = '' }) => text);
      const rest = words.flatMap((text) => /^and (\d+) more$/.exec(text)?.[1] ?? []);
      expect(words.filter((text) => text.startsWith('a class')).length + Number(rest[0])).toBe(80);
    }
  });
});

function textBoxes(shapes: readonly Shape[]): { left: number; right: number; y: number }[] {
  return shapes.flatMap((shape) => {
    if (shape.tag !== 'text') return textBoxes(shape.children ?? []);
    const { x, y, fontSize, textAnchor, fontWeight } = shape.attributes as Record<string, number | string>;
    const width = textWidthPx(shape.text!, Number(fontSize), fontWeight !== undefined);
    const left = Number(x) - (textAnchor === 'middle' ? width / 2 : textAnchor === 'end' ? width : 0);
    return [{ left, right: left + width, y: Number(y) }];
  });
}
