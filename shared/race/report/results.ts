/** Who found the most. */
import { precisionChart } from '../raceCharts.ts';
import type { RaceLog } from '../raceLog.ts';
import type { RaceRow } from '../raceTable.ts';
import { type Html, html, nothing } from './html.ts';
import { competitor, figure, more, number, percent, section, shortLabelsOf, table } from './parts.ts';

/** Differences of AP50 that a single run on a small set cannot tell from chance. */
const closeCall = 0.02;
/** Classes that stand in the open; more of them are folded away. */
const fewClasses = 20;

/** The race in sentences. */
export function leadSection(rows: readonly RaceRow[]): Html {
  const sentences = [winnerSentence(rows), shareSentence(rows), ...rows.flatMap(failureSentence)];
  return html`<section class="lead">${sentences.filter(Boolean).map((each) => html`<p>${each}</p>`)}</section>`;
}

function winnerSentence(rows: readonly RaceRow[]): string {
  const ranked = rows
    .filter((row) => row.evaluation?.AP50 != null)
    .sort((a, b) => b.evaluation!.AP50! - a.evaluation!.AP50!);
  const [best, second] = ranked;
  if (!best) return 'No competitor has been measured on validation images yet.';
  if (!best.evaluation!.AP50)
    return 'Nobody has found anything on the validation images yet: train for more steps.';
  const ap = (row: RaceRow) => percent(row.evaluation!.AP50);
  const found = `On the validation images ${best.label} did best, with an AP50 of ${ap(best)}`;
  if (!second) return `${found}.`;
  const lead = best.evaluation!.AP50! - second.evaluation!.AP50!;
  const close = lead < closeCall ? ': too close for one race to decide' : '';
  return `${found}; ${second.label} follows with ${ap(second)}${close}.`;
}

function shareSentence(rows: readonly RaceRow[]): string {
  const known = rows.filter((row) => row.last?.backgroundShare != null);
  const most = highest(known);
  const least = highest(known, -1);
  if (!most || !least || most === least) return '';
  const share = (row: RaceRow) => percent(row.last!.backgroundShare);
  return `At the end the background, where nothing is to be found, made up ${share(most)} of the loss with ${most.label} and ${share(least)} with ${least.label}.`;
}

function highest(rows: readonly RaceRow[], sign = 1): RaceRow | undefined {
  return [...rows].sort((a, b) => sign * (b.last!.backgroundShare! - a.last!.backgroundShare!))[0];
}

function failureSentence({ label, status, problem, step, steps }: RaceRow): string[] {
  if (status === 'failed') return [`${label} ended after step ${step}: ${problem}`];
  if (status === 'done') return [];
  return [`${label} has done ${step} of ${steps} steps: its figures are not final.`];
}

export function resultsSection(rows: readonly RaceRow[], logs: readonly RaceLog[]): Html {
  const best = Math.max(...rows.map(({ evaluation }) => evaluation?.AP50 ?? 0));
  const images = rows.find(({ evaluation }) => evaluation)?.evaluation?.images;
  const curves = logs.some(({ course }) => course.evaluations.length > 1);
  return section(
    'Who finds the objects?',
    html`<p class="muted">All were measured on the same ${images ?? 0} validation images, which none of them trained on. AP50 counts a box as found when it overlaps the true one by half; 100% means that all are found without a false alarm. AP asks for tighter and tighter boxes.</p>`,
    table(
      ['Strategy', 'AP50', 'AP', 'steps', 'time of a step', 'learning rate', ''],
      rows.map((row, index) => [
        competitor(row.label, index),
        best > 0 && row.evaluation?.AP50 === best
          ? html`<span class="best">${percent(best)}</span>`
          : percent(row.evaluation?.AP50),
        percent(row.evaluation?.AP),
        `${row.step} of ${row.steps}`,
        row.medianStepMs === null ? '–' : `${Math.round(row.medianStepMs)} ms`,
        html`${row.learningRate} <span class="tag">${row.trials.length > 0 ? 'tuned' : 'given'}</span>`,
        html`<span class="tag ${row.status}">${statusWords[row.status]}</span>`,
      ]),
    ),
    figure(
      curves ? precisionChart(logs) : null,
      'AP50 on the validation images as training went on; the same images and the same steps for all.',
    ),
    classTable(rows, logs),
  );
}

const statusWords: Record<RaceRow['status'], string> = {
  waiting: 'not begun',
  running: 'under way',
  stopped: 'stopped',
  failed: 'failed',
  done: 'finished',
};

function classTable(rows: readonly RaceRow[], logs: readonly RaceLog[]): Html {
  const classes = logs.find(({ course }) => course.start)?.course.start?.classes ?? [];
  const labels = shortLabelsOf(rows);
  const boxes = rows.find(({ evaluation }) => evaluation)?.evaluation?.boxes;
  if (!boxes) return nothing;
  const body = table(
    ['Class', 'boxes', ...labels],
    classes.map((name) => [
      name,
      number(boxes[name]),
      ...rows.map(({ evaluation }) => percent(evaluation?.perClass50?.[name])),
    ]),
  );
  const title = 'AP50 of each class';
  return classes.length > fewClasses ? more(title, body) : html`<h3>${title}</h3>${body}`;
}
