/** Paths inside data sets, as text: forward slashes, no way out. */

/** With forward slashes, without `.` steps; null where the path is absolute, names a drive or share, or climbs above its start. */
export function innerPath(path: string): string | null {
  if (path.includes('\0')) return null;
  const slashed = path.replaceAll('\\', '/');
  if (slashed.startsWith('/') || /^[a-z]:/i.test(slashed) || /^[a-z][a-z0-9+.-]*:\/\//i.test(slashed))
    return null;
  const steps: string[] = [];
  for (const step of slashed.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') steps.push(step);
    else if (steps.pop() === undefined) return null;
  }
  return steps.length > 0 && !/^[a-z]:/i.test(steps[0]!) ? steps.join('/') : null;
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path without its extension. */
export function withoutExtension(path: string): string {
  const name = fileName(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? path.slice(0, path.length - name.length + dot) : path;
}

/** The file's name without folders and extension. */
export function stemOf(path: string): string {
  return withoutExtension(fileName(path));
}

/** Without the folders of these names that the path begins with: a data set written and read again must not nest in itself. */
export function withoutLeading(path: string, names: readonly string[]): string {
  const steps = path.split('/');
  while (steps.length > 1 && names.includes(steps[0]!.toLowerCase())) steps.shift();
  return steps.join('/');
}

/** Gives each path a place of its own, also where upper and lower case are the same and, unless told otherwise, where only the stem counts. */
export class UniquePaths {
  readonly #taken = new Set<string>();
  readonly #byStem: boolean;

  constructor(options: { readonly byStem: boolean } = { byStem: true }) {
    this.#byStem = options.byStem;
  }

  /** The path itself, or with `-2`, `-3`… behind its stem where that stem is taken. */
  claim(path: string): string {
    const stem = withoutExtension(path);
    const extension = path.slice(stem.length);
    for (let count = 1; ; count++) {
      const candidate = count === 1 ? stem : `${stem}-${count}`;
      const key = (this.#byStem ? candidate : candidate + extension).normalize('NFC').toLowerCase();
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return candidate + extension;
    }
  }
}
