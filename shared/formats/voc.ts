/** Pascal VOC: one XML an image. Source: the VOC2012 development kit; dialects as in labelImg, datumaro and detectron2. */
import type { BoxPx } from '../domain/box.ts';
import type { FormatBox, FormatImage, Note, SizePx } from './records.ts';
import { counted } from './records.ts';
import { childText, escapeXml, parseXml, type XmlNode } from './xml.ts';

/**
 * `spec`: the first pixel is 1 and corners are pixels of the object, so edges are x1-1, y1-1, x2, y2. `zero-based`: the numbers are
 * edges already, as many converters write them. A file cannot say which it is; only a 0 proves the second.
 */
export type VocDialect = 'spec' | 'zero-based';

/** What our own files give as their source's database. */
const ownDatabase = 'Boxwright';

export interface VocObject {
  readonly className: string;
  /** xmin, ymin, xmax, ymax as written; NaN where one is absent or no number. */
  readonly raw: readonly [number, number, number, number];
  readonly difficult: boolean;
  readonly occluded: boolean;
  readonly truncated: boolean;
}

export interface VocAnnotation {
  /** As written; may be stale. */
  readonly filename: string | null;
  readonly size: SizePx | null;
  readonly objects: readonly VocObject[];
  /** Boxwright wrote it: always in the `spec` dialect. */
  readonly isOurs: boolean;
  /** What Boxwright has no place for. */
  readonly notes: readonly Note[];
}

