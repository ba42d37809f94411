/** A chart on the screen: as wide as its place, with a crosshair that reads every series, by pointer or by keys. */
import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { memo, useMemo, useRef, useState } from 'react';
import type { Chart } from '../../../shared/charts/chart.ts';
import { describeChart } from '../../../shared/charts/describe.ts';
import { paints, type Theme } from '../../../shared/charts/inks.ts';
import { type ChartLayout, layoutChart } from '../../../shared/charts/layout.ts';
import { fontFamily } from '../../../shared/charts/renderSvg.ts';
import classes from './ChartView.module.css';
import { type Crosshair, cardsOf, crosshairAt, crosshairText, linesAt, moveCrosshair } from './crosshair.ts';
import { ReadoutCard } from './ReadoutCard.tsx';
import { shapeElement } from './shapeElement.ts';

export interface ChartViewProps {
  readonly chart: Chart;
  /** Absent: what its width asks for. */
  readonly heightPx?: number;
  /** The x that is looked at, where it moves more often than the chart changes; it outranks the panels' own. */
  readonly cursorX?: number | null;
  /** A click, or Enter at the crosshair. */
  readonly onPick?: (x: number) => void;
  readonly testId?: string;
}

export function ChartView({ chart, heightPx, cursorX, onPick, testId }: ChartViewProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const theme = useComputedColorScheme('light');
  // Hidden with its workspace, it has no width; it keeps the one it had.
  const shownPx = useRef(0);
  if (width > 0) shownPx.current = Math.floor(width);
  const widthPx = shownPx.current;
  const layout = useMemo(
    () => (widthPx > 0 ? layoutChart(chart, { widthPx, heightPx, theme, alone: false }) : null),
    [chart, widthPx, heightPx, theme],
  );
  return (
    <div ref={ref} className={classes.view} data-testid={testId} data-series={seriesCount(chart)}>
      {layout && (
        <Reading chart={chart} layout={layout} theme={theme} cursorX={cursorX ?? null} onPick={onPick} />
      )}
    </div>
  );
}

function seriesCount({ panels }: Chart): number {
  return panels.reduce((sum, { series }) => sum + series.length, 0);
}

interface ReadingProps {
  readonly chart: Chart;
  readonly layout: ChartLayout;
  readonly theme: Theme;
  readonly cursorX: number | null;
  readonly onPick?: (x: number) => void;
}

/** The drawing with what moves above it. Only this part is drawn anew when the pointer moves. */
function Reading({ chart, layout, theme, cursorX, onPick }: ReadingProps) {
  const [crosshair, setCrosshair] = useState<Crosshair | null>(null);
  const sentence = useMemo(() => `${chart.question} ${describeChart(chart)}`, [chart]);
  const svg = (
    <svg
      width={layout.widthPx}
      height={layout.heightPx}
      fontFamily={fontFamily}
      className={classes.drawing}
      aria-hidden="true"
    >
      <Drawing layout={layout} />
      {cursorX !== null && (
        <path className={classes.cursor} d={linesAt(layout, cursorX)} stroke={paints[theme].cursor} />
      )}
      {crosshair && (
        <path
          className={classes.crosshair}
          d={linesAt(layout, crosshair.x, crosshair.panel)}
          stroke={paints[theme].muted}
        />
      )}
    </svg>
  );
  const readable = layout.panels.some(({ panel }) => panel.series.some(({ points }) => points.length > 0));
  if (!readable) {
    return (
      <div role="img" aria-label={sentence}>
        {svg}
      </div>
    );
  }
  const shown = crosshair ?? { panel: 0, x: layout.panels[0]!.x.domain[0], pointerY: null };
  const domain = layout.panels[shown.panel]?.x.domain ?? [0, 1];
  return (
    <div
      role="slider"
      tabIndex={0}
      className={classes.reading}
      data-pick={onPick ? true : undefined}
      aria-label={sentence}
      aria-orientation="horizontal"
      aria-valuemin={domain[0]}
      aria-valuemax={domain[1]}
      aria-valuenow={shown.x}
      aria-valuetext={crosshair ? crosshairText(layout, crosshair) : 'Press the arrow keys to read values.'}
      onPointerMove={(event) => setCrosshair(crosshairAt(layout, ...placeIn(event)))}
      onPointerLeave={() => setCrosshair(null)}
      onBlur={() => setCrosshair(null)}
      onClick={(event) => {
        const at = crosshairAt(layout, ...placeIn(event));
        if (at) onPick?.(at.x);
      }}
      onKeyDown={(event) => {
        if ((event.key === 'Enter' || event.key === ' ') && crosshair && onPick) onPick(crosshair.x);
        else if (event.key === 'Escape' && crosshair) setCrosshair(null);
        else {
          const moved = moveCrosshair(layout, crosshair, event.key, event.shiftKey);
          if (!moved) return;
          setCrosshair(moved);
        }
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {svg}
      {crosshair &&
        cardsOf(layout, crosshair).map((card) => <ReadoutCard key={card.key} card={card} theme={theme} />)}
    </div>
  );
}

function placeIn({ currentTarget, clientX, clientY }: React.MouseEvent<HTMLElement>): [x: number, y: number] {
  const { left, top } = currentTarget.getBoundingClientRect();
  return [clientX - left, clientY - top];
}

const Drawing = memo(function Drawing({ layout }: { layout: ChartLayout }) {
  return <g>{layout.shapes.map(shapeElement)}</g>;
});
