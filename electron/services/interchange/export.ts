/** The project's reviewed images and labels as a data set in another format. Proposals and images nobody has reviewed stay here. */
import { constants } from 'node:fs';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import type { ExportReport, FormatName } from '../../../shared/contract/schemas.ts';
import { type BoxRecord, labelsOf } from '../../../shared/domain/box.ts';
import { type ImageRecord, isReviewed, type Split } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { innerPath } from '../../../shared/formats/paths.ts';
import { counted, listed, type Note } from '../../../shared/formats/records.ts';
import { openableImagePath } from '../images/files.ts';
import { probeDetails } from '../images/probe.ts';
import { type JobHandle, throwIfCancelled } from '../jobs.ts';
import { writeFileAtomically } from '../store/atomicFile.ts';
import { asProblem } from '../store/failures.ts';
import { makeFolders } from '../store/folders.ts';
import { makeFolder } from '../store/projectFolder.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import type { OutgoingFile, OutgoingImage } from './format.ts';
import { interchangeFormats } from './formatRegistry.ts';
import { ProblemList } from './problemList.ts';
import { noteOf } from './sourceFiles.ts';

export interface ExportRequest {
  /** A new or empty folder, or one of our own exports, which is replaced. */
  readonly dest: string;
  readonly format: FormatName;
  /** Only this split; absent: all images. */
  readonly split?: Split | undefined;
}

/** Tells our exports from folders that are somebody else's, and which files in one are ours. */
const markerName = '.boxwright-export.json';
const markerSchema = z.object({ format: z.string(), files: z.array(z.string()) });

/** Throws where the destination is not ours to write, and `cancelled`; a file that cannot be copied is listed and left out. */
export async function exportFrom(
  store: ProjectStore,
  request: ExportRequest,
  job: JobHandle,
): Promise<ExportReport> {
  const problems = new ProblemList(job);
  const note = (problem: Note) => problems.add(problem);
  const dest = resolve(request.dest);
  const all = store.images().filter((image) => request.split === undefined || image.split === request.split);
  const reviewed = all.filter((image) => isReviewed(image.state));
  if (reviewed.length === 0) throw nothingReviewed(all.length, request.split);
  const earlier = await openDestination(dest);
  const images = await gather(store, reviewed, job, note);
  const classes = store.classes();
  const files = interchangeFormats[request.format].write({ images, classes, note });
  try {
    await removeEarlier(dest, earlier);
    await writeFiles(dest, request.format, files, job);
  } catch (error) {
    throw asProblem(error, dest);
  }
  return {
    images: images.length,
    boxes: images.reduce((sum, image) => sum + image.boxes.length, 0),
    classes: classes.map(({ name }) => name),
    negatives: images.filter((image) => image.boxes.length === 0).length,
    omitted: all.length - reviewed.length,
    files: files.length,
    problems: problems.all(),
  };
}

function nothingReviewed(count: number, split: Split | undefined): Problem {
  const part = split === undefined ? 'the project' : `the split ${split}`;
  return new Problem(
    'bad-input',
    count === 0
      ? `There is no image in ${part}, so there is nothing to export.`
      : `No image of ${part} is reviewed yet (${counted(count, 'waits', 'wait')}), so there is nothing to export.`,
    'Mark the images that are finished as reviewed, then export again: unfinished ones would pass for empty.',
  );
}

function allMissing(count: number): Problem {
  return new Problem(
    'not-found',
    count === 1
      ? 'The image to export is not where it was, so nothing was written.'
      : `None of the ${count} images to export is where it was, so nothing was written.`,
    'Connect their disk, or add or import the folder they are in now: images are known by their content.',
  );
}

/** The files of an earlier export there. Throws `conflict` where the folder holds anything we did not write. */
async function openDestination(dest: string): Promise<readonly string[]> {
  try {
    makeFolder(dest);
    const names = await readdir(dest);
    if (names.length === 0) return [];
    if (names.includes(markerName)) {
      const marker = await readFile(join(dest, markerName), 'utf8');
      return markerSchema.parse(JSON.parse(marker)).files;
    }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) throw notEmpty(dest);
    throw asProblem(error, dest);
  }
  throw notEmpty(dest);
}

