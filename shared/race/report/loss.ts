/** Whose loss it was. */
import { concentrationWords } from '../../charts/figures/concentration.ts';
import { backgroundChart, concentrationOverlay } from '../raceCharts.ts';
import type { RaceLog, Shares } from '../raceLog.ts';
import { type RaceRow, windowSteps } from '../raceTable.ts';
import { type Html, html, nothing } from './html.ts';
import { competitor, figure, formula, more, number, percent, section, table } from './parts.ts';

/** A part of a beam that is narrower has no room for its number. */
const legible = 0.12;

const ownCaption =
  'Each competitor under the loss it trained with; what a strategy leaves out does not count. Each point is the mean of a few steps.';
const sameCaption =
  'The other picture puts all under the same measure: what their answers on all anchors would cost under plain cross-entropy.';

export function lossSection(rows: readonly RaceRow[], logs: readonly RaceLog[]): Html {
  const background = backgroundChart(logs);
  return section(
    'Where does the loss go?',
    html`<p class="muted">The loss is what the network learns from. Orange is the part that comes from your objects, blue the part that comes from places where there is nothing: thousands of them in every image, nearly all easy. The more of the bar is blue, the more of the learning is about saying “nothing here”.</p>`,
    html`<p class="sides"><span class="dot" style="background:#c24f00"></span>your objects <span class="dot" style="background:#0072b2;margin-left:14px"></span>background · means over ${windowSteps} steps, or half of the run where that is less</p>`,
    html`<div class="beams"><span class="who head"></span><span class="head">first steps</span><span class="head">last steps</span>${rows.map(
      (row, index) =>
        html`<span class="who">${competitor(row.label, index)}</span>${beam(row.first)}${beam(row.last)}
`,
    )}</div>`,
    figure(background, [ownCaption, ...(background.panels.length > 1 ? [sameCaption] : [])].join(' ')),
    measureTable(rows),
  );
}

function beam(shares: Shares | null): Html {
  const background = shares?.backgroundShare ?? null;
  if (background === null) return html`<span class="beam none">no loss yet</span>`;
  const foreground = 1 - background;
  const words = (share: number) => (share < legible ? nothing : html`<b>${percent(share)}</b>`);
  const label = `background ${percent(background)}, objects ${percent(foreground)}`;
  const width = (100 * foreground).toFixed(2);
  const objects =
    foreground < 0.005 ? nothing : html`<i class="fg" style="width:${width}%">${words(foreground)}</i>`;
  return html`<span class="beam" role="img" aria-label="${label}" title="${label}">${objects}<i class="bg">${words(background)}</i></span>`;
}

/** Own units beside each other are no comparison: that is said, and a measure for all given. */
function measureTable(rows: readonly RaceRow[]): Html {
  const cells = ({ under }: RaceRow, measure: 'ce' | 'focal') => [
    percent(under[measure]?.backgroundShare),
    percent(under[measure]?.gradientShare),
  ];
  return html`<h3>The same in numbers, last steps</h3>${table(
    [
      ...['Strategy', 'objects, own units', 'background, own units', 'background’s part of its loss'],
      ...['of its gradient', 'of the loss as cross-entropy', 'of that gradient'],
      ...['of the loss as focal loss', 'of that gradient'],
    ],
    rows.map((row, index) => [
      competitor(row.label, index),
      number(row.last?.foreground),
      number(row.last?.background),
      percent(row.last?.backgroundShare),
      percent(row.last?.gradientShare),
      ...cells(row, 'ce'),
      ...cells(row, 'focal'),
    ]),
  )}<p class="note">Losses in own units cannot be compared with each other: every strategy multiplies and divides by something else. Their parts can. “As cross-entropy” and “as focal loss” (γ 2, α 0.25) are what each network's answers on all anchors would cost under that loss. The gradient is what moves the network's weights.</p>`;
}

export function concentrationSection(logs: readonly RaceLog[]): Html {
  const charts = [0, 2].map((gamma) => concentrationOverlay(logs, gamma));
  if (charts.every((chart) => chart === null)) return nothing;
  const caption =
    "Figure 4 of the focal loss paper for each competitor's last steps. The weights changed between these steps, and every strategy chose them for a loss of its own.";
  return section(
    charts[0]!.question,
    html`<p class="muted">${concentrationWords.explanation.slice(0, 2).join(' ')}</p>`,
    html`<h3>Under cross-entropy (γ 0)</h3>`,
    figure(charts[0]!, caption),
    html`<h3>Under focal loss (γ 2)</h3>`,
    figure(charts[1]!, 'The same answers with γ 2: what is easy costs next to nothing.'),
    more('Formula', formula(concentrationWords.formula)),
  );
}
