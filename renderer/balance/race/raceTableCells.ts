/** A race's table as rows of cells, the first its heads and every number unrounded: what is exported. */
import type { Cell } from '../../../shared/charts/csv.ts';
import type { Shares } from '../../../shared/race/raceLog.ts';
import { type Measure, measureNames, type RaceRow } from '../../../shared/race/raceTable.ts';

export function raceTableCells(rows: readonly RaceRow[], classNames: readonly string[]): Cell[][] {
  const measures = Object.keys(measureNames) as Measure[];
  const heads = [
    ...['strategy', 'status', 'step', 'steps', 'AP', 'AP50', ...classNames.map((name) => `AP50 of ${name}`)],
    ...shareHeads('own loss'),
    ...measures.flatMap((measure) => shareHeads(measureNames[measure])),
    ...['ms a step', 'learning rate', 'tuned'],
  ];
  const cells = rows.map((row): Cell[] => [
    ...[row.label, row.status, row.step, row.steps],
    ...[row.evaluation?.AP ?? undefined, row.evaluation?.AP50 ?? undefined],
    ...classNames.map((name) => row.evaluation?.perClass50?.[name] ?? undefined),
    ...shareCells(row.last),
    ...measures.flatMap((measure) => shareCells(row.under[measure])),
    ...[row.medianStepMs ?? undefined, row.learningRate, row.trials.length > 0 ? 'yes' : 'no'],
  ]);
  return [heads, ...cells];
}

function shareHeads(measure: string): string[] {
  return ['foreground', 'background', "background's share", "background's share of the gradient"].map(
    (what) => `${what}, ${measure}`,
  );
}

function shareCells(shares: Shares | null): Cell[] {
  return [
    shares?.foreground,
    shares?.background,
    shares?.backgroundShare ?? undefined,
    shares?.gradientShare ?? undefined,
  ];
}
