/** Drawings side by side on one sheet, each with its title above and its notes below it. */
import { fontFamily } from '../../../shared/charts/renderSvg.ts';
import { wrapText } from '../../../shared/charts/words.ts';
import { fileText, node, placed } from './standAlone.ts';

export interface SheetDrawing {
  readonly element: SVGSVGElement;
  readonly title?: string;
  readonly notes?: readonly string[];
}

export interface Sheet {
  readonly title: string;
  readonly drawings: readonly SheetDrawing[];
  readonly caption?: string;
}

const padPx = 16;
const cellPx = 240;
const maxColumns = 4;
/** The title wants room, however few the drawings are. */
const minWidthPx = 520;
const noteSizePx = 12;

/** The sheet as an SVG file's text, in the colours that the drawings have on the page. */
export function sheetText({ title, drawings, caption = '' }: Sheet): string {
  const columns = Math.max(1, Math.min(maxColumns, drawings.length));
  const width = Math.max(minWidthPx, columns * (cellPx + padPx) + padPx);
  const elements = drawings.map(({ element }) => element);
  const ink = getComputedStyle(elements[0] ?? document.body).color;
  const head = words(title, padPx, padPx, width - 2 * padPx, 16, ink, true);
  const parts = [...head.parts];
  let top = padPx + head.heightPx + padPx;
  for (let first = 0; first < drawings.length; first += columns) {
    const row = drawings.slice(first, first + columns);
    const cells = row.map((drawing, column) => cell(drawing, padPx + column * (cellPx + padPx), top, ink));
    parts.push(...cells.flatMap((each) => each.parts));
    top += Math.max(...cells.map((each) => each.heightPx)) + padPx;
  }
  const foot = words(caption, padPx, top, width - 2 * padPx, noteSizePx, ink);
  parts.push(...foot.parts);
  return fileText(title, width, top + foot.heightPx + (caption ? padPx : 0), elements, parts);
}

interface Block {
  readonly parts: readonly Element[];
  readonly heightPx: number;
}

function cell({ element, title = '', notes = [] }: SheetDrawing, x: number, top: number, ink: string): Block {
  const { width, height } = element.getBoundingClientRect();
  const name = words(title, x, top, cellPx, 13, ink, true);
  const place = {
    x,
    y: top + name.heightPx + 4,
    width: cellPx,
    height: width > 0 ? (cellPx * height) / width : 0,
  };
  const parts = [...name.parts, placed(element, place)];
  let bottom = place.y + place.height + 4;
  for (const note of notes) {
    const lines = words(note, x, bottom, cellPx, noteSizePx, ink);
    parts.push(...lines.parts);
    bottom += lines.heightPx;
  }
  return { parts, heightPx: bottom - top };
}

function words(
  text: string,
  x: number,
  top: number,
  widthPx: number,
  sizePx: number,
  ink: string,
  bold = false,
): Block {
  const linePx = Math.round(sizePx * 1.35);
  const lines = wrapText(text, sizePx, widthPx, bold);
  const parts = lines.map((line, row) => {
    const made = node('text', {
      x,
      y: top + sizePx + row * linePx,
      fill: ink,
      'font-size': sizePx,
      'font-family': fontFamily,
      'font-weight': bold ? 600 : 400,
    });
    made.textContent = line;
    return made;
  });
  return { parts, heightPx: lines.length * linePx };
}
