/** What the very first step would have cost. */
import { firstStepWords } from '../../charts/figures/firstStep.ts';
import type { FirstStep } from '../../training/firstStep.ts';
import type { FirstStepRow } from '../firstStepFigures.ts';
import { firstStepPicture } from '../raceCharts.ts';
import { measureNames } from '../raceTable.ts';
import { type Html, html, nothing } from './html.ts';
import { figure, formula, more, number, percent, section, table } from './parts.ts';

export function firstStepSection(firstStep: FirstStep | null, rows: readonly FirstStepRow[]): Html {
  if (!firstStep || rows.length === 0) return nothing;
  const { images, widthPx, heightPx, anchors, positives, classes } = firstStep;
  const looked = `Measured on the first ${images} images of the race's order, ${widthPx} × ${heightPx} px: ${number(Math.round(anchors))} anchors an image, ${number(positives)} of them on objects, ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}.`;
  return section(
    'What would the first step learn from?',
    html`<p class="muted">${firstStepWords.explanation.join(' ')}</p>`,
    html`<p>${priorSentence(rows)}</p>`,
    figure(firstStepPicture(rows), `${looked} Sums over an image.`),
    table(
      ['Background loss of an image', 'measured', 'by arithmetic', 'difference', 'objects, measured'],
      rows.map((row) => [
        `${measureNames[row.measure]}, π ${row.prior}`,
        number(row.background),
        number(row.analytic),
        `${(100 * row.deviation).toFixed(2)}%`,
        number(row.foreground),
      ]),
    ),
    more(
      'Formula',
      formula(firstStepWords.formula),
      html`<p class="note">By arithmetic every anchor stands exactly at the prior π; the network's first answers lie close around it.</p>`,
    ),
  );
}

function priorSentence(rows: readonly FirstStepRow[]): string {
  const cost = (measure: FirstStepRow['measure'], prior: number) =>
    rows.find((row) => row.measure === measure && row.prior === prior)!.background;
  const [even, low] = [cost('ce', 0.5), cost('ce', 0.01)];
  return `Under cross-entropy the background of an image costs ${number(even)} when every class begins at an even chance (π 0.5) and ${number(low)} with the prior of 0.01: ${percent(low / even)} of it. Focal loss and the prior together leave ${number(cost('focal', 0.01))}.`;
}
