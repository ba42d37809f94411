/** The chart's figures in numbers, and the formula's beside the measured one. */
import classes from './FirstStepView.module.css';
import { deviationText, type FirstStepRow, figureText, shareText } from './firstStepWords.ts';

export function FirstStepTable({ rows }: { rows: readonly FirstStepRow[] }) {
  return (
    <table className={classes.table} data-testid="first-step-table">
      <thead>
        <tr>
          <th />
          <th>Your objects</th>
          <th>Background</th>
          <th>By the formula</th>
          <th>Background’s share of the loss</th>
          <th>… of the gradient</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, figures, analytic, lossShare, gradientShare }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td className={classes.foreground}>{figureText(figures.foreground)}</td>
            <td className={classes.background} data-testid="first-step-background">
              {figureText(figures.background)}
            </td>
            <td>
              {analytic === null ? (
                '–'
              ) : (
                <span title="The background’s formula, and how far the measured loss is from it">
                  {figureText(analytic)}{' '}
                  <span className={classes.dim}>{deviationText(figures.background, analytic)}</span>
                </span>
              )}
            </td>
            <Share share={lossShare} />
            <Share share={gradientShare} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Share({ share }: { share: number }) {
  return (
    <td>
      <span className={classes.share}>
        <span className={classes.shareBar} aria-hidden="true">
          <span style={{ width: `${100 * share}%` }} />
        </span>
        {shareText(share)}
      </span>
    </td>
  );
}
