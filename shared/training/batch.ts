/** From scaled images and their labels to the batch a network is given. */
import { minBoxSidePx, paddedSize, resizedSize, type SizePx, scaleBoxes } from '../detector/preprocess.ts';
import { clipToImage } from '../domain/box.ts';
import { type LoadedImage, type ScaledImage, type ScaleSettings, scaleBytes } from './imageSource.ts';
import type { Batch, BatchShape, BatchTarget, TrainingBox, TrainingImage } from './ports.ts';

export interface BatchItem {
  readonly image: TrainingImage;
  readonly scaled: LoadedImage;
  readonly flip: boolean;
}

/** Pads every image right and bottom with zeros to the batch's largest, rounded up to a multiple of 32. */
export function buildBatch(items: readonly BatchItem[]): Batch {
  const frame = paddedSize(items.map((item) => item.scaled.size));
  const bytes = items.flatMap(({ scaled }) => ('bytes' in scaled ? [scaled.bytes] : []));
  return {
    ...(bytes.length === items.length
      ? { images: new Float32Array(), bytes }
      : { images: framesOf(items, frame) }),
    batch: items.length,
    paddedHeight: frame.heightPx,
    paddedWidth: frame.widthPx,
    targets: items.map(targetOf),
  };
}

function framesOf(items: readonly BatchItem[], frame: SizePx): Float32Array {
  const images = new Float32Array(items.length * frame.heightPx * frame.widthPx * 3);
  items.forEach(({ scaled, flip }, index) => {
    const image = 'bytes' in scaled ? scaleBytes(scaled) : scaled;
    copyPixels(images, index * frame.heightPx * frame.widthPx * 3, frame.widthPx, image, flip);
  });
  return images;
}

/** The largest batch that can be drawn from these images, as far as it is computed at once. */
export function largestShape(
  images: readonly Pick<TrainingImage, 'widthPx' | 'heightPx'>[],
  { batch, microBatch, minSizePx, maxSizePx }: ScaleSettings & { batch: number; microBatch: number },
  asBytes = false,
): BatchShape {
  let frame: SizePx = { heightPx: 0, widthPx: 0 };
  let largest = frame;
  for (const { heightPx, widthPx } of images) {
    const size = resizedSize(heightPx, widthPx, minSizePx, maxSizePx);
    const next = paddedSize(batch === 1 ? [size] : [size, frame]);
    if (areaOf(next) > areaOf(frame)) frame = next;
    if (heightPx * widthPx > areaOf(largest)) largest = { heightPx, widthPx };
  }
  const atOnce = microBatch === 0 ? batch : Math.min(batch, microBatch);
  const bytes = Array.from({ length: atOnce }, () => largest);
  return {
    ...{ batch: atOnce, paddedHeight: frame.heightPx, paddedWidth: frame.widthPx },
    ...(asBytes && { bytes }),
  };
}

function areaOf({ heightPx, widthPx }: SizePx): number {
  return heightPx * widthPx;
}

function copyPixels(
  images: Float32Array,
  offset: number,
  frameWidth: number,
  { size, pixels }: ScaledImage,
  flip: boolean,
): void {
  const rowLength = size.widthPx * 3;
  for (let y = 0; y < size.heightPx; y++) {
    const row = pixels.subarray(y * rowLength, (y + 1) * rowLength);
    const at = offset + y * frameWidth * 3;
    if (flip) copyMirrored(images, at, row);
    else images.set(row, at);
  }
}

function copyMirrored(images: Float32Array, at: number, row: Float32Array): void {
  for (let from = row.length - 3, to = at; from >= 0; from -= 3, to += 3) {
    images[to] = row[from]!;
    images[to + 1] = row[from + 1]!;
    images[to + 2] = row[from + 2]!;
  }
}

function targetOf({ image, scaled, flip }: BatchItem): BatchTarget {
  const { objects, ignored } = usableBoxes(image, scaled.size);
  return {
    imageId: image.id,
    heightPx: scaled.size.heightPx,
    widthPx: scaled.size.widthPx,
    originalHeightPx: image.heightPx,
    originalWidthPx: image.widthPx,
    boxes: scaleBoxes(flatten(objects, image), image, scaled.size, flip),
    classIndices: Int32Array.from(objects, (box) => box.classIndex),
    ignoreBoxes: scaleBoxes(flatten(ignored, image), image, scaled.size, flip),
    flipped: flip,
  };
}

interface UsableBoxes {
  readonly objects: readonly TrainingBox[];
  readonly ignored: readonly TrainingBox[];
  readonly tooSmall: number;
}

function usableBoxes(image: TrainingImage, size: SizePx): UsableBoxes {
  const labels = image.boxes.filter((box) => !box.ignore);
  const objects = labels.filter((box) => {
    const [x1, y1, x2, y2] = clipToImage(box.boxPx, image.widthPx, image.heightPx);
    const widthPx = ((x2 - x1) * size.widthPx) / image.widthPx;
    const heightPx = ((y2 - y1) * size.heightPx) / image.heightPx;
    return widthPx >= minBoxSidePx && heightPx >= minBoxSidePx;
  });
  const ignored = image.boxes.filter((box) => box.ignore);
  return { objects, ignored, tooSmall: labels.length - objects.length };
}

/** How many of an image's labels the training size is too small for. */
export function countTooSmall(image: TrainingImage, { minSizePx, maxSizePx }: ScaleSettings): number {
  return usableBoxes(image, resizedSize(image.heightPx, image.widthPx, minSizePx, maxSizePx)).tooSmall;
}

function flatten(boxes: readonly TrainingBox[], image: TrainingImage): Float32Array {
  return Float32Array.from(boxes.flatMap((box) => clipToImage(box.boxPx, image.widthPx, image.heightPx)));
}
