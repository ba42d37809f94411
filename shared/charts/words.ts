/** Numbers as words, and how wide words are where nobody can measure them. */
import type { Axis } from './chart.ts';

/** Made once: it takes longer to make than to use. */
const groups = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A value as it is read out: four digits where they say something. */
export function valueText(value: number, format: Axis['format']): string {
  if (!Number.isFinite(100 * value)) return '–';
  if (format === 'integer') return grouped(Math.round(value));
  if (format === 'percent') return percentText(value * 100);
  return plain(value, 4);
}

/** A tick's number, with the decimals that its step needs. */
export function tickText(value: number, step: number, format: Axis['format']): string {
  const scaled = format === 'percent' ? 100 : 1;
  const [shown, shownStep] = [value * scaled, step * scaled];
  const unit = format === 'percent' ? '%' : '';
  if (shown !== 0 && (shownStep < 1e-4 || Math.abs(shown) >= 1e6)) return `${scientific(shown, 2)}${unit}`;
  const decimals = Math.max(0, -Math.floor(Math.log10(shownStep) + 1e-9));
  return `${grouped(Number(shown.toFixed(Math.min(6, decimals))))}${unit}`;
}

/** Less than a thousandth of a percent is almost nothing, however little. */
function percentText(percent: number): string {
  if (percent !== 0 && Math.abs(percent) < 0.001) return percent > 0 ? '<0.001%' : '>−0.001%';
  return `${plain(percent, 3)}%`;
}

function plain(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return scientific(value, digits - 1);
  return grouped(Number(value.toPrecision(Math.max(digits, size < 1 ? digits : wholeDigits(size)))));
}

function wholeDigits(size: number): number {
  return Math.floor(Math.log10(size)) + 1;
}

function grouped(value: number): string {
  const text = groups.format(value);
  return text === '-0' ? '0' : text.replace('-', '−');
}

/** `2×10⁻⁵`, and `10⁶` for powers of ten themselves. */
export function scientific(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 1)).split('e') as [string, string];
  const power = `10${[...exponent].map((sign) => (sign === '-' ? '⁻' : (superscripts[Number(sign)] ?? ''))).join('')}`;
  const factor = String(Number(mantissa)).replace('-', '−');
  return factor === '1' ? power : `${factor}×${power}`;
}

const narrow = /[iIl|.,:;'!()[\]{}/\\ tfjr-]/;
const wide = /[mwMW@%…—]/;

/** Width in the app's fonts, a little generous. */
export function textWidthPx(text: string, sizePx: number, bold = false): number {
  let em = 0;
  for (const letter of text) {
    if (letter > '\u2e80') em += 1;
    else if (narrow.test(letter)) em += 0.33;
    else if (wide.test(letter)) em += 0.89;
    else em += letter >= 'A' && letter <= 'Z' ? 0.68 : 0.575;
  }
  return em * sizePx * (bold ? 1.06 : 1);
}

/** The text, or as much of it as there is room for. */
export function fitText(text: string, sizePx: number, widthPx: number): string {
  if (textWidthPx(text, sizePx) <= widthPx) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidthPx(`${letters.join('')}…`, sizePx) > widthPx) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** Lines no wider than that, broken at spaces and after hyphens; a word that is wider alone is cut. */
export function wrapText(text: string, sizePx: number, widthPx: number, bold = false): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/[ \t\r\n]*(?:[^ \t\r\n-]+-?|-)/g) ?? []) {
    if (line !== '' && textWidthPx(line + word, sizePx, bold) > widthPx) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word.trimStart() : line + word;
  }
  if (line !== '') lines.push(line);
  return lines.map((each) => fitText(each, sizePx, Math.max(widthPx, sizePx)));
}
