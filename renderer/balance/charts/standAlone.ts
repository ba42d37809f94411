/** A drawing taken off the page with everything that the page's style sheets gave it. */

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

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A copy that lies at a place of another drawing. */
export function placed(element: SVGSVGElement, place: Place): Element {
  const copy = styledCopy(element);
  for (const name of ['rx', 'ry', 'transform']) copy.removeAttribute(name);
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, String(value));
  const own = element.getBoundingClientRect();
  if (!element.hasAttribute('viewBox')) copy.setAttribute('viewBox', `0 0 ${own.width} ${own.height}`);
  return copy;
}

/** Parts of a file, on the ground that the elements stand on, with the patterns that they borrow. */
export function fileText(
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

export function node(tag: string, attributes: Record<string, string | number>): SVGElement {
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
