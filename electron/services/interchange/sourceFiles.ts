/** Reading a stranger's data set: never outside its folder, never more than is sensible, and every failure has a sentence. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Note } from '../../../shared/formats/records.ts';
import { byName, openableImagePath } from '../images/files.ts';
import { openFile } from '../images/openFile.ts';
import { unreadable } from '../images/probe.ts';

const largestText = 64 * 1024 * 1024;

export async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder';
}

export async function isFile(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'file';
}

async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : null;
  } catch {
    return null;
  }
}

/** The first of the paths that is a folder, or null. */
export async function firstFolder(...paths: string[]): Promise<string | null> {
  for (const path of paths) if (await isFolder(path)) return path;
  return null;
}

/** A text below `root`, links followed but not out of it. Throws a Problem naming the file. */
export async function readTextInside(root: string, path: string): Promise<string> {
  const real = await openableImagePath(root, path);
  try {
    const file = await openFile(real);
    try {
      const { size } = await file.stat();
      if (size > largestText) {
        throw new Problem(
          'bad-input',
          `${slashed(root, path)} is larger than 64 MiB.`,
          'Check whether it is the right file.',
        );
      }
      return decodeText(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** UTF-8, or what its byte order mark says: Windows' own tools write UTF-16. */
function decodeText(bytes: Buffer): string {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Files below a folder with one of the extensions (`.xml`), sorted, hidden ones and links to folders passed over. */
export async function listFiles(folder: string, extension: string, signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const visit = async (at: string): Promise<void> => {
    if (signal?.aborted) return;
    const entries = await readdir(at, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
      if (entry.name.startsWith('.')) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) await visit(path);
      else if (entry.name.toLowerCase().endsWith(extension)) found.push(path);
    }
  };
  try {
    await visit(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
  return found;
}

/** The path below the root as people and data sets write it. */
export function slashed(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** What a caught error says about a file, for the report. */
export function noteOf(file: string, error: unknown): Note {
  const problem = unreadable(file, error);
  const kind = problem.kind === 'forbidden' ? 'outside-dataset' : problem.kind;
  return { file, kind, detail: problem.message };
}

export async function realSource(source: string): Promise<string> {
  try {
    return await realpath(source);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new Problem('not-found', `There is nothing at ${source}.`, 'Check the path of the data set.', code);
  }
}
