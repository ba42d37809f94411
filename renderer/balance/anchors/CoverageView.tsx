/** "Do the anchors fit your boxes?": of the run that the form describes, before it begins. */
import { Button, Loader, Progress } from '@mantine/core';
import type { ReactNode } from 'react';
import type { BoxCoverage } from '../../../shared/detector/coverage.ts';
import type { PlanCoverage } from '../../../shared/detector/coveragePlans.ts';
import type { TrainConfig } from '../../../shared/training/config.ts';
import { ChartFrame } from '../charts/ChartFrame.tsx';
import { AdviceTable } from './AdviceTable.tsx';
import { ClassTable } from './ClassTable.tsx';
import classes from './CoverageView.module.css';
import { coverageChart, coverageExplanation, coverageFormula } from './coverageChart.ts';
import type { ClassLook, CoverageShown } from './coverageWords.ts';
import {
  fitMeanings,
  fitParts,
  fitTitles,
  imagesText,
  percentText,
  sideText,
  type Verdict,
  verdictOf,
} from './coverageWords.ts';
import { WorstBoxes } from './WorstBoxes.tsx';

interface CoverageViewProps {
  readonly coverage: CoverageShown;
  /** In the order of the class indices. */
  readonly classLooks: readonly ClassLook[];
  readonly onApply: (changes: Partial<TrainConfig>) => void;
  /** The box cut out of its image. */
  readonly crop: (box: BoxCoverage, color: string) => ReactNode;
  readonly onOpen: (box: BoxCoverage) => void;
  readonly onRetry: () => void;
}

export function CoverageView({ coverage, onRetry, ...rest }: CoverageViewProps) {
  const { phase, results, problem } = coverage;
  const own = results[0];
  return (
    <section className={classes.view} data-testid="coverage" data-phase={phase}>
      {problem && (
        <div className={classes.panel} role="alert">
          <p className={classes.verdict}>{problem.message}</p>
          <p className={classes.dim}>{problem.remedy}</p>
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
      {own ? (
        <Found own={own} coverage={coverage} {...rest} />
      ) : (
        phase === 'working' && <Comparing coverage={coverage} />
      )}
    </section>
  );
}

function Comparing({ coverage: { done, total } }: { coverage: CoverageShown }) {
  return (
    <div className={classes.panel}>
      <p className={classes.dim}>
        <Loader size={14} /> Comparing every box with every anchor
      </p>
      <Progress value={total > 0 ? (100 * done) / total : 0} size="sm" aria-label="Boxes compared" />
    </div>
  );
}

type FoundProps = Omit<CoverageViewProps, 'onRetry'> & { readonly own: PlanCoverage };

function Found({ own, coverage, classLooks, onApply, crop, onOpen }: FoundProps) {
  const names = classLooks.map(({ name }) => name);
  const { summary } = own;
  const verdict = verdictOf(own, names);
  return (
    <>
      <VerdictPanel {...{ own, coverage, verdict }} />
      {verdict.tone !== 'good' && <AdviceTable coverage={coverage} names={names} onApply={onApply} />}
      <ChartFrame
        name="coverage"
        chart={coverageChart(summary, `At ${sideText(own.plan)}; ${imagesText(coverage)}.`)}
        explanation={coverageExplanation}
        formula={coverageFormula}
        fileName="anchor-coverage"
        heightPx={250}
      />
      <ClassTable summary={summary} classLooks={classLooks} />
      {own.worst.length > 0 && <WorstBoxes boxes={own.worst} {...{ classLooks, crop, onOpen }} />}
    </>
  );
}

interface VerdictProps {
  readonly own: PlanCoverage;
  readonly coverage: CoverageShown;
  readonly verdict: Verdict;
}

function VerdictPanel({ own, coverage, verdict }: VerdictProps) {
  const parts = fitParts(own.summary);
  return (
    <div className={classes.panel}>
      <h2 className={classes.question}>Do the anchors fit your boxes?</h2>
      <p className={classes.verdict} data-tone={verdict.tone} data-testid="coverage-verdict">
        {verdict.text} {verdict.worst && <strong>{verdict.worst}</strong>}
      </p>
      <div className={classes.fitBar} aria-hidden="true">
        {parts.map(({ fit, share }) => (
          <span key={fit} data-fit={fit} style={{ flexGrow: share }} />
        ))}
      </div>
      <ul className={classes.legend}>
        {parts.map(({ fit, count, share }) => (
          <li key={fit} title={fitMeanings[fit]}>
            <span className={classes.swatch} data-fit={fit} /> {fitTitles[fit]}{' '}
            <b>{count.toLocaleString('en-US')}</b> <span className={classes.dim}>{percentText(share)}</span>
          </li>
        ))}
      </ul>
      <p className={classes.dim}>
        The network looks through thousands of fixed boxes, the anchors, and learns from those that overlap
        yours by half. A box without such an anchor is learnt from the nearest one alone, and often not at
        all. Compared: {imagesText(coverage)}.
      </p>
    </div>
  );
}
