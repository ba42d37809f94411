/**
 * Encoded images that a browser can show, made from the original once and kept under the project's `cache`, by content
 * hash. The cache may be deleted at any time.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { plainBytes, upright } from './decode.ts';
import { brokenImage, type DetailedProbe, probeDetails, unreadable } from './probe.ts';
import { decodeQueue } from './queue.ts';

export type Variant = 'display' | 'thumb';

export interface Derivative {
  readonly mime: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const maxSidePx: Readonly<Record<Variant, number>> = { display: 4096, thumb: 256 };
const quality: Readonly<Record<Variant, number>> = { display: 92, thumb: 80 };
/** An original above this is encoded again rather than sent as it is. */
const maxOriginalBytes = 24 * 1024 * 1024;
const mimeOf = { jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp' } as const;

const inFlight = new Map<string, Promise<Derivative>>();

/** Throws a Problem that names the file. Two askers of one derivative share one decoding. */
export function readDerivative(
  imagePath: string,
  contentHash: string,
  cachePath: string,
  variant: Variant,
): Promise<Derivative> {
  const cached = join(cachePath, variant, contentHash.slice(0, 2), `${contentHash}.jpg`);
  const running = inFlight.get(cached);
  if (running) return running;
  const made = fromCache(cached)
    .then((found) => found ?? derive(imagePath, cached, variant))
    .finally(() => inFlight.delete(cached));
  inFlight.set(cached, made);
  return made;
}

function derive(imagePath: string, cached: string, variant: Variant): Promise<Derivative> {
  return decodeQueue.run(variant === 'display' ? 'interactive' : 'background', async () => {
    const probe = await probeDetails(imagePath);
    if (variant === 'display' && isShowable(probe)) return original(imagePath, probe);
    const derivative = await encode(imagePath, variant);
    // A cache that cannot be written (disk full, say) costs time, not the image.
    await writeAtomically(cached, derivative.bytes).catch(() => {});
    return derivative;
  });
}

/** Whether every browser shows the file itself exactly as training sees it. */
function isShowable(probe: DetailedProbe): boolean {
  return (
    probe.format in mimeOf &&
    probe.orientation === 1 &&
    probe.plainColour &&
    !probe.hasAlpha &&
    !probe.animated &&
    Math.max(probe.widthPx, probe.heightPx) <= maxSidePx.display &&
    probe.byteLength <= maxOriginalBytes
  );
}

async function original(path: string, probe: DetailedProbe): Promise<Derivative> {
  try {
    const mime = mimeOf[probe.format as keyof typeof mimeOf];
    return {
      mime,
      widthPx: probe.widthPx,
      heightPx: probe.heightPx,
      bytes: plainBytes(await readFile(path)),
    };
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function encode(path: string, variant: Variant): Promise<Derivative> {
  const side = maxSidePx[variant];
  try {
    const { data, info } = await upright(path)
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: quality[variant], chromaSubsampling: variant === 'display' ? '4:4:4' : '4:2:0' })
      .toBuffer({ resolveWithObject: true });
    return { mime: 'image/jpeg', widthPx: info.width, heightPx: info.height, bytes: plainBytes(data) };
  } catch (error) {
    throw brokenImage(path, error);
  }
}

async function fromCache(path: string): Promise<Derivative | null> {
  try {
    const bytes = await readFile(path);
    // A power cut may have left a file without its end: make it again.
    const whole =
      bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9;
    if (!whole) return null;
    const { width, height } = await sharp(bytes).metadata();
    return { mime: 'image/jpeg', widthPx: width, heightPx: height, bytes: plainBytes(bytes) };
  } catch {
    return null;
  }
}

async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, bytes);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}
