/** COCO on disk: one instances file a split, images beside it or under names that tools have made customary. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Split } from '../../../shared/domain/image.ts';
import { splits } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type CocoImage, CocoReader, cocoLosses, writeCoco } from '../../../shared/formats/coco.ts';
import { innerPath, stemOf, UniquePaths, withoutLeading } from '../../../shared/formats/paths.ts';
import { counted, type FormatImage, listed } from '../../../shared/formats/records.ts';
import { openFile } from '../images/openFile.ts';
import { throwIfCancelled } from '../jobs.ts';
import {
  type InterchangeFormat,
  type OutgoingFile,
  type OutgoingImage,
  type ReadContext,
  type SourceClass,
  type SourceDataset,
  type SourceImage,
  toFormatImage,
  type WriteContext,
} from './format.ts';
import { readElements } from './jsonElements.ts';
import { isFile, isFolder, listFiles, slashed } from './sourceFiles.ts';

export const cocoFormat: InterchangeFormat = { title: 'COCO', detect, read, write };

async function detect(source: string): Promise<boolean> {
  return (await instanceFiles(source)).length > 0;
}

/** The files to read: the one named, or those of a folder that look like instances. */
async function instanceFiles(source: string, signal?: AbortSignal): Promise<string[]> {
  if (await isFile(source)) return source.toLowerCase().endsWith('.json') ? [source] : [];
  if (!(await isFolder(source))) return [];
  const candidates: string[] = [];
  for (const path of await listFiles(source, '.json', signal)) {
    if (await looksLikeCoco(path)) candidates.push(path);
  }
  const instances = candidates.filter((path) => /^instances/i.test(basename(path)));
  return instances.length > 0 ? instances : candidates;
}

