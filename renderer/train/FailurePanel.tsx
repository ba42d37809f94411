/** Why a run stopped by itself: what, on which images, and what to do. */
import { Code } from '@mantine/core';
import { IconAlertOctagon } from '@tabler/icons-react';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { FailedEvent, WarningEvent } from '../store/runHistory.ts';
import classes from './RunView.module.css';

export function FailurePanel({
  failure,
  problem,
}: {
  failure: FailedEvent | null;
  problem: ProblemData | null;
}) {
  const said = failure ?? problem;
  if (!said) return null;
  const terms = Object.entries(failure?.terms ?? {});
  return (
    <section className={classes.failure} data-testid="run-failure" data-kind={said.kind}>
      <h3 className={classes.failureTitle}>
        <IconAlertOctagon size={18} /> {titleOf(failure, said.kind)}
      </h3>
      <p className={classes.alertText}>
        {said.message} {said.remedy}
      </p>
      {terms.length > 0 && (
        <table className={classes.terms}>
          <tbody>
            {terms.map(([name, value]) => (
              <tr key={name} data-bad={!Number.isFinite(Number(value)) || undefined}>
                <th>{name}</th>
                <td>{termText(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {failure?.images && failure.images.length > 0 && (
        <p className={classes.alertText}>
          Images of that step:{' '}
          {failure.images.map((name) => (
            <Code key={name}>{name}</Code>
          ))}
        </p>
      )}
    </section>
  );
}

/** Six digits of a number; NaN and Infinity as they are. */
function termText(value: string): string {
  const number = Number(value);
  return Number.isFinite(number) ? String(Number(number.toPrecision(6))) : value;
}

function titleOf(failure: FailedEvent | null, kind: string): string {
  if (failure) return `Stopped at step ${failure.step}`;
  return kind === 'device-lost' ? 'The run waits for you' : 'The run has stopped';
}

export function Warnings({ warnings }: { warnings: readonly WarningEvent[] }) {
  if (warnings.length === 0) return null;
  return (
    <details className={classes.warnings} data-testid="run-warnings">
      <summary>
        {warnings.length === 1 ? warnings[0]!.message : `${warnings.length} things to know about this run`}
      </summary>
      <ul>
        {warnings.map((warning, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: warnings are only ever added at the end
          <li key={index}>
            Step {warning.step}: {warning.message} {warning.remedy}
            {warning.images.length > 0 &&
              ` (${warning.images.slice(0, 5).join(', ')}${warning.images.length > 5 ? ', …' : ''})`}
          </li>
        ))}
      </ul>
    </details>
  );
}