function notEmpty(dest: string): Problem {
  return new Problem(
    'conflict',
    `${dest} is not empty and is no earlier export of Boxwright, so nothing was written.`,
    'Choose a new or empty folder.',
  );
}

async function gather(
  store: ProjectStore,
  images: readonly ImageRecord[],
  job: JobHandle,
  note: (note: Note) => void,
): Promise<OutgoingImage[]> {
  const boxesByImage = store.boxesByImage();
  const nameOf = new Map(store.classes().map(({ id, name }) => [id, name]));
  const gathered: OutgoingImage[] = [];
  const missing: string[] = [];
  let drawnByModel = 0;
  for (const [done, image] of images.entries()) {
    throwIfCancelled(job.signal);
    job.progress(done, images.length, `Looking at ${image.relativePath}`);
    try {
      const rootPath = store.rootPath(image.id);
      const absolutePath = await openableImagePath(rootPath, store.absolutePath(image.id));
      const boxes = labelsOf(boxesByImage.get(image.id) ?? []);
      const { orientation } = await probeDetails(absolutePath);
      if (orientation > 1) {
        const detail = `EXIF (${orientation}) turns or mirrors this photo: boxes and sizes are for it as shown, so readers must apply EXIF.`;
        note({ file: image.relativePath, kind: 'exif', detail });
      }
      gathered.push(outgoing(image, rootPath, absolutePath, boxes, nameOf));
      drawnByModel += boxes.filter((box) => box.origin === 'model').length;
    } catch (error) {
      const problem = noteOf(image.relativePath, error);
      if (problem.kind === 'not-found') missing.push(image.relativePath);
      else note(problem);
    }
  }
  if (missing.length === images.length) throw allMissing(images.length);
  if (missing.length > 0) {
    const detail = `${counted(missing.length, 'image is', 'images are')} not where ${missing.length === 1 ? 'it was' : 'they were'} and left out: ${listed(missing)}. Add or import the folder they are in now: images are known by their content.`;
    note({ file: '', kind: 'not-found', detail });
  }
  if (drawnByModel > 0) {
    const detail = `${counted(drawnByModel, 'label was', 'labels were')} first drawn by a model: no format has a place for that.`;
    note({ file: '', kind: 'not-kept', detail });
  }
  return gathered;
}

function outgoing(
  image: ImageRecord,
  rootPath: string,
  absolutePath: string,
  boxes: readonly BoxRecord[],
  nameOf: ReadonlyMap<number, string>,
): OutgoingImage {
  const { relativePath, widthPx, heightPx, split } = image;
  return {
    ...{ absolutePath, rootPath, relativePath, widthPx, heightPx, split },
    boxes: boxes.map(({ classId, boxPx, ignore, difficult, occluded, truncated }) => ({
      className: nameOf.get(classId)!,
      ...{ boxPx, ignore, difficult, occluded, truncated },
    })),
  };
}

/** Only what the marker names, and only inside the folder. */
async function removeEarlier(dest: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const inner = innerPath(file);
    if (inner !== null) await rm(join(dest, inner), { force: true });
  }
}

async function writeFiles(
  dest: string,
  format: FormatName,
  files: readonly OutgoingFile[],
  job: JobHandle,
): Promise<void> {
  // First, so that an export cut short is still known as ours.
  const marker = { format, files: files.map(({ path }) => path) };
  await writeFileAtomically(join(dest, markerName), `${JSON.stringify(marker)}\n`);
  for (const [done, file] of files.entries()) {
    throwIfCancelled(job.signal);
    job.progress(done, files.length, `Writing ${file.path}`);
    const path = join(dest, file.path);
    makeFolders(dirname(path));
    if ('text' in file) await writeFile(path, file.text());
    // A copy and no link: trainers rewrite images they find faulty, and the user's photo must not change.
    else await copyFile(file.copyOf.absolutePath, path, constants.COPYFILE_FICLONE);
  }
  job.progress(files.length, files.length, 'Done');
}
