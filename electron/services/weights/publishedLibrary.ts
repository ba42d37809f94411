/**
 * The published checkpoints of this machine, in one folder of the user's own data. Nothing is fetched unless a person asks for it, and
 * nothing counts as ready unless its SHA-256 is the published one, whoever put it there.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import type { PublishedState } from '../../../shared/contract/schemas.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type PublishedWeights, publishedWeights } from '../../../shared/weights/published.ts';
import type { JobHandle } from '../jobs.ts';
import { writeFileAtomically } from '../store/atomicFile.ts';
import type { Db } from '../store/db.ts';
import { asProblem } from '../store/failures.ts';
import { lockFile } from '../store/lock.ts';
import { type DownloadOptions, download } from './download.ts';
import { partPath, removePart } from './partFile.ts';

export interface LibraryOptions {
  /** The user's own data folder. */
  readonly dataPath: string;
  /** Another server than the published one, for tests: `http://127.0.0.1:PORT/`. */
  readonly downloadBase?: string | undefined;
  readonly patience?: Pick<DownloadOptions, 'stallMs' | 'retryDelaysMs'>;
  readonly published?: readonly PublishedWeights[];
}

const usualPatience = { stallMs: 30_000, retryDelaysMs: [1000, 3000, 9000, 20_000] };

/** Which file was hashed: one that has been touched since is hashed again. */
const verdictSchema = z.object({ bytes: z.number(), mtimeMs: z.number(), sha256: z.string() });
type Verdict = z.infer<typeof verdictSchema>;
type Stamp = Omit<Verdict, 'sha256'>;

export class PublishedLibrary {
  readonly folder: string;
  readonly #options: LibraryOptions;
  readonly #published: readonly PublishedWeights[];
  /** By path: what this session has hashed, or is hashing. */
  readonly #verdicts = new Map<string, Promise<Verdict>>();

  constructor(options: LibraryOptions) {
    this.folder = join(options.dataPath, 'weights');
    this.#options = options;
    this.#published = options.published ?? publishedWeights;
  }

