/** Pascal VOC on disk: Annotations/, JPEGImages/, ImageSets/Main/; or XML files beside their images. */
import { basename, dirname, join } from 'node:path';
import { type Split, splits } from '../../../shared/domain/image.ts';
import { fileName, innerPath, stemOf, UniquePaths, withoutExtension } from '../../../shared/formats/paths.ts';
import { counted, type FormatImage, listed } from '../../../shared/formats/records.ts';
import {
  provesZeroBased,
  readImageSet,
  readVoc,
  type VocAnnotation,
  type VocDialect,
  vocBoxes,
  vocLosses,
  writeVoc,
} from '../../../shared/formats/voc.ts';
import { throwIfCancelled } from '../jobs.ts';
import {
  type InterchangeFormat,
  type OutgoingFile,
  type ReadContext,
  type SourceDataset,
  type SourceImage,
  toFormatImage,
  type WriteContext,
} from './format.ts';
import { ImageIndex } from './imageIndex.ts';
import { firstFolder, isFile, isFolder, listFiles, noteOf, readTextInside, slashed } from './sourceFiles.ts';

export const vocFormat: InterchangeFormat = { title: 'Pascal VOC', detect, read, write };

interface Layout {
  readonly root: string;
  readonly annotations: string;
  readonly images: string;
}

interface AnnotationFile {
  /** Below the data set, for messages. */
  readonly file: string;
  /** Below the annotations' folder, without extension. */
  readonly pathStem: string;
  readonly annotation: VocAnnotation;
}

async function detect(source: string): Promise<boolean> {
  if (!(await isFolder(source))) return false;
  const { root, annotations } = await layoutOf(source, null);
  // One file may be broken or somebody else's: a few are asked.
  for (const path of (await listFiles(annotations, '.xml')).slice(0, 20)) {
    const text = await readTextInside(root, path).catch(() => '');
    if (/<annotation[\s>]/.test(text)) return true;
  }
  return false;
}

async function layoutOf(source: string, imagesPath: string | null): Promise<Layout> {
  // Naming the Annotations folder itself is as good as naming the data set.
  const inside = basename(source).toLowerCase() === 'annotations';
  const root = inside && (await isFolder(join(dirname(source), 'JPEGImages'))) ? dirname(source) : source;
  const annotations = await firstFolder(join(root, 'Annotations'), join(root, 'annotations'));
  const images = imagesPath ?? (await firstFolder(join(root, 'JPEGImages'), join(root, 'images')));
  return { root, annotations: annotations ?? root, images: images ?? root };
}

async function read(context: ReadContext): Promise<SourceDataset> {
  const layout = await layoutOf(context.source, context.imagesPath);
  const index = await ImageIndex.of(layout.images, context);
  const annotations = await readAnnotations(layout, context);
  const dialect = decideDialect(annotations, context);
  const splitByStem = await readSplits(layout, index, context);
  const matched = matchImages(annotations, index, context);
  const images = index.paths.map((relativePath): SourceImage => {
    const split =
      splitByStem.get(withoutExtension(relativePath)) ?? splitByStem.get(stemOf(relativePath)) ?? null;
    const place = { rootPath: layout.images, relativePath, split };
    const found = matched.get(relativePath);
    if (!found) return { ...place, labels: null };
    const { boxes, notes } = vocBoxes(found.annotation, dialect, found.file);
    for (const note of notes) context.note(note);
    const declaredSize = found.annotation.size;
    return { ...place, labels: { file: found.file, declaredSize, incomplete: false, boxes: () => boxes } };
  });
  const objects = annotations.flatMap(({ annotation }) => annotation.objects);
  const names = new Set(
    objects.filter(({ raw }) => !raw.every(Number.isNaN)).map(({ className }) => className),
  );
  return { images, classes: [...names].map((name) => ({ name })) };
}

async function readAnnotations(layout: Layout, context: ReadContext): Promise<AnnotationFile[]> {
  const paths = await listFiles(layout.annotations, '.xml', context.signal);
  const files: AnnotationFile[] = [];
  for (const [done, path] of paths.entries()) {
    throwIfCancelled(context.signal);
    const file = slashed(layout.root, path);
    context.progress(done, paths.length, `Reading ${file}`);
    try {
      const annotation = readVoc(await readTextInside(layout.root, path), file);
      for (const note of annotation.notes) context.note(note);
      files.push({ file, pathStem: withoutExtension(slashed(layout.annotations, path)), annotation });
    } catch (error) {
      context.note(noteOf(file, error));
    }
  }
  return files;
}

function decideDialect(files: readonly AnnotationFile[], context: ReadContext): VocDialect {
  const proof = files.find(({ annotation }) => provesZeroBased(annotation));
  if (context.dialect) {
    if (proof && context.dialect === 'spec') {
      const detail = 'Holds a coordinate 0, which the specification (first pixel 1) cannot; read as asked.';
      context.note({ file: proof.file, kind: 'dialect', detail });
    }
    return context.dialect;
  }
  if (proof) {
    const detail =
      'Holds a coordinate 0, so the data set does not count from 1: its numbers are taken as edges.';
    context.note({ file: proof.file, kind: 'dialect', detail });
    return 'zero-based';
  }
  if (files.some(({ annotation }) => annotation.objects.length > 0 && !annotation.isOurs)) {
    const detail =
      'No file tells whether pixels count from 1, as the specification says, or from 0; read as specified. ' +
      'Where boxes sit one pixel too far up and left, import with the dialect zero-based.';
    context.note({ file: basename(context.source), kind: 'dialect', detail });
  }
  return 'spec';
}

