/** Finding image files below a folder, and keeping every reading inside it. */
import type { Dirent } from 'node:fs';
import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { ImportProblem } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { hasImageExtension, signatureLength, sniffFormat } from './formats.ts';
import { openFile } from './openFile.ts';
import { unreadable } from './probe.ts';

export interface ImageFile {
  readonly absolutePath: string;
  /** Below the folder, forward slashes. */
  readonly relativePath: string;
}

export interface ListOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of every folder and file that could not be looked at. */
  readonly onProblem?: ((problem: ImportProblem) => void) | undefined;
}

const collator = new Intl.Collator('en', { numeric: true });

/** As a person counts: image2 before image10; the same on every machine. */
export function byName(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

/**
 * The files below a folder that are, or by their name claim to be, images: sorted, folder by folder. Hidden folders, links to
 * folders, and what a project keeps for itself are passed over. Throws where the folder itself cannot be read.
 */
export async function* listImageFiles(folder: string, options: ListOptions = {}): AsyncGenerator<ImageFile> {
  const root = await realFolder(folder);
  yield* listBelow(root, root, options);
}

async function* listBelow(root: string, folder: string, options: ListOptions): AsyncGenerator<ImageFile> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (folder === root) throw unreadableFolder(folder, error);
    options.onProblem?.(problemOf(slashed(root, folder), unreadableFolder(folder, error)));
    return;
  }
  const ownFolders = existsSync(join(folder, 'project.db')) ? ['cache', 'runs', 'backups'] : [];
  for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
    if (options.signal?.aborted) return;
    const absolutePath = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !ownFolders.includes(entry.name)) {
        yield* listBelow(root, absolutePath, options);
      }
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      if (entry.name.startsWith('.') || !(await isCandidate(absolutePath))) continue;
      const file = { absolutePath, relativePath: slashed(root, absolutePath) };
      if (entry.isFile()) yield file;
      else yield* insideOnly(root, file, options);
    }
  }
}

/** A link may point anywhere: one that leaves the folder is listed and not followed. */
async function* insideOnly(root: string, file: ImageFile, options: ListOptions): AsyncGenerator<ImageFile> {
  try {
    await openableImagePath(root, file.absolutePath);
    yield file;
  } catch (error) {
    options.onProblem?.(problemOf(file.relativePath, error));
  }
}

/** By name; a file without an extension by its first bytes. Never opens what bears another extension: a database, say. */
async function isCandidate(path: string): Promise<boolean> {
  if (hasImageExtension(path)) return true;
  if (extname(path) !== '') return false;
  try {
    const file = await openFile(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(signatureLength), 0, signatureLength, 0);
      return sniffFormat(buffer.subarray(0, bytesRead)) !== null;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

/**
 * The real path of an image, to be opened: inside its root even after links are followed. Throws `not-found` where the
 * file is gone and `forbidden` where it leaves the root.
 */
export async function openableImagePath(rootPath: string, absolutePath: string): Promise<string> {
  let real: string;
  let realRoot: string;
  try {
    [real, realRoot] = await Promise.all([realpath(absolutePath), realpath(rootPath)]);
  } catch (error) {
    throw unreadable(absolutePath, error);
  }
  if (real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) return real;
  throw new Problem(
    'forbidden',
    `${slashed(rootPath, absolutePath)} is a link that leads out of its folder, so it was not opened.`,
    'Copy the image into the folder, or add the folder it really lies in.',
    real,
  );
}

export function problemOf(file: string, error: unknown): ImportProblem {
  const problem = error instanceof Problem ? error : unreadable(file, error);
  return { file, kind: problem.kind, detail: problem.message };
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    throw unreadableFolder(folder, error);
  }
}

export function unreadableFolder(folder: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new Problem('not-found', `There is no folder ${folder}.`, 'Choose an existing folder.', code);
  }
  return new Problem(
    'bad-input',
    `The folder ${folder} cannot be read${code ? ` (${code})` : ''}.`,
    'Choose a folder you may read.',
    error instanceof Error ? error.message : String(error),
  );
}

function slashed(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}
