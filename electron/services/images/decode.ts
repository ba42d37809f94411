/** Upright RGB8: the one way pixels enter Boxwright, so that screen, browser and terminal train on the same bytes. */
import sharp, { type Sharp } from 'sharp';
import { brokenImage, defaultMaxPixels, type ImageProbe, probeDetails } from './probe.ts';
import { decodeQueue, type Lane } from './queue.ts';

export interface Rgb8Image {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Row-major, `widthPx * heightPx * 3` bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The image turned upright as EXIF says, in sRGB with 8 bits a channel: grey is repeated, CMYK and embedded profiles are
 * converted, 16 bits are scaled, transparency lies on white (as paper does), and of an animation it is the first frame.
 * Throws a Problem that names the file.
 */
export async function readUprightRgb8(path: string, lane: Lane = 'interactive'): Promise<Rgb8Image> {
  return decodeQueue.run(lane, async () => {
    const probe = await probeDetails(path);
    try {
      const { data, info } = await upright(path)
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true });
      assertShape(probe, info);
      return { widthPx: info.width, heightPx: info.height, bytes: plainBytes(data) };
    } catch (error) {
      throw brokenImage(path, error);
    }
  });
}

/** A pipeline that yields upright sRGB without alpha. The size was checked from the header; the limit here is the second lock. */
export function upright(path: string): Sharp {
  return sharp(path, { limitInputPixels: defaultMaxPixels, failOn: 'error', autoOrient: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .removeAlpha();
}

/** The same memory without Node's `Buffer` around it; sharp never shares it between threads. */
export function plainBytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}

function assertShape(probe: ImageProbe, info: { width: number; height: number; channels: number }): void {
  const expected = info.width === probe.widthPx && info.height === probe.heightPx && info.channels === 3;
  if (expected) return;
  throw new Error(
    `decoded to ${info.width} x ${info.height} x ${info.channels}, its header says ${probe.widthPx} x ${probe.heightPx}`,
  );
}
