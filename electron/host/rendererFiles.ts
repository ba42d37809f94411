/**
 * The built screens, read once into memory from the list their build wrote: a shell serves these and cannot be talked into any other
 * file, and a rebuild under a running shell does not mix two versions.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { Problem } from '../../shared/domain/problem.ts';
import { newNonce, securityHeaders } from './pageHeaders.ts';

const secondLookMs = 300;

const manifestSchema = z.object({
  source: z.string(),
  files: z.array(z.object({ path: z.string().regex(/^[\w-]+(?:[./][\w-]+)*$/), sha256: z.string() })).min(1),
});

const mimeByExtension: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

export interface Served {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface RendererFiles {
  /** `path` as it stands in the address, undecoded; undefined for anything not built. `/` is the page. */
  get(path: string): Served | undefined;
}

/** Throws a `Problem` of kind `damaged` where a file is missing or is not the one that was built. */
export async function loadRendererFiles(folder: string): Promise<RendererFiles> {
  // A second look: another shell may be putting a newer build in place at this moment.
  const contents = await readListed(folder)
    .catch(() => setTimeout(secondLookMs).then(() => readListed(folder)))
    .catch((error) => {
      throw new Problem(
        'damaged',
        `Boxwright's screens in ${folder} are missing or damaged.`,
        'Build them again with `npm run build:renderer`, or install Boxwright again.',
        String(error),
      );
    });
  const page = contents.get('/index.html')?.toString('utf8') ?? '';
  return { get: (path) => (path === '/' ? servePage(page) : serveAsset(path, contents.get(path))) };
}

/** By address. Rejects at the first file that is not as listed. */
async function readListed(folder: string): Promise<ReadonlyMap<string, Buffer<ArrayBuffer>>> {
  const contents = new Map<string, Buffer<ArrayBuffer>>();
  const { files } = await readRendererManifest(folder);
  await Promise.all(
    files.map(async ({ path, sha256 }) => {
      const bytes = await readFile(join(folder, path));
      if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new Error(`${path} was changed`);
      contents.set(`/${path}`, bytes);
    }),
  );
  if (!contents.has('/index.html')) throw new Error('index.html is not among the files');
  return contents;
}

/** What `renderer/vite.config.ts` wrote; rejects where there is none or it is malformed. */
async function readRendererManifest(folder: string): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(join(folder, 'files.json'), 'utf8')));
}

function servePage(template: string): Served {
  const nonce = newNonce();
  return {
    headers: {
      ...securityHeaders(nonce),
      'Content-Type': mimeByExtension['.html'] ?? '',
      'Cache-Control': 'no-store',
    },
    bytes: Buffer.from(template.replaceAll('__NONCE__', nonce)),
  };
}

function serveAsset(path: string, bytes: Buffer<ArrayBuffer> | undefined): Served | undefined {
  // The page only as `/`: under its file name it would come without its nonce.
  if (!bytes || path === '/index.html') return undefined;
  return {
    headers: {
      ...securityHeaders(newNonce()),
      'Content-Type': mimeByExtension[extname(path)] ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
    },
    bytes,
  };
}
