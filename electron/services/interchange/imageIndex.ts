/** The image files of a folder, found again by path, name or stem. */
import { fileName, stemOf, withoutExtension } from '../../../shared/formats/paths.ts';
import { listImageFiles } from '../images/files.ts';
import { throwIfCancelled } from '../jobs.ts';
import type { ReadContext } from './format.ts';

export class ImageIndex {
  /** Below the folder, sorted. */
  readonly paths: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #byPathStem: ReadonlyMap<string, string[]>;
  readonly #byName: ReadonlyMap<string, string[]>;
  readonly #byStem: ReadonlyMap<string, string[]>;

  private constructor(paths: readonly string[]) {
    this.paths = paths;
    this.#known = new Set(paths);
    this.#byPathStem = grouped(paths, withoutExtension);
    this.#byName = grouped(paths, fileName);
    this.#byStem = grouped(paths, stemOf);
  }

  static async of(folder: string, context: ReadContext): Promise<ImageIndex> {
    const paths: string[] = [];
    const onProblem = context.note;
    for await (const { relativePath } of listImageFiles(folder, { signal: context.signal, onProblem })) {
      paths.push(relativePath);
      context.progress(paths.length, null, 'Looking for images');
    }
    throwIfCancelled(context.signal);
    return new ImageIndex(paths);
  }

  has(path: string): boolean {
    return this.#known.has(path);
  }

  /** The one image at `folder/stem`, whatever its extension; null where there is none or more than one. */
  atPathStem(pathStem: string): string | null {
    return only(this.#byPathStem.get(pathStem));
  }

  /** The one image of that name in any folder. */
  named(name: string): string | null {
    return only(this.#byName.get(name));
  }

  /** The one image of that stem in any folder. */
  withStem(stem: string): string | null {
    return only(this.#byStem.get(stem));
  }

  hasStem(stem: string): boolean {
    return this.#byStem.has(stem) || this.#byPathStem.has(stem);
  }
}

function only(paths: readonly string[] | undefined): string | null {
  return paths?.length === 1 ? paths[0]! : null;
}

function grouped(paths: readonly string[], keyOf: (path: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const group = groups.get(keyOf(path));
    if (group) group.push(path);
    else groups.set(keyOf(path), [path]);
  }
  return groups;
}
