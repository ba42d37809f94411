/** COCO instances. Source: cocodataset.org/#format-data and cocoapi. Boxes are [x, y, width, height], the first pixel is 0 to 1. */
import type { BoxPx } from '../domain/box.ts';
import type { ClassRecord } from '../domain/classes.ts';
import { counted, type FormatBox, type FormatImage, listed, type Note, type SizePx } from './records.ts';

export interface CocoImage {
  readonly fileName: string;
  readonly size: SizePx | null;
  readonly boxes: readonly FormatBox[];
  /** An annotation of this image could not be read. */
  readonly incomplete: boolean;
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

interface RawAnnotation {
  readonly imageId: string;
  readonly categoryId: number;
  readonly boxPx: BoxPx | null;
  readonly ignore: boolean;
  readonly difficult: boolean;
  readonly occluded: boolean;
  readonly truncated: boolean;
}

/** Most problems of one kind that are named one by one; the rest is counted. */
const mostNamed = 100;

/**
 * Takes a COCO file's images, annotations and categories one by one, in any order, and puts them together by id at the end. Keeps no
 * segmentation, so that a file of gigabytes fits into memory.
 */
export class CocoReader {
  readonly #file: string;
  readonly #images = new Map<string, { fileName: string; size: SizePx | null }>();
  readonly #categories = new Map<number, { name: string; supercategory: string | null }>();
  readonly #annotations: RawAnnotation[] = [];
  readonly #notes: Note[] = [];
  readonly #noteCounts = new Map<string, number>();

  constructor(file: string) {
    this.#file = file;
  }

  addImage(value: unknown): void {
    const record = asRecord(value);
    const id = idText(record?.id);
    const fileName = record?.file_name;
    if (id === null || typeof fileName !== 'string' || fileName === '') {
      this.#note('bad-image', `An entry of images has no id or no file_name: ${excerpt(value)}.`);
      return;
    }
    if (this.#images.has(id)) {
      this.#note('duplicate-id', `Two images have the id ${id}; the first is kept.`);
      return;
    }
    const widthPx = Number(record?.width);
    const heightPx = Number(record?.height);
    this.#images.set(id, { fileName, size: widthPx > 0 && heightPx > 0 ? { widthPx, heightPx } : null });
  }

  addCategory(value: unknown): void {
    const record = asRecord(value);
    const id = record?.id;
    const name = record?.name;
    if (typeof id !== 'number' || !Number.isInteger(id) || typeof name !== 'string' || name.trim() === '') {
      this.#note('bad-category', `An entry of categories has no whole id or no name: ${excerpt(value)}.`);
      return;
    }
    if (this.#categories.has(id)) {
      this.#note('duplicate-id', `Two categories have the id ${id}; the first is kept.`);
      return;
    }
    const supercategory = typeof record?.supercategory === 'string' ? record.supercategory : null;
    this.#categories.set(id, { name, supercategory });
  }

  addAnnotation(value: unknown): void {
    const record = asRecord(value);
    const imageId = idText(record?.image_id);
    if (!record || imageId === null) {
      this.#note('bad-box', `An annotation has no image_id: ${excerpt(value)}.`);
      return;
    }
    const attributes = asRecord(record.attributes) ?? {};
    const crowd = isSet(record.iscrowd);
    const ignored = isSet(record.ignore);
    this.#annotations.push({
      imageId,
      categoryId: typeof record.category_id === 'number' ? record.category_id : Number.NaN,
      boxPx: readBox(record.bbox),
      ignore: crowd || ignored,
      difficult: isSet(attributes.difficult) || (ignored && !crowd),
      occluded: isSet(attributes.occluded),
      truncated: isSet(attributes.truncated),
    });
  }

  /** Everything put together. Categories in the file's order, without an unused root. */
  finish(): { images: CocoImage[]; categories: CocoCategory[]; notes: Note[] } {
    const byImage = this.#groupBoxes();
    const byFile = new Map<string, CocoImage>();
    for (const [id, { fileName, size }] of this.#images) {
      const { boxes = [], incomplete = false } = byImage.get(id) ?? {};
      const earlier = byFile.get(fileName);
      if (earlier)
        this.#note('duplicate-image', `${fileName} is listed twice; the boxes of both are kept together.`);
      byFile.set(fileName, {
        fileName,
        size: earlier?.size ?? size,
        boxes: [...(earlier?.boxes ?? []), ...boxes],
        incomplete: incomplete || (earlier?.incomplete ?? false),
      });
    }
    return { images: [...byFile.values()], categories: this.#usedCategories(), notes: this.#allNotes() };
  }

  #groupBoxes(): Map<string, { boxes: FormatBox[]; incomplete: boolean }> {
    const byImage = new Map<string, { boxes: FormatBox[]; incomplete: boolean }>();
    for (const { imageId, categoryId, boxPx, ...flags } of this.#annotations) {
      if (!this.#images.has(imageId)) {
        this.#note(
          'unknown-image',
          `An annotation names the image id ${imageId}, which images does not list.`,
        );
        continue;
      }
      const group = byImage.get(imageId) ?? { boxes: [], incomplete: false };
      byImage.set(imageId, group);
      const className = this.#categories.get(categoryId)?.name.trim();
      if (className !== undefined && boxPx) group.boxes.push({ className, boxPx, ...flags });
      else {
        group.incomplete = true;
        const file = this.#images.get(imageId)!.fileName;
        if (boxPx)
          this.#note(
            'unknown-category',
            `${file}: a box has the category id ${categoryId}, which is not listed.`,
          );
        else this.#note('bad-box', `${file}: an annotation has no bbox of four numbers; it is left out.`);
      }
    }
    return byImage;
  }

  /** Roboflow adds a root category with id 0 that no box has and that the others name as their supercategory. */
  #usedCategories(): CocoCategory[] {
    const used = new Set(this.#annotations.map((annotation) => annotation.categoryId));
    const supercategories = new Set(
      [...this.#categories].filter(([id]) => id !== 0).map(([, category]) => category.supercategory),
    );
    const categories: CocoCategory[] = [];
    for (const [id, { name }] of this.#categories) {
      if (id === 0 && !used.has(id) && supercategories.has(name)) {
        this.#note(
          'root-category',
          `The category "${name}" (id 0) is only a group of the others and is left out.`,
        );
      } else categories.push({ id, name: name.trim() });
    }
    return categories;
  }

  #note(kind: string, detail: string): void {
    const count = (this.#noteCounts.get(kind) ?? 0) + 1;
    this.#noteCounts.set(kind, count);
    if (count <= mostNamed) this.#notes.push({ file: this.#file, kind, detail });
  }

  #allNotes(): Note[] {
    const more = [...this.#noteCounts].filter(([, count]) => count > mostNamed);
    const summaries = more.map(([kind, count]) => ({
      file: this.#file,
      kind,
      detail: `${count - mostNamed} more of this kind.`,
    }));
    return [...this.#notes, ...summaries];
  }
}

