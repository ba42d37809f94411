/** What the report's sections are made of. */
import type { Chart } from '../../charts/chart.ts';
import { dashOf, seriesInk } from '../../charts/inks.ts';
import { renderSvg } from '../../charts/renderSvg.ts';
import { valueText } from '../../charts/words.ts';
import { strategies } from '../../loss/strategies.ts';
import type { RaceRow } from '../raceTable.ts';
import { Html, html, nothing } from './html.ts';

const widePx = 960;
const smallPx = 460;

export function section(question: string, ...parts: readonly Html[]): Html {
  return html`<section>
<h2>${question}</h2>
${parts}
</section>`;
}

/** For both themes and both widths; the style shows one of them. */
export function figure(chart: Chart | null, caption: string): Html {
  if (!chart) return nothing;
  const drawings = (['light', 'dark'] as const).flatMap((theme) =>
    (
      [
        ['wide', widePx],
        ['narrow', smallPx],
      ] as const
    ).map(([size, widthPx]) => {
      const svg = new Html(renderSvg(chart, { widthPx, theme, alone: false }));
      return html`<div class="${theme}"><div class="${size}">${svg}</div></div>`;
    }),
  );
  return html`<figure><div class="drawing">${drawings}</div><figcaption>${caption}</figcaption></figure>`;
}

/** The competitor's name with its line as the charts draw it. */
export function competitor(label: string, index: number): Html {
  const dash = dashOf({ ink: seriesInk(index) }) ?? 'none';
  return html`<span class="name"><svg class="key" viewBox="0 0 24 8" aria-hidden="true"><path d="M1 4H23" fill="none" stroke="var(--s${index % 6})" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>${unbroken(label)}</span>`;
}

/** A letter and its value stay on one line. */
function unbroken(label: string): string {
  return label.replace(/(^|\s)([αβγπ]|no|NMS|rate) (?=\S)/g, '$1$2\u00a0');
}

export function table(heads: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  return html`<div class="scroll"><table>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody>
</table></div>`;
}

export function more(title: string, ...parts: readonly Html[]): Html {
  return html`<details><summary>${title}</summary>${parts}</details>`;
}

/** `p_t` is p with an index, `x^{γ}` and `x^γ` x with an exponent. */
export function formula(text: string): Html {
  const parts = text.split(/([_^](?:\{[^}]*\}|[\p{L}\p{N}]+))/u).map((part, index) => {
    const inner = part.slice(1).replace(/^\{|\}$/g, '');
    if (index % 2 === 0) return html`${part}`;
    return part.startsWith('_') ? html`<sub>${inner}</sub>` : html`<sup>${inner}</sup>`;
  });
  return html`<div class="formula">${parts}</div>`;
}

/** What a strategy is called, where that tells one from the other; else with its settings. */
export function shortLabelsOf(rows: readonly RaceRow[]): string[] {
  return rows.map((row) => {
    const isAlone = rows.filter(({ strategy }) => strategy === row.strategy).length === 1;
    return isAlone ? strategies[row.strategy].label : row.label;
  });
}

export function percent(value: number | null | undefined): string {
  return value == null ? '–' : valueText(value, 'percent');
}

export function number(value: number | null | undefined): string {
  return value == null ? '–' : valueText(value, 'number');
}
