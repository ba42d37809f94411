/** Making folders, with an end: Node's own recursive mkdir never returns where the system refuses one with "no such file" (in /proc, say). */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folder and those above it; one already there is left as it is. Throws what the disk throws. */
export function makeFolders(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    const above = dirname(path);
    if (above === path || codeOf(error) !== 'ENOENT') throw error;
    makeFolders(above);
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
