/**
 * A download in the making: `NAME.part`, and `NAME.part.json` that tells which file's beginning it is. Every byte is hashed once, on its
 * way to the disk or when a part of an earlier day is opened again.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { syncFolder, writeFileAtomically } from '../store/atomicFile.ts';

const sheetSchema = z.object({
  url: z.string(),
  /** What the server calls this content: a strong ETag or its date, for `If-Range`. */
  validator: z.string().nullable(),
});

export function partPath(path: string): string {
  return `${path}.part`;
}

export class PartFile {
  readonly #path: string;
  readonly #url: string;
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #length = 0;
  #validator: string | null = null;

  private constructor(path: string, url: string, file: FileHandle) {
    this.#path = path;
    this.#url = url;
    this.#file = file;
  }

  /** What is there of `url`, to be at `path` once it is whole. Throws what the disk throws. */
  static async open(path: string, url: string): Promise<PartFile> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(partPath(path), 'a+');
    try {
      const part = new PartFile(path, url, file);
      await part.#takeUp();
      return part;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get length(): number {
    return this.#length;
  }

  get validator(): string | null {
    return this.#validator;
  }

  /** From the first byte again, of a content that the server calls `validator`. */
  async restart(validator: string | null): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#length = 0;
    this.#validator = validator;
    await writeFileAtomically(this.#sheetPath, JSON.stringify({ url: this.#url, validator }));
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#file.appendFile(chunk);
    this.#hash.update(chunk);
    this.#length += chunk.length;
  }

  /** SHA-256 of what is there, hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Makes it the file, durably. */
  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    await rename(partPath(this.#path), this.#path);
    await rm(this.#sheetPath, { force: true });
    await syncFolder(dirname(this.#path));
  }

  async discard(): Promise<void> {
    await this.#file.close();
    await removePart(this.#path);
  }

  /** It stays where it is, to be gone on with. */
  close(): Promise<void> {
    return this.#file.close();
  }

  get #sheetPath(): string {
    return `${partPath(this.#path)}.json`;
  }

  async #takeUp(): Promise<void> {
    const sheet = await readFile(this.#sheetPath, 'utf8')
      .then((text) => sheetSchema.parse(JSON.parse(text)))
      .catch(() => null);
    if (sheet?.url !== this.#url) return this.restart(null);
    this.#validator = sheet.validator;
    for await (const chunk of createReadStream(partPath(this.#path), { highWaterMark: 1 << 20 })) {
      this.#hash.update(chunk);
      this.#length += chunk.length;
    }
  }
}

export async function removePart(path: string): Promise<void> {
  await rm(partPath(path), { force: true });
  await rm(`${partPath(path)}.json`, { force: true });
}
