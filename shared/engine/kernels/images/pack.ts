/**
 * A batch of images for the GPU: their bytes as they were decoded, and a table that says for each column and row of the network's frame
 * between which pixels it lies. Scale, crop and mirroring are in the table alone, and its positions are torch's to the last bit.
 */
import { axisTaps, type ByteImage, type SizePx } from '../../../detector/preprocess.ts';

/** A part of an image, in its pixels. */
export interface PixelWindow extends SizePx {
  readonly left: number;
  readonly top: number;
}

/** As torchvision's ColorJitter, in this order, on values 0..1 that are cut to that range after each. 1: as it is. */
export interface ColourChange {
  readonly brightness: number;
  /** Away from `grey`, 0..1: torchvision takes the mean grey of the image (`meanGrey`), made brighter as the image is. */
  readonly contrast: number;
  readonly grey: number;
  readonly saturation: number;
}

export interface PlacedImage {
  /** Upright, bytes. */
  readonly image: ByteImage;
  /** Absent: all of it. */
  readonly window?: PixelWindow;
  /** What the window is resized to; the rest of the frame, right and below, is zero. */
  readonly resized: SizePx;
  readonly flip?: boolean;
  readonly colour?: ColourChange;
}

/** What is uploaded: state `pixels` and state `placements`. */
export interface PackedImages {
  readonly pixels: Uint32Array;
  readonly placements: Uint32Array;
}

/** Words that say of an image where its bytes begin, how wide it is, and how its colours change. */
export const headerWords = 8;
/** Two words for a column or a row: twice the first pixel, plus one where the second is the next one; the second's weight. */
export const tapWords = 2;
/** Of a column or row that shows nothing. */
export const noTap = 0xffffffff;

/** Words of the bytes of a batch, and one more: a pixel is read as two words. */
export function pixelWordsOf(images: readonly SizePx[]): number {
  return images.reduce((words, { heightPx, widthPx }) => words + Math.ceil((heightPx * widthPx * 3) / 4), 1);
}

export function placementWordsOf(batch: number, frame: SizePx): number {
  return batch * (headerWords + (frame.widthPx + frame.heightPx) * tapWords);
}

/** Fills `into`, as long as `pixelWordsOf` and `placementWordsOf` say or longer, for a batch in this frame. */
export function packImages(images: readonly PlacedImage[], frame: SizePx, into: PackedImages): void {
  const bytes = new Uint8Array(into.pixels.buffer, into.pixels.byteOffset, into.pixels.byteLength);
  const floats = new Float32Array(into.placements.buffer, into.placements.byteOffset, into.placements.length);
  let byte = 0;
  let at = 0;
  for (const { image, window, resized, flip, colour } of images) {
    bytes.set(image.data, byte);
    into.placements.set([byte, image.widthPx], at);
    const { brightness, contrast, grey, saturation } = colour ?? unchanged;
    floats.set([brightness, contrast, grey, saturation], at + 4);
    byte += Math.ceil(image.data.length / 4) * 4;
    const { left, top, widthPx, heightPx } = window ?? { left: 0, top: 0, ...sizeOf(image) };
    const across = {
      into: into.placements,
      at: at + headerWords,
      count: frame.widthPx,
      from: left,
      flip: flip ?? false,
    };
    writeTaps(widthPx, resized.widthPx, floats, across);
    const down = {
      ...across,
      at: across.at + frame.widthPx * tapWords,
      count: frame.heightPx,
      from: top,
      flip: false,
    };
    writeTaps(heightPx, resized.heightPx, floats, down);
    at = down.at + frame.heightPx * tapWords;
  }
}

const unchanged: ColourChange = { brightness: 1, contrast: 1, grey: 0.5, saturation: 1 };

function sizeOf({ heightPx, widthPx }: SizePx): SizePx {
  return { heightPx, widthPx };
}

interface TapTable {
  readonly into: Uint32Array;
  readonly at: number;
  readonly count: number;
  readonly from: number;
  readonly flip: boolean;
}

function writeTaps(
  inSize: number,
  outSize: number,
  floats: Float32Array,
  { into, at, count, from, flip }: TapTable,
): void {
  const { first, second, weight } = axisTaps(inSize, outSize);
  for (let index = 0; index < count; index++) {
    const to = at + index * tapWords;
    const tap = flip ? outSize - 1 - index : index;
    into[to] = index < outSize ? (from + first[tap]!) * 2 + (second[tap]! - first[tap]!) : noTap;
    floats[to + 1] = index < outSize ? weight[tap]! : 0;
  }
}

/** Of ITU-R 601-2, as torchvision's greyscale. */
export const greyWeights = [0.2989, 0.587, 0.114] as const;

/** The mean grey of an image's bytes, 0..1. */
export function meanGrey(data: Uint8Array): number {
  const sums = [0, 0, 0];
  for (let at = 0; at < data.length; at += 3) {
    for (let channel = 0; channel < 3; channel++) sums[channel]! += data[at + channel]!;
  }
  const total = sums.reduce((grey, sum, channel) => grey + sum * greyWeights[channel]!, 0);
  return total / (data.length / 3) / 255;
}
