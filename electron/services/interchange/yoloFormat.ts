/** YOLO on disk: data.yaml, images/ and labels/; or a bare folder with labels beside or opposite its images. */
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { type Split, splits } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { innerPath, UniquePaths, withoutLeading } from '../../../shared/formats/paths.ts';
import { counted, type FormatImage, listed } from '../../../shared/formats/records.ts';
import {
  readYoloConfig,
  readYoloLabels,
  writeYoloConfig,
  writeYoloLabels,
  type YoloConfig,
  yoloBoxes,
  yoloLabelPath,
  yoloLosses,
} from '../../../shared/formats/yolo.ts';
import { throwIfCancelled } from '../jobs.ts';
import {
  type InterchangeFormat,
  type OutgoingFile,
  type ReadContext,
  type SourceDataset,
  type SourceImage,
  type SourceLabels,
  toFormatImage,
  type WriteContext,
} from './format.ts';
import { ImageIndex } from './imageIndex.ts';
import { isFile, isFolder, listFiles, noteOf, readTextInside, slashed } from './sourceFiles.ts';

export const yoloFormat: InterchangeFormat = { title: 'YOLO', detect, read, write };

interface Dataset {
  /** Nothing outside is read. */
  readonly root: string;
  readonly names: ReadonlyMap<number, string>;
  /** Images below the root, with their split. */
  readonly images: ReadonlyMap<string, Split | null>;
}

async function detect(source: string): Promise<boolean> {
  if (await isFile(source)) return /\.ya?ml$/i.test(source);
  if (!(await isFolder(source))) return false;
  if ((await configFile(source)) || (await namesFile(source))) return true;
  return (
    (await isFolder(join(source, 'labels'))) && (await listFiles(join(source, 'labels'), '.txt')).length > 0
  );
}

async function configFile(folder: string): Promise<string | null> {
  for (const name of ['data.yaml', 'data.yml', 'dataset.yaml', 'dataset.yml']) {
    if (await isFile(join(folder, name))) return join(folder, name);
  }
  return null;
}

async function read(context: ReadContext): Promise<SourceDataset> {
  const dataset = await openDataset(context);
  const images: SourceImage[] = [];
  const unlabelled: string[] = [];
  let done = 0;
  for (const [path, split] of dataset.images) {
    throwIfCancelled(context.signal);
    context.progress(done++, dataset.images.size, `Reading labels of ${path}`);
    const labels = await readLabels(dataset, path, context);
    if (labels === 'absent') unlabelled.push(path);
    const place = { rootPath: context.imagesPath ?? dataset.root, relativePath: path, split };
    images.push({ ...place, labels: labels === 'absent' ? null : labels });
  }
  if (unlabelled.length > 0) {
    const detail = `${counted(unlabelled.length, 'image has', 'images have')} no label file and ${
      unlabelled.length === 1 ? 'stays' : 'stay'
    } unlabelled (trainers would take them for background): ${listed(unlabelled)}.`;
    context.note({ file: basename(context.source), kind: 'unlabelled', detail });
  }
  return { images, classes: [...dataset.names].sort(([a], [b]) => a - b).map(([, name]) => ({ name })) };
}

async function openDataset(context: ReadContext): Promise<Dataset> {
  const { source } = context;
  const config = (await isFile(source)) ? source : await configFile(source);
  if (!config) return openBareFolder(context);
  const folder = dirname(config);
  const read = readYoloConfig(await readTextInside(folder, config), basename(config));
  for (const note of read.notes) context.note(note);
  const root = await rootOf(read, folder, context);
  const images = context.imagesPath
    ? await imagesIn(context.imagesPath, context)
    : await imagesOf(read, root, context);
  const names = read.names.size > 0 ? read.names : await namesOf(root, context);
  return { root, names, images };
}

/** `path` where it lies inside the data set's own folder; trainers look elsewhere too, which is not ours to read. */
async function rootOf(config: YoloConfig, folder: string, context: ReadContext): Promise<string> {
  if (config.path === null || config.path === '.') return folder;
  const inner = insideOf(folder, config.path);
  if (inner === '') return folder;
  if (inner !== null && (await isFolder(join(folder, inner)))) return join(folder, inner);
  const detail = `path ${JSON.stringify(config.path)} is not a folder inside the dataset; its own folder is taken.`;
  context.note({ file: 'data.yaml', kind: inner === null ? 'outside-dataset' : 'path', detail });
  return folder;
}

