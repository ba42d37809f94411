/** What was tried instead of the form's settings, what it would bring and cost, and a press to take it. */
import { Button, Loader } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import {
  type Advice,
  adviceOf,
  badShare,
  bestAdvice,
  worstClass,
} from '../../../shared/detector/coveragePlans.ts';
import type { TrainConfig } from '../../../shared/training/config.ts';
import classes from './CoverageView.module.css';
import type { CoverageShown } from './coverageWords.ts';
import { costText, percentText, planText } from './coverageWords.ts';

interface AdviceTableProps {
  readonly coverage: CoverageShown;
  /** Of the classes, by index. */
  readonly names: readonly string[];
  readonly onApply: (changes: Partial<TrainConfig>) => void;
}

export function AdviceTable({ coverage, names, onApply }: AdviceTableProps) {
  const { results, phase } = coverage;
  const own = results[0]!;
  const worst = worstClass(own.summary)!;
  const advice = adviceOf(results);
  const best = bestAdvice(advice);
  const many = own.summary.classes.filter(({ boxes }) => boxes > 0).length > 1;
  return (
    <div className={classes.panel}>
      <h3 className={classes.heading}>
        What would help? {phase === 'working' && <Loader size={12} aria-label="Trying" />}
      </h3>
      <table className={classes.table} data-testid="coverage-advice">
        <thead>
          <tr>
            <th>Tried on your boxes</th>
            <th>No anchor fits</th>
            {many && <th>of {names[worst.classIndex]}</th>}
            <th>Cost of a step</th>
            <th />
          </tr>
        </thead>
        <tbody>
          <tr className={classes.now}>
            <td>As the form is</td>
            <td>{percentText(badShare(own.summary))}</td>
            {many && <td>{percentText(badShare(worst))}</td>}
            <td />
            <td />
          </tr>
          {advice.map((each) => (
            <AdviceRow
              key={JSON.stringify(each.plan)}
              {...{ each, many, onApply }}
              own={own.plan}
              isBest={each === best}
            />
          ))}
        </tbody>
      </table>
      {phase === 'ready' && best === null && (
        <p className={classes.dim}>
          Nothing that was tried fits markedly more boxes. Look at those below: they may be very long and
          thin, or hidden under others.
        </p>
      )}
    </div>
  );
}

interface AdviceRowProps {
  readonly each: Advice;
  readonly own: Advice['plan'];
  readonly many: boolean;
  readonly isBest: boolean;
  readonly onApply: (changes: Partial<TrainConfig>) => void;
}

function AdviceRow({ each, own, many, isBest, onApply }: AdviceRowProps) {
  const text = planText(each.plan, own);
  const { maxSizePx, anchorScale } = each.plan;
  return (
    <tr data-verdict={each.verdict}>
      <td>{text}</td>
      <td>{percentText(each.share)}</td>
      {many && <td>{percentText(each.worstShare)}</td>}
      <td>{costText(each)}</td>
      <td className={classes.act}>
        {each.verdict === 'better' ? (
          <Button
            size="compact-xs"
            variant={isBest ? 'filled' : 'default'}
            leftSection={<IconCheck size={13} />}
            data-testid={`apply-advice-${maxSizePx}-${anchorScale}`}
            onClick={() => onApply(each.plan)}
          >
            Use it
          </Button>
        ) : (
          <span className={classes.dim}>{each.verdict === 'worse' ? 'fits worse' : 'no difference'}</span>
        )}
      </td>
    </tr>
  );
}
