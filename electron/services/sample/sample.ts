/**
 * The built-in sample project: a folder with drawn smears and their labels. The same count and seed give the same files to the
 * byte, the database among them: its ids come from contents and its clock stands still.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { type ImageRecord, reviewedStateFor, type Split } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type JobHandle, throwIfCancelled } from '../jobs.ts';
import { asProblem } from '../store/failures.ts';
import { makeFolders } from '../store/folders.ts';
import { makeFolder } from '../store/projectFolder.ts';
import { type NewImage, ProjectStore } from '../store/projectStore.ts';
import { drawField, type SmearCell, smearClasses } from './smear.ts';

export const sampleDefaults = { images: 120, seed: 1 } as const;
const mostImages = 100_000;

export interface SampleOptions {
  readonly images: number;
  readonly seed: number;
}

interface DrawnImage {
  readonly image: NewImage;
  readonly cells: readonly SmearCell[];
}

/**
 * Draws the project into `dir`, a folder that is empty or not there yet. It appears there whole or not at all: it is drawn beside its
 * place and moved in at the end. Throws a Problem; `cancelled` where the job is.
 */
export async function drawSample(dir: string, options: SampleOptions, job?: JobHandle): Promise<void> {
  const { images, seed } = checked(options);
  const target = resolve(dir);
  await assertEmpty(target);
  const workshop = join(makeFolder(dirname(target)), `.${basename(target)}.drawing`);
  try {
    await rm(workshop, { recursive: true, force: true });
    makeFolders(join(workshop, 'images'));
    const drawn = await drawImages(workshop, images, seed, job);
    writeProject(workshop, drawn, seed);
    if (existsSync(target)) await rmdir(target);
    await rename(workshop, target);
  } catch (error) {
    await rm(workshop, { recursive: true, force: true });
    throw asProblem(error, target);
  }
}

/** Of `count` images, this many at the end are left for the user to label. */
export function unlabelledCount(count: number): number {
  return Math.min(20, Math.floor(count / 6));
}

/** An empty field now and then, in training and validation alike: 17 shares no factor with the split's 5. */
export function isEmptyField(index: number): boolean {
  return index % 17 === 14;
}

function splitOf(index: number, count: number): Split | null {
  if (index >= count - unlabelledCount(count)) return null;
  return index % 5 === 2 ? 'val' : 'train';
}

function checked(options: SampleOptions): SampleOptions {
  const { images, seed } = options;
  if (!Number.isInteger(images) || images < 1 || images > mostImages) {
    throw new Problem('bad-input', `The sample cannot have ${images} images.`, `Ask for 1 to ${mostImages}.`);
  }
  if (!Number.isSafeInteger(seed)) {
    throw new Problem('bad-input', `${seed} is no seed.`, 'Use a whole number.');
  }
  return options;
}

async function assertEmpty(target: string): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(target);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      throw asProblem(error, target);
  }
  if (names.length === 0) return;
  throw new Problem(
    'conflict',
    `${target} is not empty.`,
    'Choose a new or empty folder for the sample project.',
  );
}

async function drawImages(
  folder: string,
  count: number,
  seed: number,
  job?: JobHandle,
): Promise<DrawnImage[]> {
  const drawn: Promise<DrawnImage>[] = [];
  try {
    for (let index = 0; index < count; index++) {
      throwIfCancelled(job?.signal);
      const name = `smear_${String(index + 1).padStart(4, '0')}.jpg`;
      job?.progress(index, count, `Drawing ${name}`);
      const field = drawField(seed, index, isEmptyField(index));
      drawn.push(saveField(folder, name, field, splitOf(index, count)));
      // sharp compresses on its own threads while the next field is drawn; no more than a few wait.
      await drawn[index - 3];
    }
    job?.progress(count, count, 'Writing labels');
    return await Promise.all(drawn);
  } finally {
    // Nothing may still be written when the caller cleans up.
    await Promise.allSettled(drawn);
  }
}

async function saveField(
  folder: string,
  name: string,
  field: ReturnType<typeof drawField>,
  split: Split | null,
): Promise<DrawnImage> {
  const { widthPx, heightPx, rgb, cells } = field;
  const jpeg = await sharp(rgb, { raw: { width: widthPx, height: heightPx, channels: 3 } })
    .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
    .toBuffer();
  await writeFile(join(folder, 'images', name), jpeg);
  const contentHash = createHash('sha256').update(jpeg).digest('hex');
  const image = {
    rootPath: join(folder, 'images'),
    relativePath: name,
    contentHash,
    widthPx,
    heightPx,
    split,
  };
  return { image, cells };
}

function writeProject(folder: string, drawn: readonly DrawnImage[], seed: number): void {
  const now = () => '2026-01-01T00:00:00.000Z';
  const store = ProjectStore.create(folder, 'Sample: blood smears', { isSample: true, now });
  try {
    const classIds = new Map(smearClasses.map((name) => [name, store.addClass(name).id]));
    const records = store.addImages(drawn.map(({ image }) => image));
    const labelled = records.slice(0, drawn.length - unlabelledCount(drawn.length));
    store.applyEdits(labelled.map((record, index) => labelEdit(record, drawn[index]!.cells, classIds, seed)));
  } finally {
    store.close();
  }
}

function labelEdit(
  image: ImageRecord,
  cells: readonly SmearCell[],
  classIds: ReadonlyMap<string, number>,
  seed: number,
): Edit {
  const boxes = cells.map(({ className, boxPx, truncated, occluded }, index): BoxRecord => {
    const id = createHash('sha256')
      .update(`sample/${seed}/${image.relativePath}/${index}`)
      .digest('hex')
      .slice(0, 24);
    return {
      id,
      imageId: image.id,
      classId: classIds.get(className)!,
      boxPx,
      ...{ status: 'label', origin: 'person', score: null, runId: null },
      ...{ ignore: false, difficult: false, occluded, truncated },
    };
  });
  return {
    imageId: image.id,
    label: 'Draw sample labels',
    boxes: boxes.map((after) => ({ before: null, after })),
    state: { before: image.state, after: reviewedStateFor(boxes.length) },
  };
}
