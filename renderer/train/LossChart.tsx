/** Classification and box loss over time, with AP50 where it was measured and a line where something was changed. A click looks back at that step. */
import { Anchor, Collapse, SegmentedControl, Switch, useComputedColorScheme } from '@mantine/core';
import { memo, useMemo, useState } from 'react';
import type { Chart, ChartMark } from '../../shared/charts/chart.ts';
import { courseChart } from '../../shared/charts/figures/course.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import { ExportMenu } from '../balance/charts/ExportMenu.tsx';
import { Formula } from '../balance/charts/Formula.tsx';
import { saveChart } from '../balance/charts/save.ts';
import { type Course, courseLength } from '../store/runHistoryCourse.ts';
import { useLossPlot } from './lossPlot.ts';
import classes from './RunView.module.css';
import { type LossColumns, lossColumns } from './smoothing.ts';

interface LossChartProps {
  readonly course: Course;
  readonly evaluations: readonly EvaluationEvent[];
  readonly totalSteps: number;
  readonly cursorStep: number | null;
  /** What was changed, and when. */
  readonly marks: readonly ChartMark[];
  /** Of exported files, without ending. */
  readonly fileName: string;
  readonly onCursor: (step: number | null) => void;
}

const logFloor = 1e-4;

export const LossChart = memo(function LossChart(props: LossChartProps) {
  const { course, evaluations, totalSteps, cursorStep, marks, fileName, onCursor } = props;
  const [smooth, setSmooth] = useState(true);
  const [explained, setExplained] = useState(false);
  const [scale, setScale] = useState<'linear' | 'log'>('log');
  const scheme = useComputedColorScheme('light');
  const columns = useMemo(
    () => lossColumns(course, evaluations, { smooth, floor: scale === 'log' ? logFloor : 0 }),
    [course, evaluations, smooth, scale],
  );
  const box = useLossPlot({ columns, scale, totalSteps, marks, cursorStep, onCursor });

  return (
    <section className={classes.panel} aria-label="Loss over time">
      <header className={classes.panelHead}>
        <h3>Does it still learn?</h3>
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
          <Anchor
            component="button"
            type="button"
            size="sm"
            aria-expanded={explained}
            onClick={() => setExplained((open) => !open)}
          >
            What am I looking at?
          </Anchor>
          <ExportMenu
            name="loss"
            formats={['svg', 'png', 'csv']}
            save={(format) =>
              saveChart(lossChart(columns, { scale, totalSteps, marks }), fileName, format, scheme)
            }
          />
        </div>
      </header>
      <Collapse expanded={explained}>
        <Explanation />
      </Collapse>
      <div
        ref={box}
        className={classes.chart}
        data-testid="loss-chart"
        data-points={courseLength(course)}
        data-marks={marks.length}
      />
    </section>
  );
});

function Explanation() {
  return (
    <div className={classes.explain}>
      <p>
        At every step the network is told how wrong it was: about what is where (classification) and about
        where exactly (box). Both should fall, quickly at first and slowly later; AP50 says how good it is on
        images that it does not learn from, and should rise. A dashed line stands where the loss or the
        learning rate was changed: curves left and right of it measure with different rulers.
      </p>
      <Formula text="L = L_{classification} + L_{box}, both summed over anchors / max(1, positives)" />
    </div>
  );
}

/** The same curves for a file. */
function lossChart(
  [steps, classification, box, AP50]: LossColumns,
  { scale, totalSteps, marks }: { scale: 'linear' | 'log'; totalSteps: number; marks: readonly ChartMark[] },
): Chart {
  const points = (values: readonly (number | null)[]) =>
    steps.flatMap((step, index): [number, number][] => {
      const value = values[index];
      return value == null ? [] : [[step, value]];
    });
  const measured = points(AP50);
  return courseChart({
    question: 'Does it still learn?',
    lastStep: totalSteps,
    marks,
    panels: [
      {
        title: 'Loss',
        label: 'loss per step',
        scale,
        lines: [
          { name: 'classification', points: points(classification) },
          { name: 'box', points: points(box), dash: true },
        ],
      },
      ...(measured.length > 0
        ? [
            {
              title: 'AP50 on the validation images',
              label: 'AP50',
              format: 'percent' as const,
              domain: [0, 1] as const,
              lines: [{ name: 'AP50', ink: 'neutral' as const, points: measured }],
            },
          ]
        : []),
    ],
  });
}
