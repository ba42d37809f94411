/** A chart with its question above it, and what is needed to understand it and to take it along. */
import { Anchor, Collapse, useComputedColorScheme } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Chart } from '../../../shared/charts/chart.ts';
import classes from './ChartFrame.module.css';
import { ChartView } from './ChartView.tsx';
import { ExportMenu } from './ExportMenu.tsx';
import { Formula } from './Formula.tsx';
import { saveChart } from './save.ts';

export interface ChartFrameProps {
  readonly chart: Chart;
  /** Test ids are made of it: `chart-NAME`, `chart-menu-NAME`. */
  readonly name: string;
  /** Where words of it are coloured; absent: the chart's own. */
  readonly question?: ReactNode;
  /** Under which heading it stands. */
  readonly level?: 2 | 3;
  /** "What am I looking at?": three sentences that a biologist understands. */
  readonly explanation: readonly string[];
  /** As `Formula` reads it. */
  readonly formula: string;
  /** Of exported files, without ending: the run's name and the chart's; absent: the question. */
  readonly fileName?: string;
  /** What the person may choose about the chart, beside its menu. */
  readonly controls?: ReactNode;
  readonly heightPx?: number;
  readonly cursorX?: number | null;
  readonly onPick?: (x: number) => void;
  /** Above the chart: what it says, in a sentence. */
  readonly lead?: ReactNode;
  /** Below the chart. */
  readonly children?: ReactNode;
}

export function ChartFrame(props: ChartFrameProps) {
  const { chart, name, level = 3 } = props;
  const [explained, setExplained] = useState(false);
  const theme = useComputedColorScheme('light');
  const Heading = level === 2 ? 'h2' : 'h3';
  const question = props.question ?? chart.question;
  return (
    <section className={classes.frame} data-testid={`chart-${name}`} aria-label={chart.question}>
      <header className={classes.head}>
        <Heading className={classes.question} data-level={level}>
          {question}
        </Heading>
        <div className={classes.tools}>
          <Anchor
            component="button"
            type="button"
            size="sm"
            c="var(--bw-accent-text)"
            aria-expanded={explained}
            data-testid={`chart-explain-${name}`}
            onClick={() => setExplained((open) => !open)}
          >
            What am I looking at?
          </Anchor>
          {props.controls}
          <ExportMenu
            name={name}
            formats={['svg', 'png', 'csv']}
            save={(format) => saveChart(chart, props.fileName ?? chart.question, format, theme)}
          />
        </div>
      </header>
      <Collapse expanded={explained}>
        <div className={classes.explanation}>
          <p>{props.explanation.join(' ')}</p>
          <p>
            <Formula text={props.formula} />
          </p>
        </div>
      </Collapse>
      {props.lead}
      <ChartView
        chart={chart}
        heightPx={props.heightPx}
        cursorX={props.cursorX}
        onPick={props.onPick}
        testId={`chart-view-${name}`}
      />
      {chart.caption && <p className={classes.caption}>{chart.caption}</p>}
      {props.children}
    </section>
  );
}
