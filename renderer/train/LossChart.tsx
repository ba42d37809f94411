/** Classification and box loss over time, with AP50 where it was measured. A click looks back at the balance of that step. */
import './validLanguage.ts';
import 'uplot/dist/uPlot.min.css';
import { SegmentedControl, Switch, useComputedColorScheme } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { RunHistory } from '../store/runHistory.ts';
import classes from './RunView.module.css';
import { lossColumns } from './smoothing.ts';

interface LossChartProps {
  readonly history: RunHistory;
  readonly totalSteps: number;
  readonly cursorStep: number | null;
  readonly onCursor: (step: number | null) => void;
}

const logFloor = 1e-4;
const heightPx = 176;

export function LossChart({ history, totalSteps, cursorStep, onCursor }: LossChartProps) {
  const [smooth, setSmooth] = useState(true);
  const [scale, setScale] = useState<'linear' | 'log'>('log');
  const scheme = useComputedColorScheme('light');
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const pick = useRef(onCursor);
  pick.current = onCursor;
  const columns = useMemo(
    () => lossColumns(history.points, history.evaluations, { smooth, floor: scale === 'log' ? logFloor : 0 }),
    [history.points, history.evaluations, smooth, scale],
  );

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const options = chartOptions({
      scale,
      dark: scheme === 'dark',
      totalSteps,
      widthPx: element.clientWidth,
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

  return (
    <section className={classes.panel} aria-label="Loss over time">
      <header className={classes.panelHead}>
        <h3>Loss over time</h3>
        <ul className={classes.chartLegend}>
          <li data-curve="classification">classification</li>
          <li data-curve="box">box</li>
          <li data-curve="ap">AP50 (right)</li>
        </ul>
        <div className={classes.panelTools}>
          {cursorStep !== null && (
            <span className={classes.dim}>looking at step {cursorStep.toLocaleString('en-US')}</span>
          )}
          <Switch
            size="xs"
            label="Smooth"
            checked={smooth}
            onChange={({ currentTarget }) => setSmooth(currentTarget.checked)}
          />
          <SegmentedControl
            size="xs"
            data={[
              { value: 'linear', label: 'Linear' },
              { value: 'log', label: 'Log' },
            ]}
            value={scale}
            onChange={(value) => setScale(value as 'linear' | 'log')}
          />
        </div>
      </header>
      <div ref={box} className={classes.chart} data-testid="loss-chart" data-points={history.points.length} />
    </section>
  );
}

interface ChartLook {
  readonly scale: 'linear' | 'log';
  readonly dark: boolean;
  readonly totalSteps: number;
  readonly widthPx: number;
}

/** Canvas knows no CSS variables, so the colours of both schemes stand here; orange and blue belong to the balance. */
function chartOptions({ scale, dark, totalSteps, widthPx }: ChartLook): uPlot.Options {
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