async function readSplits(
  layout: Layout,
  index: ImageIndex,
  context: ReadContext,
): Promise<Map<string, Split>> {
  const splitByStem = new Map<string, Split>();
  // In this order, so that an image in two lists is kept out of training.
  for (const split of splits) {
    const path = join(layout.root, 'ImageSets', 'Main', `${split}.txt`);
    if (!(await isFile(path))) continue;
    const file = slashed(layout.root, path);
    try {
      const stems = readImageSet(await readTextInside(layout.root, path), (stem) => index.hasStem(stem));
      const unknown = stems.filter((stem) => !index.hasStem(stem));
      if (unknown.length > 0) {
        const detail = `${counted(unknown.length, 'name has', 'names have')} no image: ${listed(unknown)}.`;
        context.note({ file, kind: 'missing-image', detail });
      }
      const twice = stems.filter((stem) => splitByStem.has(stem));
      if (twice.length > 0) {
        const detail = `${counted(twice.length, 'image is', 'images are')} in another split too and counted here: ${listed(twice)}.`;
        context.note({ file, kind: 'two-splits', detail });
      }
      for (const stem of stems) splitByStem.set(stem, split);
    } catch (error) {
      context.note(noteOf(file, error));
    }
  }
  return splitByStem;
}

/** Annotations by the path of their image. The XML's own name counts first: `filename` is stale as soon as a file is renamed. */
function matchImages(
  files: readonly AnnotationFile[],
  index: ImageIndex,
  context: ReadContext,
): Map<string, AnnotationFile> {
  const matched = new Map<string, AnnotationFile>();
  for (const found of files) {
    const { file, annotation } = found;
    const named = annotation.filename === null ? null : innerPath(annotation.filename);
    if (annotation.filename !== null && named === null) {
      const detail = `filename is ${JSON.stringify(annotation.filename)}: outside the dataset, so it is not followed.`;
      context.note({ file, kind: 'outside-dataset', detail });
    }
    const path = imageOf(found, named, index);
    if (path === null) {
      const detail = `No image ${named ?? found.pathStem} for it; its ${counted(annotation.objects.length, 'box is', 'boxes are')} left out.`;
      context.note({ file, kind: 'missing-image', detail });
      continue;
    }
    const earlier = matched.get(path);
    if (earlier) {
      const detail = `${path} has its labels from ${earlier.file} already; this file is left out.`;
      context.note({ file, kind: 'duplicate-labels', detail });
      continue;
    }
    if (named !== null && stemOf(named) !== stemOf(path)) {
      const detail = `filename says ${named}; taken for ${path}, which bears the file's own name.`;
      context.note({ file, kind: 'stale-filename', detail });
    }
    matched.set(path, found);
  }
  return matched;
}

function imageOf(found: AnnotationFile, named: string | null, index: ImageIndex): string | null {
  const own = index.atPathStem(found.pathStem);
  if (own !== null) return own;
  if (named !== null && index.has(named)) return named;
  return (named === null ? null : index.named(fileName(named))) ?? index.withStem(stemOf(found.pathStem));
}

/** VOC knows no folders: names are made unique by their stem, which is all an ImageSets list has. */
function write(context: WriteContext): OutgoingFile[] {
  const names = new UniquePaths();
  const images: OutgoingFile[] = [];
  const texts: OutgoingFile[] = [];
  const outgoing: FormatImage[] = [];
  const stems: Record<Split, string[]> = { train: [], val: [], test: [] };
  for (const image of context.images) {
    const wanted = fileName(image.relativePath);
    const oneLine = wanted.replace(/\p{Cc}/gu, '_');
    const name = names.claim(oneLine);
    if (name !== wanted) {
      const why =
        oneLine === wanted
          ? 'another image has the same name, and VOC has no folders'
          : 'its name holds a line break, which ends a line of VOC’s lists';
      const detail = `Exported as ${name}: ${why}.`;
      context.note({ file: image.relativePath, kind: 'renamed', detail });
    }
    const path = `Annotations/${stemOf(name)}.xml`;
    const formatImage = toFormatImage(image, name);
    outgoing.push(formatImage);
    images.push({ path: `JPEGImages/${name}`, copyOf: image });
    texts.push({ path, text: () => writeVoc(formatImage, name) });
    if (image.split) stems[image.split].push(stemOf(name));
  }
  for (const note of vocLosses(outgoing, 'Annotations')) context.note(note);
  const lists: [string, string[]][] = [
    ...splits.map((split): [string, string[]] => [split, stems[split]]),
    ['trainval', [...stems.train, ...stems.val]],
  ];
  const sets = lists
    .filter(([, members]) => members.length > 0)
    .map(
      ([name, members]): OutgoingFile => ({
        path: `ImageSets/Main/${name}.txt`,
        text: () => members.map((stem) => `${stem}\n`).join(''),
      }),
    );
  return [...images, ...texts, ...sets];
}
