/** The loss chart's curves on a canvas: quick enough to be drawn anew while it learns. */
import './validLanguage.ts';
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { ChartMark } from '../../shared/charts/chart.ts';
import type { LossColumns } from './smoothing.ts';

const heightPx = 176;

interface LossPlot extends Lines {
  readonly columns: LossColumns;
  readonly scale: 'linear' | 'log';
  readonly totalSteps: number;
  readonly onCursor: (step: number | null) => void;
}

/** The place that it is drawn in. */
export function useLossPlot({ columns, scale, totalSteps, marks, cursorStep, onCursor }: LossPlot) {
  const scheme = useComputedColorScheme('light');
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const pick = useRef(onCursor);
  pick.current = onCursor;
  const lines = useRef<Lines>({ marks, cursorStep });
  lines.current = { marks, cursorStep };

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const options = chartOptions({
      scale,
      dark: scheme === 'dark',
      totalSteps,
      widthPx: element.clientWidth,
      lines,
    });
    const made = new uPlot(options, [[], [], [], []], element);
    chart.current = made;
    const click = () => {
      const { idx } = made.cursor;
      pick.current(idx == null ? null : (made.data[0][idx] ?? null));
    };
    made.over.addEventListener('click', click);
    const resized = new ResizeObserver(() => {
      // Hidden with its workspace, it has no width; it keeps the one it had.
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: heightPx });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [scale, scheme, totalSteps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart made anew (other scale, other colours) wants the data too
  useEffect(() => {
    chart.current?.setData(columns);
  }, [columns, scale, scheme, totalSteps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn above the curves is drawn anew when it moves
  useEffect(() => {
    chart.current?.redraw(false);
  }, [marks, cursorStep]);
  return box;
}

/** Vertical lines above the curves. */
interface Lines {
  readonly marks: readonly ChartMark[];
  readonly cursorStep: number | null;
}

interface ChartLook {
  readonly scale: 'linear' | 'log';
  readonly dark: boolean;
  readonly totalSteps: number;
  readonly widthPx: number;
  /** Read whenever the chart is drawn. */
  readonly lines: { readonly current: Lines };
}

/** Canvas knows no CSS variables, so the colours of both schemes stand here; orange and blue belong to the balance. */
function chartOptions({ scale, dark, totalSteps, widthPx, lines }: ChartLook): uPlot.Options {
  const ink = dark ? '#a0a6b2' : '#5d6470';
  const grid = { stroke: dark ? '#2f333b' : '#eceef2', width: 1 };
  const axis = { stroke: ink, font: '11px system-ui, sans-serif', grid, ticks: { ...grid, size: 4 } };
  const colors = dark
    ? { cls: '#b197fc', box: '#38d9a9', ap: '#e6e8ec' }
    : { cls: '#6741d9', box: '#099268', ap: '#343a46' };
  return {
    width: widthPx,
    height: heightPx,
    legend: { show: false },
    hooks: { draw: [(chart) => drawLines(chart, lines.current, ink, colors.ap)] },
    padding: [8, 4, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: () => [0, Math.max(2, totalSteps)] },
      y: scale === 'log' ? { distr: 3, log: 10 } : { range: (_chart, _low, high) => [0, (high || 1) * 1.06] },
      ap: { range: [0, 1] },
    },
    axes: [
      { ...axis, size: 28 },
      {
        ...axis,
        size: 50,
        values: (_chart, ticks) =>
          ticks.map((tick) => (tick === null ? '' : String(Number(tick.toPrecision(2))))),
      },
      {
        ...axis,
        scale: 'ap',
        side: 1,
        size: 34,
        grid: { show: false },
        values: (_chart, ticks) => ticks.map((tick) => `${Math.round(tick * 100)}`),
      },
    ],
    series: [
      {},
      { label: 'classification', stroke: colors.cls, width: 2, points: { show: false } },
      { label: 'box', stroke: colors.box, width: 2, dash: [6, 3], points: { show: false } },
      {
        label: 'AP50',
        scale: 'ap',
        stroke: colors.ap,
        width: 1,
        spanGaps: true,
        dash: [1, 4],
        points: { show: true, size: 9, fill: colors.ap },
      },
    ],
  };
}

/** On uPlot's canvas, in its own pixels. Words of lines that stand close go below each other. */
function drawLines(chart: uPlot, { marks, cursorStep }: Lines, ink: string, cursorInk: string): void {
  const { ctx, bbox } = chart;
  const pixelRatio = devicePixelRatio;
  const line = (step: number, color: string, dash: number[]) => {
    const x = Math.round(chart.valToPos(step, 'x', true));
    ctx.strokeStyle = color;
    ctx.setLineDash(dash.map((length) => length * pixelRatio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    return x;
  };
  ctx.save();
  ctx.lineWidth = pixelRatio;
  ctx.font = `${11 * pixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  ctx.fillStyle = ink;
  let row = 0;
  let freeFrom = Number.NEGATIVE_INFINITY;
  for (const { x: step, label } of marks) {
    const x = line(step, ink, [3, 3]);
    const widthPx = ctx.measureText(label).width;
    row = x < freeFrom ? row + 1 : 0;
    const left = Math.min(x + 4 * pixelRatio, bbox.left + bbox.width - widthPx);
    freeFrom = Math.max(freeFrom, left + widthPx + 4 * pixelRatio);
    ctx.fillText(label, left, bbox.top + (2 + row * 14) * pixelRatio);
  }
  if (cursorStep !== null) line(cursorStep, cursorInk, []);
  ctx.restore();
}
