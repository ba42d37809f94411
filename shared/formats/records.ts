/** What every format is read into and written from. */
import type { BoxPx } from '../domain/box.ts';
import type { Split } from '../domain/image.ts';

/** Something a person should know about a file: what could not be read, was put right, or could not be kept. */
export interface Note {
  readonly file: string;
  readonly kind: string;
  readonly detail: string;
}

/** A labelled box as formats know it: by class name, on the upright image, before clipping. */
export interface FormatBox {
  readonly className: string;
  readonly boxPx: BoxPx;
  readonly ignore: boolean;
  readonly difficult: boolean;
  readonly occluded: boolean;
  readonly truncated: boolean;
}

export interface SizePx {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** One image with everything a writer needs. */
export interface FormatImage extends SizePx {
  /** Path of the image inside the export, forward slashes. */
  readonly path: string;
  readonly split: Split | null;
  readonly boxes: readonly FormatBox[];
}

export const plainFlags = { ignore: false, difficult: false, occluded: false, truncated: false } as const;

/** "a, b and 3 more": lists that stay readable. */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** "1 box", "2 boxes". */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