/** From the first bytes: a million-line file is not read to know what it is. */
async function looksLikeCoco(path: string): Promise<boolean> {
  try {
    const file = await openFile(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
      const head = buffer.toString('utf8', 0, bytesRead);
      return (
        /^\s*\{/.test(head.replace(/^\ufeff/, '')) &&
        /"(images|annotations|categories|licenses)"\s*:\s*\[/.test(head)
      );
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

interface InstancesFile {
  readonly file: string;
  readonly path: string;
  readonly split: Split | null;
  readonly images: readonly CocoImage[];
  /** Without an `annotations` member a file says nothing about what is on its images. */
  readonly hasAnnotations: boolean;
}

async function read(context: ReadContext): Promise<SourceDataset> {
  const root = await datasetRoot(context.source);
  const files: InstancesFile[] = [];
  const classes = new Map<string, SourceClass>();
  for (const path of await instanceFiles(context.source, context.signal)) {
    const file = slashed(root, path);
    const { images, categories, hasAnnotations } = await readInstances(path, file, context);
    files.push({ file, path, split: splitOf(file), images, hasAnnotations });
    for (const { id, name } of categories) addCategory(classes, id, name, file, context);
  }
  if (files.length === 0) {
    throw new Problem(
      'bad-input',
      `${context.source} holds no COCO file: no JSON with images and annotations.`,
      'Name the instances file itself, or choose another format.',
    );
  }
  const imageRoot = context.imagesPath ?? root;
  const images = new Map<string, SourceImage>();
  for (const file of files) await addImages(images, imageRoot, file, context);
  return { images: [...images.values()], classes: [...classes.values()] };
}

async function datasetRoot(source: string): Promise<string> {
  if (await isFolder(source)) return source;
  const folder = dirname(source);
  return basename(folder).toLowerCase() === 'annotations' ? dirname(folder) : folder;
}

async function readInstances(path: string, file: string, context: ReadContext) {
  const reader = new CocoReader(file);
  const { size } = await stat(path);
  const onProgress = (bytes: number) => context.progress(bytes, size, `Reading ${file}`);
  const report = { signal: context.signal, onProgress };
  const members = await readElements(path, file, report, ({ key, value }) => {
    if (key === 'images') reader.addImage(value);
    else if (key === 'annotations') reader.addAnnotation(value);
    else if (key === 'categories') reader.addCategory(value);
  });
  const { images, categories, notes } = reader.finish();
  for (const note of notes) context.note(note);
  return { images, categories, hasAnnotations: members.has('annotations') };
}

/** Two files may number their categories differently: names join them, and the first id is kept. */
function addCategory(
  classes: Map<string, SourceClass>,
  id: number,
  name: string,
  file: string,
  context: ReadContext,
): void {
  const known = classes.get(name);
  if (!known) classes.set(name, { name, preferredId: id });
  else if (known.preferredId !== id) {
    const detail = `The category "${name}" has the ids ${known.preferredId} and ${id}; it becomes one class.`;
    context.note({ file, kind: 'duplicate-class', detail });
  }
}

/** From the file's name, or its folder's as Roboflow has it. */
function splitOf(file: string): Split | null {
  const words = `${basename(dirname(file))} ${stemOf(file)}`.toLowerCase();
  const found = /(?:^|[^a-z])(train|val|test)(?:id(?:ation)?)?(?:[^a-z]|$)/.exec(words)?.[1];
  return splits.find((split) => split === found) ?? null;
}

async function addImages(
  images: Map<string, SourceImage>,
  root: string,
  from: InstancesFile,
  context: ReadContext,
): Promise<void> {
  const { file } = from;
  const places = new ImagePlaces(root, from, context.imagesPath !== null);
  const missing: string[] = [];
  for (const [done, image] of from.images.entries()) {
    throwIfCancelled(context.signal);
    context.progress(done, from.images.length, `Looking for ${image.fileName}`);
    const inner = innerPath(image.fileName);
    if (inner === null) {
      const detail = `file_name ${JSON.stringify(image.fileName)} is outside the dataset; the image is left out.`;
      context.note({ file, kind: 'outside-dataset', detail });
      continue;
    }
    const relativePath = await places.find(inner);
    if (relativePath === null) missing.push(inner);
    else addImage(images, root, from, image, relativePath, context);
  }
  if (missing.length === 0) return;
  const detail = `${counted(missing.length, 'image is', 'images are')} not there and left out with ${
    missing.length === 1 ? 'its' : 'their'
  } boxes: ${listed(missing)}. Name the folder of the images if they lie elsewhere.`;
  context.note({ file, kind: 'missing-image', detail });
}

function addImage(
  images: Map<string, SourceImage>,
  root: string,
  { file, split, hasAnnotations }: InstancesFile,
  image: CocoImage,
  relativePath: string,
  context: ReadContext,
): void {
  const earlier = images.get(relativePath);
  if (earlier?.labels && hasAnnotations) {
    const detail = `${relativePath} has labels in an earlier file too; those are kept.`;
    context.note({ file, kind: 'duplicate-image', detail });
    return;
  }
  if (earlier && !hasAnnotations) return;
  const { size: declaredSize, incomplete, boxes } = image;
  const labels = { file: relativePath, declaredSize, incomplete, boxes: () => boxes };
  images.set(relativePath, { rootPath: root, relativePath, split, labels: hasAnnotations ? labels : null });
}

/** Where a file's images lie below the root, among the places tools put them. */
class ImagePlaces {
  readonly #root: string;
  #folders: readonly string[];

  constructor(root: string, from: InstancesFile, rootIsGiven: boolean) {
    this.#root = root;
    const beside = slashed(root, dirname(from.path));
    const name = stemOf(from.file).replace(/^(?:instances|person_keypoints|image_info)_/, '');
    const folders = rootIsGiven
      ? ['', name, 'images']
      : [beside.startsWith('..') ? '' : beside, '', 'images', `images/${name}`, name, 'JPEGImages'];
    this.#folders = [...new Set(folders)];
  }

  /** The image's path below the root, or null. */
  async find(inner: string): Promise<string | null> {
    for (const folder of this.#folders) {
      const path = folder === '' ? inner : `${folder}/${inner}`;
      if (!(await isFile(join(this.#root, path)))) continue;
      // The next image most likely lies there too.
      this.#folders = [folder, ...this.#folders.filter((other) => other !== folder)];
      return path;
    }
    return null;
  }
}

function write(context: WriteContext): OutgoingFile[] {
  const names = new UniquePaths({ byStem: false });
  const bySplit = new Map<string, { image: OutgoingImage; path: string }[]>();
  const files: OutgoingFile[] = [];
  for (const image of context.images) {
    const wanted = withoutLeading(image.relativePath, ['images']);
    const path = names.claim(wanted);
    if (path !== wanted) {
      const detail = `Exported as ${path}: another image has the same path in its folder, but for upper and lower case at most.`;
      context.note({ file: image.relativePath, kind: 'renamed', detail });
    }
    files.push({ path: `images/${path}`, copyOf: image });
    const set = image.split ?? 'unassigned';
    bySplit.set(set, [...(bySplit.get(set) ?? []), { image, path }]);
  }
  noteIds(context);
  const outgoing: FormatImage[] = [];
  for (const [set, members] of bySplit) {
    const path = `annotations/instances_${set}.json`;
    const formatImages = members.map((member) => toFormatImage(member.image, member.path));
    outgoing.push(...formatImages);
    files.push({ path, text: () => `${JSON.stringify(writeCoco(formatImages, context.classes))}\n` });
  }
  for (const note of cocoLosses(outgoing, 'annotations')) context.note(note);
  return files;
}

/** Ids that do not count 1, 2, 3… surprise tools that go by position. */
function noteIds(context: WriteContext): void {
  const ids = context.classes.map(({ id }) => id);
  if (ids.every((id, index) => id === index + 1)) return;
  const mapping = context.classes.map(({ id, name }) => `${id} ${name}`);
  const detail = `Category ids are the classes' own: ${listed(mapping, 12)}. Map by id, never by position.`;
  context.note({ file: 'annotations', kind: 'class-ids', detail });
}
