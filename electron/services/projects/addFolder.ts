/** Adding a folder of images to a project, and following images that were moved. */
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ImportReport } from '../../../shared/contract/schemas.ts';
import type { ImageRecord } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type ImageFile, listImageFiles, problemOf } from '../images/files.ts';
import { hashFile, probeImage } from '../images/probe.ts';
import { decodeQueue } from '../images/queue.ts';
import { type JobHandle, throwIfCancelled } from '../jobs.ts';
import type { NewImage, ProjectStore } from '../store/projectStore.ts';

/** Told of images as they come. */
export type ImagesListener = (images: readonly ImageRecord[]) => void;

/** Files looked at together: enough to keep the disk busy, few enough that images appear as they are found. */
const batchSize = 32;

/**
 * Adds every readable image below the folder; a file that cannot be read is a problem of the job and no more. A file whose bytes
 * are those of a missing image is that image, moved. What was added before a cancel stays.
 */
export async function addFolder(
  store: ProjectStore,
  folder: string,
  job: JobHandle,
  changed: ImagesListener,
): Promise<ImportReport> {
  const report = { images: 0, boxes: 0, classes: [], negatives: 0, unlabelled: 0 };
  const problems: ImportReport['problems'] = [];
  const onProblem = (problem: ImportReport['problems'][number]) => {
    problems.push(problem);
    job.problem(problem);
  };
  changed(await refreshMissing(store));
  const files = await collect(folder, job, onProblem);
  if (files.length === 0) throw noImages(folder);
  let known = 0;
  for (let start = 0; start < files.length; start += batchSize) {
    throwIfCancelled(job.signal);
    const batch = files.slice(start, start + batchSize);
    const fresh = batch.filter((file) => !store.imageAt(file.absolutePath));
    known += batch.length - fresh.length;
    const read = await Promise.all(fresh.map((file) => readNewImage(file, folder, onProblem)));
    throwIfCancelled(job.signal);
    const added = placeImages(
      store,
      read.filter((image) => image !== null),
    );
    report.images += added.length;
    if (added.length > 0) changed(added);
    job.progress(Math.min(start + batchSize, files.length), files.length, batch.at(-1)!.relativePath);
  }
  if (report.images === 0 && known === 0) throw noReadableImages(folder, problems);
  return { ...report, unlabelled: report.images, problems };
}

/** Looks below the folder for the bytes of images whose files are gone, and follows them. */
export async function findMoved(
  store: ProjectStore,
  folder: string,
  job: JobHandle,
  changed: ImagesListener,
): Promise<null> {
  changed(await refreshMissing(store));
  const missing = missingByHash(store);
  if (missing.size === 0) return null;
  const files = await collect(folder, job, (problem) => job.problem(problem));
  for (const [index, file] of files.entries()) {
    throwIfCancelled(job.signal);
    job.progress(index, files.length, file.relativePath);
    if (missing.size === 0) break;
    if (store.imageAt(file.absolutePath)) continue;
    try {
      const image = takeMissing(missing, await hashFile(file.absolutePath, job.signal));
      if (image) changed([store.relinkImage(image.id, folder, file.relativePath)]);
    } catch (error) {
      throwIfCancelled(job.signal);
      job.problem(problemOf(file.relativePath, error));
    }
  }
  job.progress(files.length, files.length, '');
  for (const image of [...missing.values()].flat()) {
    const detail = `No file below ${folder} has the bytes of this image.`;
    job.problem({ file: image.relativePath, kind: 'not-found', detail });
  }
  return null;
}

/** Asks the disk which images are there; resolves to those that went or came back. */
export async function refreshMissing(store: ProjectStore): Promise<ImageRecord[]> {
  const gone: string[] = [];
  const back: string[] = [];
  for (const image of store.images()) {
    const there = await access(store.absolutePath(image.id)).then(
      () => true,
      () => false,
    );
    // The project may have been closed meanwhile.
    if (!store.isOpen) return [];
    if (there === image.missing) (there ? back : gone).push(image.id);
  }
  return [...store.setMissing(gone, true), ...store.setMissing(back, false)];
}

async function collect(
  folder: string,
  job: JobHandle,
  onProblem: JobHandle['problem'],
): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for await (const file of listImageFiles(folder, { signal: job.signal, onProblem })) {
    files.push(file);
    if (files.length % 100 === 0) job.progress(0, null, file.relativePath);
  }
  throwIfCancelled(job.signal);
  return files;
}

async function readNewImage(
  file: ImageFile,
  rootPath: string,
  onProblem: JobHandle['problem'],
): Promise<NewImage | null> {
  try {
    return await decodeQueue.run('background', async () => {
      const { widthPx, heightPx } = await probeImage(file.absolutePath);
      const contentHash = await hashFile(file.absolutePath);
      return { rootPath, relativePath: file.relativePath, contentHash, widthPx, heightPx, split: null };
    });
  } catch (error) {
    onProblem(problemOf(file.relativePath, error));
    return null;
  }
}

/** Adds the images; one whose bytes are those of a missing image is that image, moved. Call `refreshMissing` before the first. */
export function placeImages(store: ProjectStore, images: readonly NewImage[]): ImageRecord[] {
  const missing = missingByHash(store);
  return store.together(() =>
    images.flatMap((image) => {
      const moved = takeMissing(missing, image.contentHash);
      if (!moved) return store.addImages([image]);
      return [store.relinkImage(moved.id, image.rootPath, image.relativePath)];
    }),
  );
}

/** Two files may have had the same bytes: each can be followed. */
function missingByHash(store: ProjectStore): Map<string, ImageRecord[]> {
  const byHash = new Map<string, ImageRecord[]>();
  for (const image of store.missingImages()) {
    byHash.set(image.contentHash, [...(byHash.get(image.contentHash) ?? []), image]);
  }
  return byHash;
}

function takeMissing(byHash: Map<string, ImageRecord[]>, contentHash: string): ImageRecord | null {
  const [first, ...others] = byHash.get(contentHash) ?? [];
  if (others.length > 0) byHash.set(contentHash, others);
  else byHash.delete(contentHash);
  return first ?? null;
}

function noImages(folder: string): Problem {
  return new Problem(
    'bad-input',
    `There are no images in ${folder}.`,
    'Choose a folder with JPEG, PNG, WebP, AVIF, GIF or TIFF files in it or below it.',
  );
}

function noReadableImages(folder: string, problems: ImportReport['problems']): Problem {
  return new Problem(
    'bad-input',
    problems.length === 1
      ? `The only image file in ${basename(folder)} could not be read: ${problems[0]!.detail}`
      : `None of the ${problems.length} files in ${basename(folder)} could be read as an image.`,
    'Look at the list for what is wrong with each, and choose another folder.',
    problems.map(({ file, detail }) => `${file}: ${detail}`).join('\n'),
  );
}
