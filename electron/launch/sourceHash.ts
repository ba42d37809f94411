/** A fingerprint of the sources that a build is made from: a build whose fingerprint is another one is stale. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 over names and contents of the given folders and files (paths relative to `root`), tests left out. */
export async function sourceHash(root: string, parts: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) {
    for (const file of await filesBelow(root, part)) {
      hash.update(`${file}\0`);
      hash.update(await readFile(join(root, file)));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}

export function rendererSourceHash(root: string): Promise<string> {
  return sourceHash(root, ['renderer', 'shared', 'package-lock.json']);
}

export function desktopSourceHash(root: string): Promise<string> {
  return sourceHash(root, [
    'electron/desktop',
    'electron/host',
    'electron/services',
    'shared',
    'package-lock.json',
  ]);
}

/** Sorted, with forward slashes on every system. A part that is not there counts as empty. */
async function filesBelow(root: string, part: string): Promise<string[]> {
  const entries = await readdir(join(root, part), { withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return null;
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (!entries) return [part];
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${part}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(root, path)));
    else if (!/\.test\.tsx?$/.test(entry.name)) found.push(path);
  }
  return found;
}
