/** Which kernels were fastest on which adapter, in the user's own data folder, for every shell: found out once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeFileAtomically } from './store/atomicFile.ts';

const entriesSchema = z.record(z.string(), z.string());

/** Keys of adapters and versions that are no longer there go first. */
const kept = 50;

export class Tunings {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(dataPath: string) {
    this.#path = join(dataPath, 'kernel-tunings.json');
  }

  /** Null where nothing is known: a file that cannot be read costs a little time, and no more. */
  async read(key: string): Promise<string | null> {
    await this.#last;
    return (await this.#entries())[key] ?? null;
  }

  /** A data folder that cannot be written must not keep anybody from training. */
  write(key: string, text: string): Promise<void> {
    const next = this.#last.then(async () => {
      const { [key]: _, ...others } = await this.#entries();
      const newest = [...Object.entries(others), [key, text]].slice(-kept);
      await writeFileAtomically(this.#path, JSON.stringify(Object.fromEntries(newest))).catch(() => {});
    });
    this.#last = next;
    return next;
  }

  async #entries(): Promise<Record<string, string>> {
    try {
      return entriesSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch {
      return {};
    }
  }
}
