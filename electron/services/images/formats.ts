/** Image files by their first bytes: a name can lie, a header seldom does. */
import { extname } from 'node:path';

export const imageFormats = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const;
export type ImageFormat = (typeof imageFormats)[number];

export const formatNames: Readonly<Record<ImageFormat, string>> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  avif: 'AVIF',
  gif: 'GIF',
  tiff: 'TIFF',
};

/** Extensions whose files a person takes for images: one that is none is worth a word. */
const imageExtensions = new Set(
  '.jpg .jpeg .jpe .jfif .png .apng .webp .avif .gif .tif .tiff .bmp .heic .heif .jxl .jp2'.split(' '),
);

export function hasImageExtension(path: string): boolean {
  return imageExtensions.has(extname(path).toLowerCase());
}

/** Enough bytes for every signature below. */
export const signatureLength = 32;

export function sniffFormat(head: Uint8Array): ImageFormat | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, signatureLength));
  const ascii = bytes.toString('latin1');
  if (ascii.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (ascii.startsWith('RIFF') && ascii.slice(8, 12) === 'WEBP') return 'webp';
  if (ascii.startsWith('GIF87a') || ascii.startsWith('GIF89a')) return 'gif';
  if (/^(II[*+]\0|MM\0[*+])/.test(ascii)) return 'tiff';
  if (ascii.slice(4, 8) === 'ftyp' && /avif|avis/.test(ascii.slice(8))) return 'avif';
  return null;
}

/** What an unsupported file seems to be, for its sentence. */
export function guessOther(head: Uint8Array): string {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, signatureLength));
  const ascii = bytes.toString('latin1');
  if (ascii.slice(4, 8) === 'ftyp' && /hei[cx]|mif1|heif/.test(ascii.slice(8))) return 'a HEIC photo';
  if (ascii.startsWith('BM')) return 'a BMP image';
  if (ascii.slice(4, 12) === 'JXL \r\n\x87\n') return 'a JPEG XL image';
  if (ascii.startsWith('%PDF')) return 'a PDF document';
  if (/^\s*<(\?xml|svg)/.test(ascii)) return 'an XML or SVG text';
  if (bytes.every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13)) return 'a text file';
  return 'no image that Boxwright knows';
}
