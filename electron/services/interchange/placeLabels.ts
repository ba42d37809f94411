/** One image of a source as the project will hold it: looked at, its boxes turned upright and cut to its size. */
import { join } from 'node:path';
import type { ImageState } from '../../../shared/domain/image.ts';
import { reviewedStateFor } from '../../../shared/domain/image.ts';
import { allInside, fitToImage, sizeText, toUpright } from '../../../shared/formats/geometry.ts';
import type { FormatBox, Note, SizePx } from '../../../shared/formats/records.ts';
import { openableImagePath } from '../images/files.ts';
import { hashFile, probeDetails } from '../images/probe.ts';
import type { NewImage } from '../store/projectStore.ts';
import type { SourceImage, SourceLabels } from './format.ts';

export interface PlacedImage {
  readonly image: NewImage;
  readonly boxes: readonly FormatBox[];
  readonly state: ImageState;
  readonly notes: readonly Note[];
}

/** Throws a Problem naming the file where it cannot be read as an image, or leads out of its root. */
export async function placeImage(source: SourceImage, signal: AbortSignal): Promise<PlacedImage> {
  const { rootPath, relativePath, split, labels } = source;
  const path = await openableImagePath(rootPath, join(rootPath, relativePath));
  const { widthPx, heightPx, orientation } = await probeDetails(path);
  const contentHash = await hashFile(path, signal);
  const image: NewImage = { rootPath, relativePath, contentHash, widthPx, heightPx, split };
  if (!labels) return { image, boxes: [], state: 'unlabelled', notes: [] };
  const upright = { widthPx, heightPx };
  const turned = orient(labels, upright, orientation, relativePath);
  const fitted = fitToImage(turned.boxes, upright, labels.file);
  const notes = [...turned.notes, ...fitted.notes];
  // Labels that lost something on the way, or may sit wrong, wait for a person.
  const doubtful = labels.incomplete || turned.doubtful || fitted.incomplete;
  const state = doubtful ? 'in-progress' : reviewedStateFor(fitted.boxes.length);
  return { image, boxes: fitted.boxes, state, notes };
}

interface Oriented {
  readonly boxes: readonly FormatBox[];
  readonly notes: readonly Note[];
  readonly doubtful: boolean;
}

/**
 * Labels of a photo that EXIF turns may have been drawn on it as stored or as shown; only the declared size and the boxes themselves
 * can tell.
 */
function orient(labels: SourceLabels, upright: SizePx, orientation: number, imagePath: string): Oriented {
  const declared = labels.declaredSize;
  const boxes = labels.boxes(upright);
  const plain = { boxes, notes: [], doubtful: false };
  const note = (kind: string, detail: string, change: Partial<Oriented> = {}): Oriented => ({
    ...plain,
    ...change,
    notes: [{ file: labels.file, kind, detail: `${imagePath}: ${detail}` }],
  });
  if (declared && !sameSize(declared, upright)) {
    if (!sameSize(declared, swapped(upright))) {
      const detail = `the labels say ${sizeText(declared)}, the image is ${sizeText(upright)}; check where the boxes sit.`;
      return note('size-mismatch', detail, { doubtful: true });
    }
    if (orientation < 5) {
      const detail = `the labels say ${sizeText(declared)}, the image is ${sizeText(upright)}: it was turned after labelling; check where the boxes sit.`;
      return note('transposed-size', detail, { doubtful: true });
    }
    return turnStored(boxes, declared, upright, orientation, note);
  }
  if (orientation > 1 && boxes.length > 0 && (orientation < 5 || upright.widthPx === upright.heightPx)) {
    return note('exif', 'EXIF turns or mirrors this photo; the boxes are taken as drawn on it as shown.');
  }
  return plain;
}

/** The declared size is that of the stored, unturned photo. */
function turnStored(
  boxes: readonly FormatBox[],
  stored: SizePx,
  upright: SizePx,
  orientation: number,
  note: (kind: string, detail: string, change?: Partial<Oriented>) => Oriented,
): Oriented {
  const fitsStored = allInside(boxes, stored);
  const fitsUpright = allInside(boxes, upright);
  if (fitsUpright && !fitsStored) {
    return note(
      'transposed-size',
      'the declared size is from before EXIF turned the photo; its boxes fit the photo as shown.',
    );
  }
  const turned = boxes.map((box) => ({ ...box, boxPx: toUpright(box.boxPx, stored, orientation) }));
  const proven = fitsStored && !fitsUpright;
  const detail = `the labels are for the photo as stored (${sizeText(stored)}); its boxes were turned as EXIF turns the photo${
    proven || boxes.length === 0 ? '.' : ': check where they sit.'
  }`;
  return note('transposed-size', detail, { boxes: turned, doubtful: !proven && boxes.length > 0 });
}

function sameSize(a: SizePx, b: SizePx): boolean {
  return a.widthPx === b.widthPx && a.heightPx === b.heightPx;
}

function swapped({ widthPx, heightPx }: SizePx): SizePx {
  return { widthPx: heightPx, heightPx: widthPx };
}
