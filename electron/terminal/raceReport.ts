/** What a person or a script at a terminal sees of a race. */
import type { RaceRecord } from '../../shared/contract/schemas.ts';
import { type FirstStepRow, firstStepRows } from '../../shared/race/firstStepFigures.ts';
import type { RaceTrial } from '../../shared/race/race.ts';
import { measureNames, type RaceRow } from '../../shared/race/raceTable.ts';
import { percent } from './trainReport.ts';

/** The contract's last line of `race --json`. Losses are means of the last steps under each one's own loss; `under`: under the same for all. */
export function raceLine(race: RaceRecord, rows: readonly RaceRow[], report: string) {
  return {
    event: 'race',
    raceId: race.id,
    order: race.order,
    strategies: rows.map((row, index) => ({
      name: row.name,
      label: row.label,
      runId: race.entries[index]!.runId,
      status: row.status,
      problem: row.problem,
      step: row.step,
      AP: row.evaluation?.AP ?? null,
      AP50: row.evaluation?.AP50 ?? null,
      perClass: row.evaluation?.perClass ?? null,
      perClass50: row.evaluation?.perClass50 ?? null,
      foreground: row.last?.foreground ?? null,
      background: row.last?.background ?? null,
      backgroundShare: row.last?.backgroundShare ?? null,
      backgroundGradientShare: row.last?.gradientShare ?? null,
      first: row.first,
      under: row.under,
      stepMs: row.medianStepMs,
      passes: row.looksFirst ? 2 : 1,
      learningRate: row.learningRate,
      tuned: row.trials.length > 0,
      trials: row.trials,
      prior: row.prior,
    })),
    firstStep: race.firstStep && firstStepRows(race.firstStep),
    report,
  };
}

const heads = [
  ...['strategy', 'AP', 'AP50', 'background, first steps', 'last steps', 'as cross-entropy'],
  ...['step', 'learning rate', 'status'],
];

/** A table in characters: who did how well, and how much of the loss was background's. */
export function describeTable(rows: readonly RaceRow[]): string[] {
  const cells = rows.map((row) => [
    row.name,
    percent(row.evaluation?.AP ?? null),
    percent(row.evaluation?.AP50 ?? null),
    percent(row.first?.backgroundShare ?? null),
    percent(row.last?.backgroundShare ?? null),
    percent(row.under.ce?.backgroundShare ?? null),
    row.medianStepMs === null ? '–' : `${Math.round(row.medianStepMs)} ms`,
    `${row.learningRate}${row.trials.length > 0 ? ' (tuned)' : ''}`,
    row.problem ? `${row.status}: ${row.problem}` : row.status,
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const notTuned = rows.every(({ trials }) => trials.length === 0);
  return [
    line(heads),
    ...cells.map(line),
    ...(notTuned ? ['The learning rate was given, not tuned (--tune-lr STEPS).'] : []),
  ];
}

export function describeTrial({ learningRate, steps, AP50, loss }: RaceTrial): string {
  const found = loss === null ? 'not finite' : `loss ${loss.toPrecision(3)}, AP50 ${percent(AP50)}`;
  return `learning rate ${learningRate} for ${steps} steps: ${found}`;
}

/** "first step, cross-entropy at π 0.5: background loss 1.0211e+5 an image, 1.0210e+5 by arithmetic" */
export function describeFirstStep(rows: readonly FirstStepRow[]): string[] {
  return rows.map(
    ({ measure, prior, background, analytic }) =>
      `first step, ${measureNames[measure]} at π ${prior}: background loss ${background.toPrecision(5)} an image, ${analytic.toPrecision(5)} by arithmetic`,
  );
}
