/** A chart as an SVG file that needs nothing else: no style sheet, no script, no font of its own. */
import type { Chart } from './chart.ts';
import { describeChart } from './describe.ts';
import type { Theme } from './inks.ts';
import { layoutChart } from './layout.ts';
import type { Shape } from './shapes.ts';

export const fontFamily =
  "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";

export interface SvgOptions {
  readonly widthPx: number;
  /** Absent: what the width asks for; never less than the chart's words need. */
  readonly heightPx?: number;
  readonly theme: Theme;
  /** False: question and caption stand around the drawing in its page, which gives it its ground. */
  readonly alone?: boolean;
}

/** With question, legend and caption in the drawing; may stand in a page beside others, for it names nothing. */
export function renderSvg(chart: Chart, options: SvgOptions): string {
  const layout = layoutChart(chart, { alone: true, ...options });
  const size = `width="${layout.widthPx}" height="${layout.heightPx}" viewBox="0 0 ${layout.widthPx} ${layout.heightPx}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" font-family="${fontFamily}">`,
    `<title>${escapeXml(chart.question)}</title>`,
    `<desc>${escapeXml(describeChart(chart))}</desc>`,
    ...layout.shapes.map(shapeText),
    '</svg>\n',
  ].join('\n');
}

function shapeText(shape: Shape): string {
  const attributes = Object.entries(shape.attributes)
    .map(([name, value]) => ` ${svgName(name)}="${escapeXml(String(value))}"`)
    .join('');
  const inside =
    shape.text === undefined ? (shape.children ?? []).map(shapeText).join('') : escapeXml(shape.text);
  return inside === ''
    ? `<${shape.tag}${attributes}/>`
    : `<${shape.tag}${attributes}>${inside}</${shape.tag}>`;
}

/** `strokeWidth` is `stroke-width`; SVG itself has capitals in `viewBox` alone, of what is drawn here. */
function svgName(name: string): string {
  return name === 'viewBox' ? name : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** For text and for attributes in double quotes. What XML forbids altogether (control characters, lone surrogates) goes. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
