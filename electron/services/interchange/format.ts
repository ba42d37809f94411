/** What a format offers to the interchange: to recognise itself, to be read, to be written. */
import type { ClassRecord } from '../../../shared/domain/classes.ts';
import type { Split } from '../../../shared/domain/image.ts';
import type { FormatBox, FormatImage, Note, SizePx } from '../../../shared/formats/records.ts';
import type { VocDialect } from '../../../shared/formats/voc.ts';

export interface SourceLabels {
  /** The label file, for messages; relative to the source. */
  readonly file: string;
  /** The image's size as the label file says it. */
  readonly declaredSize: SizePx | null;
  /** Something in the file could not be read: the image is not fully labelled. */
  readonly incomplete: boolean;
  /** The boxes on an image of the given size, before they are turned upright and clipped. */
  boxes(size: SizePx): readonly FormatBox[];
}

export interface SourceImage {
  /** The folder the file must not leave. */
  readonly rootPath: string;
  /** Below it, forward slashes. */
  readonly relativePath: string;
  readonly split: Split | null;
  /** Null: nobody has said anything about this image. Without boxes: there is nothing on it. */
  readonly labels: SourceLabels | null;
}

export interface SourceClass {
  readonly name: string;
  /** The id the format knows it by, where that id should live on. */
  readonly preferredId?: number;
}

export interface SourceDataset {
  readonly images: readonly SourceImage[];
  readonly classes: readonly SourceClass[];
}

export interface ReadContext {
  /** Absolute path of the file or folder the user named. */
  readonly source: string;
  /** Where the user says the images are; null: where the format has them. */
  readonly imagesPath: string | null;
  readonly dialect: VocDialect | null;
  readonly signal: AbortSignal;
  note(note: Note): void;
  progress(done: number, total: number | null, message: string): void;
}

/** An image of the project on its way out. */
export interface OutgoingImage extends SizePx {
  readonly absolutePath: string;
  readonly rootPath: string;
  /** As in the project; two roots may hold the same. */
  readonly relativePath: string;
  readonly split: Split | null;
  readonly boxes: readonly FormatBox[];
}

export interface WriteContext {
  readonly images: readonly OutgoingImage[];
  readonly classes: readonly ClassRecord[];
  note(note: Note): void;
}

/** One file of an export: its place and either its text or the image to copy. `text` runs when its turn comes. */
export type OutgoingFile =
  | { readonly path: string; readonly copyOf: OutgoingImage }
  | { readonly path: string; readonly text: () => string };

export interface InterchangeFormat {
  /** For people: "Pascal VOC". */
  readonly title: string;
  /** Whether the source looks like this format. */
  detect(source: string): Promise<boolean>;
  read(context: ReadContext): Promise<SourceDataset>;
  /** The files of an export. Images first, so that a label file never speaks of an image that is not there. */
  write(context: WriteContext): OutgoingFile[];
}

export function toFormatImage(image: OutgoingImage, path: string): FormatImage {
  const { widthPx, heightPx, split, boxes } = image;
  return { path, widthPx, heightPx, split, boxes };
}
