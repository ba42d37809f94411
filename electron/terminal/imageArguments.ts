/** The images a command line names: files, folders of them, and patterns where the shell has not resolved them. */
import { glob, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Problem } from '../../shared/domain/problem.ts';
import { byName, listImageFiles } from '../services/images/files.ts';

/**
 * As named, in order, each once. A folder gives the images below it; a pattern is one only where no file bears that name, as it
 * comes on Windows. Files that are not there are left in: they are told like unreadable ones, and the others answered.
 */
export async function namedImages(named: readonly string[]): Promise<string[]> {
  const images = new Map<string, string>();
  for (const name of named) {
    for (const path of await expand(name)) {
      const full = resolve(path);
      if (!images.has(full)) images.set(full, path);
    }
  }
  return [...images.values()];
}

async function expand(name: string): Promise<string[]> {
  const found = await stat(name).catch(() => null);
  if (found?.isDirectory()) return imagesBelow(name);
  if (found || !/[*?[{]/.test(name)) return [name];
  const matching: string[] = [];
  for await (const path of glob(name)) matching.push(path);
  if (matching.length === 0) {
    throw new Problem(
      'not-found',
      `No file matches ${name}.`,
      'Check the pattern, or name the images one by one.',
    );
  }
  return matching.sort(byName);
}

async function imagesBelow(folder: string): Promise<string[]> {
  const images: string[] = [];
  for await (const { relativePath } of listImageFiles(folder)) images.push(join(folder, relativePath));
  if (images.length > 0) return images;
  throw new Problem(
    'bad-input',
    `There is no image in ${folder}.`,
    'Name a folder of images, or the images themselves.',
  );
}