/** Reads one annotation. Throws a Problem naming the file: DOCTYPE, not well-formed, no `<annotation>`. */
export function readVoc(text: string, file: string): VocAnnotation {
  const root = parseXml(text, file, 'annotation');
  const nodes = root.children.get('object') ?? [];
  const notes: Note[] = [];
  const parts = nodes.reduce((sum, node) => sum + (node.children.get('part')?.length ?? 0), 0);
  if (parts > 0) {
    const detail = `${counted(parts, 'part', 'parts')} of objects left out: Boxwright keeps whole objects.`;
    notes.push({ file, kind: 'not-kept', detail });
  }
  const objects: VocObject[] = [];
  for (const node of nodes) {
    const object = readObject(node);
    if (object.className === '') {
      notes.push({ file, kind: 'bad-box', detail: 'An object without a name is left out.' });
      // Its place is kept as a box that cannot be: the image must not pass for fully labelled.
      objects.push({
        ...object,
        className: 'unnamed',
        raw: [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      });
    } else objects.push(object);
  }
  const source = root.children.get('source')?.[0];
  const isOurs = source !== undefined && childText(source, 'database') === ownDatabase;
  return { filename: childText(root, 'filename') || null, size: readSize(root), objects, isOurs, notes };
}

function readObject(node: XmlNode): VocObject {
  const box = node.children.get('bndbox')?.[0];
  const side = (name: string) => (box ? readNumber(childText(box, name)) : Number.NaN);
  const flag = (name: string) => /^(1|true|yes)$/i.test(childText(node, name) ?? '');
  return {
    className: childText(node, 'name') ?? '',
    raw: [side('xmin'), side('ymin'), side('xmax'), side('ymax')],
    difficult: flag('difficult'),
    occluded: flag('occluded'),
    truncated: flag('truncated'),
  };
}

function readSize(root: XmlNode): SizePx | null {
  const size = root.children.get('size')?.[0];
  if (!size) return null;
  const widthPx = readNumber(childText(size, 'width'));
  const heightPx = readNumber(childText(size, 'height'));
  return widthPx > 0 && heightPx > 0 ? { widthPx, heightPx } : null;
}

function readNumber(text: string | null): number {
  return text === null || text === '' ? Number.NaN : Number(text);
}

/** Whether the annotation holds a coordinate no `spec` file can: 0, or less. */
export function provesZeroBased(annotation: VocAnnotation): boolean {
  return annotation.objects.some(({ raw }) => raw.some((value) => value > -1 && value <= 0));
}

/**
 * The objects as boxes. Corners in the wrong order are put right and named. A difficult object becomes an ignore region too, as VOC's own
 * evaluation treats it.
 */
export function vocBoxes(
  annotation: VocAnnotation,
  dialect: VocDialect,
  file: string,
): { boxes: FormatBox[]; notes: Note[] } {
  const notes: Note[] = [];
  const boxes = annotation.objects.map(({ raw, ...object }): FormatBox => {
    const offset = dialect === 'spec' ? 1 : 0;
    const [xmin, ymin, xmax, ymax] = raw;
    // A box narrower than a pixel has its 1-based minimum above its maximum, and is in order all the same.
    const inOrder = !(xmin - offset > xmax || ymin - offset > ymax);
    if (!inOrder) {
      const detail = `${object.className}: xmin ${xmin}, ymin ${ymin}, xmax ${xmax}, ymax ${ymax} in the wrong order; put right.`;
      notes.push({ file, kind: 'swapped-corners', detail });
    }
    const boxPx: BoxPx = inOrder
      ? [xmin - offset, ymin - offset, xmax, ymax]
      : [
          Math.min(xmin, xmax) - offset,
          Math.min(ymin, ymax) - offset,
          Math.max(xmin, xmax),
          Math.max(ymin, ymax),
        ];
    return { ...object, boxPx, ignore: object.difficult };
  });
  return { boxes, notes };
}

/** One annotation in the `spec` dialect. `filename` is the image's name beside it in JPEGImages. */
export function writeVoc(image: FormatImage, filename: string): string {
  const objects = image.boxes.map((box) => {
    const [x1, y1, x2, y2] = box.boxPx;
    const sides: [string, number][] = [
      ['xmin', x1 + 1],
      ['ymin', y1 + 1],
      ['xmax', x2],
      ['ymax', y2],
    ];
    return [
      '\t<object>',
      `\t\t<name>${escapeXml(box.className)}</name>`,
      '\t\t<pose>Unspecified</pose>',
      `\t\t<truncated>${Number(box.truncated)}</truncated>`,
      `\t\t<difficult>${Number(box.difficult || box.ignore)}</difficult>`,
      ...(box.occluded ? ['\t\t<occluded>1</occluded>'] : []),
      '\t\t<bndbox>',
      ...sides.map(([name, value]) => `\t\t\t<${name}>${vocNumber(value)}</${name}>`),
      '\t\t</bndbox>',
      '\t</object>',
    ];
  });
  const lines = [
    '<annotation>',
    '\t<folder>JPEGImages</folder>',
    `\t<filename>${escapeXml(filename)}</filename>`,
    '\t<source>',
    `\t\t<database>${ownDatabase}</database>`,
    '\t</source>',
    '\t<size>',
    `\t\t<width>${image.widthPx}</width>`,
    `\t\t<height>${image.heightPx}</height>`,
    '\t\t<depth>3</depth>',
    '\t</size>',
    '\t<segmented>0</segmented>',
    ...objects.flat(),
    '</annotation>',
    '',
  ];
  return lines.join('\n');
}

/** Six decimals: far below what a hand can draw, and short. */
function vocNumber(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}

/** What VOC cannot keep of an export, said once. */
export function vocLosses(images: readonly FormatImage[], file: string): Note[] {
  const notes: Note[] = [];
  const boxes = images.flatMap((image) => image.boxes);
  const ignored = boxes.filter((box) => box.ignore && !box.difficult).length;
  if (ignored > 0) {
    const detail = `${counted(ignored, 'ignore region is', 'ignore regions are')} written as difficult: VOC has no other place.`;
    notes.push({ file, kind: 'not-kept', detail });
  }
  const fractional = boxes.filter((box) => !box.boxPx.every(Number.isInteger)).length;
  if (fractional > 0) {
    const detail = `${counted(fractional, 'box lies', 'boxes lie')} between pixels, written with decimals, which some readers refuse.`;
    notes.push({ file, kind: 'fractional', detail });
  }
  return notes;
}

/**
 * The stems of an ImageSets/Main list. A second column (-1, 0 or 1, as per-class lists have) is dropped unless the whole line is the stem
 * of a known file: names may hold spaces.
 */
export function readImageSet(text: string, isKnown: (stem: string) => boolean): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => (isKnown(line.trim()) ? line : line.replace(/\s+-?[01]\s*$/, '')).trim())
    .filter((line) => line !== '');
}
