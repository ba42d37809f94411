/** A drawing taken off the page with everything that the page's style sheets gave it. */
import { fontFamily } from '../../../shared/charts/renderSvg.ts';
import { fitText } from '../../../shared/charts/words.ts';

/** What decides how SVG's elements look, under the names of their own attributes. */
const looks = [
  'fill',
  'fill-opacity',
  'fill-rule',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'visibility',
  'display',
];
/** Places that a style sheet may set, in pixels. */
const places = ['x', 'y', 'width', 'height', 'cx', 'cy', 'r', 'rx', 'ry'];

/** One of a sheet's drawings, with the words that stand around it. */
export interface SheetDrawing {
  readonly element: SVGSVGElement;
  readonly title?: string;
  readonly notes?: readonly string[];
}

/** A drawing alone is a sheet of one, as large as on the screen. */
export interface Sheet {
  readonly title: string;
  readonly drawings: readonly SheetDrawing[];
  readonly caption?: string;
}

const padPx = 16;
const cellPx = 240;
const maxColumns = 4;
const linePx = 16;

/** The drawing as a file's text, on the ground that it stands on. `title` is told, not drawn. */
export function standAlone(element: SVGSVGElement, title: string): string {
  const { width, height } = element.getBoundingClientRect();
  const drawing = placed(element, { x: 0, y: 0, width, height });
  return fileText(title, width, height, [element], [drawing]);
}

/** Drawings side by side, each with its title above and its notes below it. */
export function sheetText({ title, drawings, caption }: Sheet): string {
  const columns = Math.max(1, Math.min(maxColumns, drawings.length));
  const width = columns * cellPx + (columns + 1) * padPx;
  const style = getComputedStyle(drawings[0]?.element ?? document.body);
  const word = (text: string, x: number, y: number, size: number, bold = false) => {
    const fitted = fitText(text, size, x > padPx ? cellPx : width - 2 * padPx);
    const made = node('text', { x, y, fill: style.color, 'font-size': size, 'font-family': fontFamily });
    if (bold) made.setAttribute('font-weight', '600');
    made.textContent = fitted;
    return made;
  };
  const parts: Element[] = [word(title, padPx, padPx + 16, 16, true)];
  let top = padPx + 32;
  for (let first = 0; first < drawings.length; first += columns) {
    let rowHeight = 0;
    for (const [column, { element, title: name = '', notes = [] }] of drawings
      .slice(first, first + columns)
      .entries()) {
      const x = padPx + column * (cellPx + padPx);
      const box = element.getBoundingClientRect();
      const height = box.width > 0 ? (cellPx * box.height) / box.width : 0;
      parts.push(
        word(name, x, top + 13, 13, true),
        placed(element, { x, y: top + 22, width: cellPx, height }),
      );
      for (const [line, note] of notes.entries()) {
        parts.push(word(note, x, top + 22 + height + (line + 1) * linePx, 12));
      }
      rowHeight = Math.max(rowHeight, 22 + height + notes.length * linePx + 2 * padPx);
    }
    top += rowHeight;
  }
  if (caption) parts.push(word(caption, padPx, top + 4, 12));
  const elements = drawings.map(({ element }) => element);
  return fileText(title, width, top + (caption ? padPx + 4 : 0), elements, parts);
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A copy that lies at a place of another drawing. */
function placed(element: SVGSVGElement, place: Place): Element {
  const copy = styledCopy(element);
  for (const name of ['rx', 'ry', 'transform']) copy.removeAttribute(name);
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, String(value));
  const own = element.getBoundingClientRect();
  if (!element.hasAttribute('viewBox')) copy.setAttribute('viewBox', `0 0 ${own.width} ${own.height}`);
  return copy;
}

function fileText(
  title: string,
  width: number,
  height: number,
  elements: readonly SVGSVGElement[],
  parts: readonly Element[],
): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const file = node('svg', { xmlns: svgSpace, width: w, height: h, viewBox: `0 0 ${w} ${h}` });
  const name = node('title', {});
  name.textContent = title;
  const ground = node('rect', { width: w, height: h, fill: groundOf(elements[0] ?? document.body) });
  file.append(name, ...borrowed(elements), ground, ...parts);
  return `${new XMLSerializer().serializeToString(file)}\n`;
}

const svgSpace = 'http://www.w3.org/2000/svg';

function node(tag: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** Patterns and the like that other drawings of the page define for these. */
function borrowed(elements: readonly SVGSVGElement[]): Element[] {
  const ids = elements
    .flatMap((element) => [...element.querySelectorAll('*')])
    .flatMap((each) =>
      ['fill', 'stroke', 'clip-path', 'mask'].flatMap(
        (name) => /^url\(["']?#([^"')]+)["']?\)$/.exec(each.getAttribute(name) ?? '')?.[1] ?? [],
      ),
    );
  const found = [...new Set(ids)].flatMap((id) => document.getElementById(id) ?? []);
  const foreign = found.filter((each) => !elements.some((element) => element.contains(each)));
  if (foreign.length === 0) return [];
  const definitions = node('defs', {});
  definitions.append(...foreign.map(styledCopy));
  return [definitions];
}

/** A copy whose attributes say what styles said. */
function styledCopy(element: Element): Element {
  const copy = element.cloneNode(false) as Element;
  const style = getComputedStyle(element);
  for (const name of looks) {
    const value = style.getPropertyValue(name);
    // A reference stays as it was written: computed, it names the page.
    if (value && !value.startsWith('url(')) copy.setAttribute(name, value);
  }
  for (const name of places) {
    const value = /^(-?[\d.]+(?:e-?\d+)?)px$/.exec(style.getPropertyValue(name))?.[1];
    if (value && hasPlace(element, name)) copy.setAttribute(name, value);
  }
  const { transform } = style;
  if (transform && transform !== 'none' && element.tagName !== 'pattern')
    copy.setAttribute('transform', transform);
  copy.removeAttribute('style');
  copy.removeAttribute('class');
  for (const child of element.childNodes) {
    copy.append(child instanceof Element ? styledCopy(child) : child.cloneNode(true));
  }
  return copy;
}

const placedTags: Record<string, readonly string[]> = {
  rect: ['x', 'y', 'width', 'height', 'rx', 'ry'],
  circle: ['cx', 'cy', 'r'],
  ellipse: ['cx', 'cy', 'rx', 'ry'],
};

function hasPlace(element: Element, name: string): boolean {
  return placedTags[element.tagName]?.includes(name) ?? false;
}

/** The first ground behind it that can be seen. */
function groundOf(element: Element): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (backgroundColor !== 'transparent' && !/, ?0\)$/.test(backgroundColor)) return backgroundColor;
  }
  return '#ffffff';
}