/** A path below the folder, '' for the folder itself, null for one that leads out of it. */
function insideOf(folder: string, path: string): string | null {
  if (!isAbsolute(path)) return innerPath(path);
  const relative = slashed(folder, resolve(path));
  return relative === '' ? '' : innerPath(relative);
}

async function imagesOf(
  config: YoloConfig,
  root: string,
  context: ReadContext,
): Promise<Map<string, Split | null>> {
  const images = new Map<string, Split | null>();
  const twice: string[] = [];
  for (const split of splits) {
    for (const entry of config.entries[split]) {
      for (const path of await imagesOfEntry(entry, root, context)) {
        if (images.has(path)) twice.push(path);
        // Later splits win, so that an image in two of them is kept out of training.
        images.set(path, split);
      }
    }
  }
  if (twice.length > 0) {
    const detail = `${counted(twice.length, 'image is', 'images are')} in two splits and kept out of training: ${listed(twice)}.`;
    context.note({ file: 'data.yaml', kind: 'two-splits', detail });
  }
  return images;
}

async function imagesOfEntry(entry: string, root: string, context: ReadContext): Promise<string[]> {
  const path = await entryPath(entry, root);
  if (path === null) {
    const outside = insideOf(root, entry.replace(/^(?:\.\.[\\/])+/, '')) === null;
    const kind = outside ? 'outside-dataset' : 'missing-image';
    context.note({
      file: 'data.yaml',
      kind,
      detail: `${JSON.stringify(entry)} is nothing inside the dataset.`,
    });
    return [];
  }
  const absolute = join(root, path);
  if (await isFolder(absolute)) {
    const { paths } = await ImageIndex.of(absolute, context);
    return paths.map((below) => `${path}/${below}`.replace(/^\//, ''));
  }
  return extname(path).toLowerCase() === '.txt' ? listedImages(path, root, context) : [path];
}

/** Roboflow writes `../train/images` for what lies beside data.yaml. */
async function entryPath(entry: string, root: string): Promise<string | null> {
  for (const candidate of [entry, entry.replace(/^(?:\.\.[\\/])+/, '')]) {
    const inner = /^\.[\\/]?$/.test(candidate) ? '' : insideOf(root, candidate);
    if (inner === null) continue;
    if ((await isFolder(join(root, inner))) || (await isFile(join(root, inner)))) return inner;
  }
  return null;
}

/** A list of images, one a line, from its own folder or the root. */
async function listedImages(list: string, root: string, context: ReadContext): Promise<string[]> {
  const found: string[] = [];
  const bad: string[] = [];
  const folder = list.includes('/') ? `${list.slice(0, list.lastIndexOf('/'))}/` : '';
  const lines = (await readTextInside(root, join(root, list))).split(/\r?\n/).map((line) => line.trim());
  for (const line of lines.filter((line) => line !== '')) {
    const inner = insideOf(root, line);
    const candidates = inner === null ? [] : [folder + inner, inner];
    let place: string | null = null;
    for (const candidate of candidates) place ??= (await isFile(join(root, candidate))) ? candidate : null;
    if (place === null) bad.push(line);
    else found.push(place);
  }
  if (bad.length > 0) {
    const detail = `${counted(bad.length, 'line names', 'lines name')} no image inside the dataset: ${listed(bad)}.`;
    context.note({ file: list, kind: 'missing-image', detail });
  }
  return found;
}

async function openBareFolder(context: ReadContext): Promise<Dataset> {
  const root = context.source;
  if (!(await isFolder(root))) {
    throw new Problem('bad-input', `${root} is no YOLO data set.`, 'Choose its folder or its data.yaml.');
  }
  const images = await imagesIn(context.imagesPath ?? root, context);
  return { root, images, names: await namesOf(root, context) };
}

/** All images of a folder; a folder named as a split on the way is the split. */
async function imagesIn(folder: string, context: ReadContext): Promise<Map<string, Split | null>> {
  const { paths } = await ImageIndex.of(folder, context);
  return new Map(paths.map((path) => [path, splitInPath(path)]));
}

function splitInPath(path: string): Split | null {
  for (const step of path.toLowerCase().split('/').slice(0, -1)) {
    if (step === 'valid' || step === 'validation') return 'val';
    const split = splits.find((name) => name === step);
    if (split) return split;
  }
  return null;
}

async function namesFile(root: string): Promise<string | null> {
  for (const file of ['classes.txt', 'labels/classes.txt', 'obj.names']) {
    if (await isFile(join(root, file))) return file;
  }
  return null;
}

/** Without a data.yaml: classes.txt by line, and said so; else numbers. */
async function namesOf(root: string, context: ReadContext): Promise<ReadonlyMap<number, string>> {
  const file = await namesFile(root);
  if (file) {
    const lines = (await readTextInside(root, join(root, file))).trimEnd().split(/\r?\n/);
    const names = new Map(lines.map((line, index): [number, string] => [index, line.trim()]));
    const order = [...names].map(([index, name]) => `${index} ${name}`);
    const detail = `Class names taken from the order of its lines: ${listed(order, 12)}. Check that it is the order the labels mean.`;
    context.note({ file, kind: 'class-order', detail });
    return names;
  }
  const detail = 'Nothing names the classes: they are called after their numbers.';
  context.note({ file: basename(context.source), kind: 'class-order', detail });
  return new NumberNames();
}

/** Names for classes known by number only, made as they are met. */
class NumberNames extends Map<number, string> {
  override get(index: number): string | undefined {
    if (!Number.isInteger(index) || index < 0) return undefined;
    if (!this.has(index)) this.set(index, `class ${index}`);
    return super.get(index);
  }
}

async function readLabels(
  dataset: Dataset,
  path: string,
  context: ReadContext,
): Promise<SourceLabels | null | 'absent'> {
  const file = await labelFile(dataset, path, context);
  if (file === null) return 'absent';
  try {
    const isClass = (index: number) => dataset.names.get(index) !== undefined;
    const text = await readTextInside(dataset.root, join(dataset.root, file));
    const { rows, notes } = readYoloLabels(text, isClass, file);
    for (const note of notes) context.note(note);
    if (rows === null) return null;
    return {
      file,
      declaredSize: null,
      incomplete: false,
      boxes: (size) => yoloBoxes(rows, dataset.names, size),
    };
  } catch (error) {
    context.note(noteOf(file, error));
    return null;
  }
}

async function labelFile(dataset: Dataset, path: string, context: ReadContext): Promise<string | null> {
  const candidates = [yoloLabelPath(path)];
  if (context.imagesPath !== null) {
    candidates.push(
      yoloLabelPath(`images/${path}`),
      yoloLabelPath(slashed(dataset.root, join(context.imagesPath, path))),
    );
  }
  for (const candidate of candidates) {
    if (innerPath(candidate) !== null && (await isFile(join(dataset.root, candidate)))) return candidate;
  }
  return null;
}

function write(context: WriteContext): OutgoingFile[] {
  const indexOf = new Map(context.classes.map(({ name }, index) => [name, index]));
  const names = new UniquePaths();
  const images: OutgoingFile[] = [];
  const texts: OutgoingFile[] = [];
  const outgoing: FormatImage[] = [];
  let unassigned = 0;
  for (const image of context.images) {
    if (image.split === null) unassigned++;
    const split = image.split ?? 'train';
    const ownFolders = ['images', split, ...(split === 'val' ? ['valid', 'validation'] : [])];
    const wanted = `images/${split}/${withoutLeading(image.relativePath, ownFolders)}`;
    const path = names.claim(wanted);
    if (path !== wanted) {
      const detail = `Exported as ${path}: another image has the same name, or the same name with another extension.`;
      context.note({ file: image.relativePath, kind: 'renamed', detail });
    }
    const formatImage = toFormatImage(image, path);
    outgoing.push(formatImage);
    images.push({ path, copyOf: image });
    texts.push({ path: yoloLabelPath(path), text: () => writeYoloLabels(formatImage, indexOf) });
  }
  for (const note of yoloLosses(outgoing, 'labels')) context.note(note);
  noteSplits(context, unassigned);
  const present = splits.filter(
    (split) => split !== 'test' || context.images.some((image) => image.split === split),
  );
  const config = writeYoloConfig(
    context.classes.map(({ name }) => name),
    present,
  );
  return [...images, ...texts, { path: 'data.yaml', text: () => config }];
}

function noteSplits(context: WriteContext, unassigned: number): void {
  if (unassigned > 0) {
    const detail = `${counted(unassigned, 'image has', 'images have')} no split and ${unassigned === 1 ? 'is' : 'are'} written to train.`;
    context.note({ file: 'data.yaml', kind: 'no-split', detail });
  }
  if (!context.images.some((image) => image.split === 'val')) {
    const detail = 'No image is in the validation split, which trainers ask for: images/val stays empty.';
    context.note({ file: 'data.yaml', kind: 'no-validation', detail });
  }
}