  /** Hashes what has come into the folder since it was last looked at. */
  states(): Promise<PublishedState[]> {
    return Promise.all(this.#published.map((weights) => this.#state(weights)));
  }

  /** The verified file. Throws `not-found` where it is not there whole, `damaged` where the file is another. */
  async readyPath(id: string): Promise<string> {
    const weights = this.find(id);
    const path = this.#path(weights);
    const verdict = await this.#verdict(weights);
    if (verdict?.sha256 === weights.sha256) return path;
    if (!verdict) {
      const message = `${weights.title} is not on this machine yet.`;
      throw new Problem('not-found', message, 'Download it first, where runs are started.', path);
    }
    throw new Problem(
      'damaged',
      `${path} is not the published file: ${difference(verdict, weights)}.`,
      'Download it again, which replaces it, or put the right file in its place.',
      weights.url,
    );
  }

  /** Resolves once it is ready. What has come so far stays where this fails or is cancelled. */
  async download(id: string, job: Pick<JobHandle, 'signal' | 'progress'>): Promise<void> {
    const weights = this.find(id);
    const { bytes, fileName, sha256 } = weights;
    const onProgress = (doneBytes: number) => job.progress(doneBytes, bytes, fileName);
    await this.#alone(weights, async () => {
      if ((await this.#verdict(weights))?.sha256 === sha256) return onProgress(bytes);
      const base = this.#options.downloadBase;
      const url = base === undefined ? weights.url : new URL(fileName, base).href;
      const path = this.#path(weights);
      const patience = this.#options.patience ?? usualPatience;
      await download({ url, bytes, sha256, path }, { ...patience, signal: job.signal, onProgress });
      const found = await look(path);
      if (found) await this.#remember(path, { ...found, sha256 });
    });
  }

  /** Deletes all there is of it. */
  async forget(id: string): Promise<void> {
    const weights = this.find(id);
    const path = this.#path(weights);
    await this.#alone(weights, async () => {
      await removePart(path);
      await rm(path, { force: true });
      await rm(verdictPath(path), { force: true });
    });
  }

  /** Throws `not-found` where nothing is published by this id. */
  find(id: string): PublishedWeights {
    const weights = this.#published.find((candidate) => candidate.id === id);
    if (weights) return weights;
    const known = this.#published.map((candidate) => candidate.id).join(', ');
    const message = `There is no published checkpoint ${JSON.stringify(id)}.`;
    throw new Problem('not-found', message, `Choose one of ${known}.`);
  }

  #path({ fileName }: PublishedWeights): string {
    return join(this.folder, fileName);
  }

  async #state(weights: PublishedWeights): Promise<PublishedState> {
    const path = this.#path(weights);
    // One file that cannot be read may not hide the others.
    const verdict = await this.#verdict(weights).catch(() => null);
    if (verdict?.sha256 === weights.sha256) {
      return { id: weights.id, state: 'ready', haveBytes: weights.bytes, path };
    }
    const haveBytes = (await look(partPath(path)))?.bytes ?? 0;
    return { id: weights.id, state: haveBytes > 0 ? 'partial' : 'absent', haveBytes, path };
  }

  /** Null where there is no such file; `sha256` empty where its length alone tells that it is another. */
  async #verdict(weights: PublishedWeights): Promise<Verdict | null> {
    const path = this.#path(weights);
    const found = await look(path);
    if (!found) return null;
    if (found.bytes !== weights.bytes) return { ...found, sha256: '' };
    const known = await (this.#verdicts.get(path) ?? readVerdict(path));
    if (known?.bytes === found.bytes && known.mtimeMs === found.mtimeMs) return known;
    const hashed = this.#hash(path, found);
    this.#verdicts.set(path, hashed);
    hashed.catch(() => this.#verdicts.delete(path));
    return hashed;
  }

  async #hash(path: string, found: Stamp): Promise<Verdict> {
    try {
      const hash = createHash('sha256');
      await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
      const verdict = { ...found, sha256: hash.digest('hex') };
      await this.#remember(path, verdict);
      return verdict;
    } catch (error) {
      throw asProblem(error, path);
    }
  }

  /** For the next start; a disk that cannot keep it only costs another hash then. */
  async #remember(path: string, verdict: Verdict): Promise<void> {
    this.#verdicts.set(path, Promise.resolve(verdict));
    await writeFileAtomically(verdictPath(path), JSON.stringify(verdict)).catch(() => {});
  }

  /** One at a time on this machine: another window's download counts as well. */
  async #alone(weights: PublishedWeights, work: () => Promise<void>): Promise<void> {
    const path = this.#path(weights);
    let lock: Db | null = null;
    try {
      await mkdir(this.folder, { recursive: true });
      lock = lockFile(`${path}.lock`);
    } catch (error) {
      const problem = asProblem(error, path);
      if (problem.kind !== 'already-open') throw problem;
      const message = `Another Boxwright is downloading ${weights.fileName}.`;
      throw new Problem('already-open', message, 'Wait for it: the file is then here as well.', path);
    }
    try {
      await work();
    } finally {
      lock.close();
    }
  }
}

function verdictPath(path: string): string {
  return `${path}.verified.json`;
}

function readVerdict(path: string): Promise<Verdict | null> {
  return readFile(verdictPath(path), 'utf8')
    .then((text) => verdictSchema.parse(JSON.parse(text)))
    .catch(() => null);
}

/** Null where there is no such file. */
async function look(path: string): Promise<Stamp | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? { bytes: found.size, mtimeMs: found.mtimeMs } : null;
}

function difference(verdict: Verdict, weights: PublishedWeights): string {
  if (verdict.bytes !== weights.bytes) return `it has ${verdict.bytes} bytes, not ${weights.bytes}`;
  return `its SHA-256 is ${verdict.sha256}, not ${weights.sha256}`;
}
