/** What an image file says of itself, before any pixel is decoded. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import sharp, { type Metadata } from 'sharp';
import { Problem } from '../../../shared/domain/problem.ts';
import { formatNames, guessOther, type ImageFormat, signatureLength, sniffFormat } from './formats.ts';
import { openFile } from './openFile.ts';

/** Larger images are refused from their header: 100 MP are 300 MB of RGB. */
export const defaultMaxPixels = 100_000_000;

export interface ImageProbe {
  /** Of the upright image. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly format: ImageFormat;
}

/** A probe with what decoding needs to know. */
export interface DetailedProbe extends ImageProbe {
  /** EXIF orientation, 1 to 8; 1: as stored. */
  readonly orientation: number;
  readonly hasAlpha: boolean;
  readonly animated: boolean;
  /** 8-bit sRGB or grey, as every browser shows it. */
  readonly plainColour: boolean;
  readonly byteLength: number;
}

/** Throws a Problem that names the file: unreadable, empty, no image, cut off, too large. */
export async function probeImage(path: string, maxPixels = defaultMaxPixels): Promise<ImageProbe> {
  const { widthPx, heightPx, format } = await probeDetails(path, maxPixels);
  return { widthPx, heightPx, format };
}

export async function probeDetails(path: string, maxPixels = defaultMaxPixels): Promise<DetailedProbe> {
  const { format, byteLength, endsWell } = await readEnds(path);
  const metadata = await readMetadata(path);
  const { width, height, orientation = 1, pages = 1, depth, space } = metadata;
  if (width * height > maxPixels) throw tooLarge(path, width, height, maxPixels);
  // Some cameras add bytes after the end: only where the end is nowhere to be seen are the pixels asked.
  if (!endsWell) await assertDecodable(path);
  const turned = orientation >= 5;
  return {
    widthPx: turned ? height : width,
    heightPx: turned ? width : height,
    format,
    orientation,
    hasAlpha: metadata.hasAlpha ?? false,
    animated: pages > 1,
    plainColour: depth === 'uchar' && (space === 'srgb' || space === 'b-w'),
    byteLength,
  };
}

/** SHA-256 of the file's bytes, hex. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  } catch (error) {
    throw unreadable(path, error);
  }
  return hash.digest('hex');
}

async function readMetadata(path: string): Promise<Metadata> {
  try {
    return await sharp(path, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw brokenImage(path, error);
  }
}

const tailLength = 65_536;

async function readEnds(
  path: string,
): Promise<{ format: ImageFormat; byteLength: number; endsWell: boolean }> {
  let file: FileHandle | null = null;
  try {
    file = await openFile(path);
    const { size: byteLength } = await file.stat();
    if (byteLength === 0) throw notAnImage(path, 'is empty (0 bytes)');
    const head = Buffer.alloc(Math.min(signatureLength, byteLength));
    await file.read(head, 0, head.length, 0);
    const format = sniffFormat(head);
    if (!format) throw notAnImage(path, `is ${guessOther(head)}`);
    const tail = Buffer.alloc(Math.min(tailLength, byteLength));
    await file.read(tail, 0, tail.length, byteLength - tail.length);
    return { format, byteLength, endsWell: hasItsEnd(format, head, tail, byteLength) };
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file?.close();
  }
}

function hasItsEnd(format: ImageFormat, head: Buffer, tail: Buffer, byteLength: number): boolean {
  switch (format) {
    case 'jpeg':
      return tail.lastIndexOf(Buffer.from([0xff, 0xd9])) >= Math.max(0, tail.length - 4096);
    case 'png':
      return tail.includes('IEND', 0, 'latin1');
    case 'gif':
      return tail.lastIndexOf(0x3b) >= tail.length - 16;
    case 'webp':
      return head.readUInt32LE(4) + 8 <= byteLength;
    case 'avif':
    case 'tiff':
      return true;
  }
}

async function assertDecodable(path: string): Promise<void> {
  try {
    await sharp(path, { limitInputPixels: defaultMaxPixels, failOn: 'truncated' }).stats();
  } catch (error) {
    throw brokenImage(path, error);
  }
}

export function tooLarge(path: string, width: number, height: number, maxPixels: number): Problem {
  const megapixels = (pixels: number) => `${Math.round(pixels / 1e6).toLocaleString('en')} megapixels`;
  return new Problem(
    'bad-input',
    `${basename(path)} is too large: ${width} x ${height} is ${megapixels(width * height)}, the limit is ${megapixels(maxPixels)}.`,
    'Cut it into tiles or scale it down, then add it again.',
    path,
  );
}

export function notAnImage(path: string, what: string): Problem {
  const known = Object.values(formatNames).join(', ');
  return new Problem(
    'bad-input',
    `${basename(path)} ${what}.`,
    `Replace it by an image (${known}) or remove it from the folder.`,
    path,
  );
}

export function brokenImage(path: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const cutOff = /premature|truncat|end of (file|stream|image)|Not enough data|unexpected end/i.test(detail);
  return new Problem(
    'bad-input',
    cutOff
      ? `${basename(path)} is cut off: part of the image is not in the file.`
      : `${basename(path)} cannot be decoded: its image data is broken.`,
    'Copy the file again from its source, or remove it from the folder.',
    `${path}: ${detail}`,
  );
}

/** Why a file could not be read at all; a Problem comes back as it is. */
export function unreadable(path: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ABORT_ERR') return new Problem('cancelled', 'Cancelled.', 'What was done so far is kept.');
  if (code === 'ENOENT') {
    return new Problem(
      'not-found',
      `${basename(path)} is not there.`,
      'Check its name, or put it back. A project finds its moved images again when the folder they are in now is added or imported.',
      path,
    );
  }
  return new Problem(
    'bad-input',
    `${basename(path)} cannot be read${code ? ` (${code})` : ''}.`,
    'Check that you may read the file and that its disk is connected.',
    `${path}: ${error instanceof Error ? error.message : String(error)}`,
  );
}