function readBox(value: unknown): BoxPx | null {
  if (!Array.isArray(value) || value.length !== 4) return null;
  const [x, y, width, height] = value.map((side) => (typeof side === 'number' ? side : Number.NaN));
  const box: BoxPx = [x!, y!, x! + width!, y! + height!];
  return box.every(Number.isFinite) ? box : null;
}

/** COCO's flags are 0 and 1; CVAT writes its own as booleans. */
function isSet(value: unknown): boolean {
  return value === 1 || value === true;
}

/** Ids are integers by the book; some tools write strings. */
function idText(value: unknown): string | null {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : null;
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function excerpt(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

export interface CocoDocument {
  readonly info: { readonly description: string };
  readonly licenses: readonly never[];
  readonly images: readonly object[];
  readonly annotations: readonly object[];
  readonly categories: readonly object[];
}

/** A whole instances file; classes keep their ids as category ids. Image and annotation ids count from 1. */
export function writeCoco(images: readonly FormatImage[], classes: readonly ClassRecord[]): CocoDocument {
  const idByName = new Map(classes.map(({ id, name }) => [name, id]));
  const annotations: object[] = [];
  images.forEach((image, index) => {
    for (const box of image.boxes) {
      annotations.push(annotationOf(box, annotations.length + 1, index + 1, idByName.get(box.className)!));
    }
  });
  return {
    info: { description: 'Exported by Boxwright' },
    licenses: [],
    images: images.map(({ path, widthPx, heightPx }, index) => ({
      id: index + 1,
      file_name: path,
      width: widthPx,
      height: heightPx,
    })),
    annotations,
    categories: classes.map(({ id, name }) => ({ id, name, supercategory: '' })),
  };
}

function annotationOf(box: FormatBox, id: number, imageId: number, categoryId: number): object {
  const [x1, y1, x2, y2] = box.boxPx;
  const { difficult, occluded, truncated } = box;
  return {
    id,
    image_id: imageId,
    category_id: categoryId,
    bbox: [x1, y1, x2 - x1, y2 - y1],
    area: (x2 - x1) * (y2 - y1),
    iscrowd: Number(box.ignore),
    segmentation: [],
    ...(difficult || occluded || truncated ? { attributes: { difficult, occluded, truncated } } : {}),
  };
}

/** What COCO's own tools will not see of an export, said once. */
export function cocoLosses(images: readonly FormatImage[], file: string): Note[] {
  const boxes = images.flatMap((image) => image.boxes);
  const difficult = boxes.filter((box) => box.difficult && !box.ignore);
  const flagged = boxes.filter((box) => box.occluded || box.truncated || box.difficult);
  if (flagged.length === 0) return [];
  const names = ['difficult', 'occluded', 'truncated'] as const;
  const present = names.filter((name) => flagged.some((box) => box[name]));
  const detail = `${counted(flagged.length, 'box has', 'boxes have')} ${listed(present)} written as attributes, which COCO's own tools do not read${
    difficult.length > 0 ? `; ${difficult.length} difficult ones count as ordinary there` : ''
  }.`;
  return [{ file, kind: 'not-kept', detail }];
}
