/** Pages as text in which nothing that came from outside can be markup. */
import { escapeXml } from '../../charts/renderSvg.ts';

/** Markup: what `html` made, or what was known to be. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | readonly Html[];

/** Values between the markup are escaped, for text and for attributes in double quotes, unless they are `Html` themselves. */
export function html(markup: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = markup.map((text, index) => text + (index < values.length ? written(values[index]!) : ''));
  return new Html(parts.join(''));
}

function written(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escapeXml(String(value));
  return value.map(({ text }) => text).join('');
}

export const nothing = new Html('');
