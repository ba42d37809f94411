/** The projects opened last, in the user's own data folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomically } from '../store/atomicFile.ts';
import { isProjectFolder } from '../store/projectStore.ts';

const listSchema = z.array(z.object({ name: z.string(), path: z.string() }));
type Entry = z.infer<typeof listSchema>[number];

const kept = 20;

export class Recents {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(dataPath: string) {
    this.#path = join(dataPath, 'recent-projects.json');
  }

  /** Newest first. A list that cannot be read is an empty one: it is only a convenience. */
  async list(): Promise<(Entry & { exists: boolean })[]> {
    await this.#last;
    return (await this.#read()).map((entry) => ({ ...entry, exists: isProjectFolder(entry.path) }));
  }

  /** A data folder that cannot be written must not keep a project from being opened. */
  add(entry: Entry): Promise<void> {
    const next = this.#last.then(async () => {
      const others = (await this.#read()).filter(({ path }) => path !== entry.path);
      const list = [entry, ...others].slice(0, kept);
      await writeFileAtomically(this.#path, `${JSON.stringify(list, null, 2)}\n`).catch(() => {});
    });
    this.#last = next;
    return next;
  }

  async #read(): Promise<Entry[]> {
    try {
      return listSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch {
      return [];
    }
  }
}
