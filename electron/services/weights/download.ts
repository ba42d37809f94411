/**
 * One file from a server that is known to have it: its length and its SHA-256 are known beforehand, so nothing else can take its place.
 * What breaks off is gone on with, now and on another day.
 */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { throwIfCancelled } from '../jobs.ts';
import { asProblem, diskFull } from '../store/failures.ts';
import { DownloadFailure, problemOf, wrongContent } from './downloadProblems.ts';
import { type Patience, requestFrom } from './httpFile.ts';
import { PartFile } from './partFile.ts';
import type { WantedFile } from './wantedFile.ts';

export interface DownloadOptions extends Patience {
  /** `doneBytes` of the file are on this machine. */
  onProgress(doneBytes: number): void;
  /** The pauses before another try; a try that brought something worth having starts them anew. */
  readonly retryDelaysMs: readonly number[];
}

const worthHavingBytes = 1024 * 1024;
/** For the sidecar, and whatever else the disk is used for meanwhile. */
const spareBytes = 16 * 1024 * 1024;

/** Resolves once the file is at its path, whole, verified and on the disk. Throws a Problem; `cancelled` and failures keep the part. */
export async function download(wanted: WantedFile, options: DownloadOptions): Promise<void> {
  let part: PartFile | null = null;
  try {
    part = await PartFile.open(wanted.path, wanted.url);
    if (part.length > wanted.bytes) await part.restart(null);
    await checkSpace(wanted, part.length);
    await fetchRest(part, wanted, options);
    if (part.digest() !== wanted.sha256) {
      await part.discard();
      throw wrongContent(wanted, part.digest());
    }
    await part.finish();
  } catch (error) {
    if (error instanceof DownloadFailure) throw problemOf(error, wanted, part?.length ?? 0);
    throw asProblem(error, wanted.path);
  } finally {
    await part?.close();
  }
}

async function checkSpace(wanted: WantedFile, haveBytes: number): Promise<void> {
  // A file system that does not tell is tried.
  const space = await statfs(dirname(wanted.path)).catch(() => null);
  const free = space ? space.bavail * space.bsize : Number.POSITIVE_INFINITY;
  const needed = wanted.bytes - haveBytes + spareBytes;
  if (free < needed) throw diskFull(wanted.path, `${needed} bytes needed, ${free} free`);
}

async function fetchRest(part: PartFile, wanted: WantedFile, options: DownloadOptions): Promise<void> {
  let failures = 0;
  let arrived = 0;
  while (part.length < wanted.bytes) {
    const before = part.length;
    options.onProgress(before);
    try {
      await fetchOnce(part, wanted, options);
    } catch (error) {
      throwIfCancelled(options.signal);
      const gained = Math.max(0, part.length - before);
      arrived += gained;
      if (gained >= worthHavingBytes) failures = 0;
      const delayMs = options.retryDelaysMs[failures++];
      const again = error instanceof DownloadFailure && error.passes(arrived > 0);
      if (!again || delayMs === undefined) throw error;
      await pause(delayMs, null, { signal: options.signal }).catch(() => {});
      throwIfCancelled(options.signal);
    }
  }
  options.onProgress(part.length);
}

/** Adds what one connection brings. Throws where that is not all of the rest. */
async function fetchOnce(part: PartFile, wanted: WantedFile, options: DownloadOptions): Promise<void> {
  const from = { offset: part.length, validator: part.validator };
  await requestFrom(wanted, from, options, async (answer) => {
    if (answer.offset === 0) await part.restart(answer.validator);
    for await (const chunk of answer.chunks) {
      if (part.length + chunk.length > wanted.bytes) {
        await part.restart(null);
        throw new DownloadFailure(`${answer.host} sent more than the ${wanted.bytes} bytes of the file.`);
      }
      await part.append(chunk);
      options.onProgress(part.length);
    }
    if (part.length < wanted.bytes) {
      throw new DownloadFailure(`The connection to ${answer.host} broke off.`, { passing: 'always' });
    }
  });
}
