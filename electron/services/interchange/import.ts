/** Images and labels from a data set in another format into the project. What goes wrong with a file is listed; the rest goes on. */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { FormatName, ImportReport } from '../../../shared/contract/schemas.ts';
import type { BoxRecord } from '../../../shared/domain/box.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import type { ImageRecord } from '../../../shared/domain/image.ts';
import { Problem, toProblemData } from '../../../shared/domain/problem.ts';
import { counted, listed, type Note } from '../../../shared/formats/records.ts';
import type { VocDialect } from '../../../shared/formats/voc.ts';
import { type JobHandle, throwIfCancelled } from '../jobs.ts';
import { placeImages, refreshMissing } from '../projects/addFolder.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import type { SourceClass, SourceImage } from './format.ts';
import { detectFormat, interchangeFormats } from './formatRegistry.ts';
import { type PlacedImage, placeImage } from './placeLabels.ts';
import { ProblemList } from './problemList.ts';
import { noteOf, realSource } from './sourceFiles.ts';

export interface ImportRequest {
  /** A folder, or a format's own file. */
  readonly source: string;
  /** Absent: told by what is there. */
  readonly format?: FormatName | undefined;
  readonly imagesPath?: string | undefined;
  readonly dialect?: VocDialect | undefined;
  /** Everything is read and reported, nothing is written. */
  readonly dryRun: boolean;
}

/** Files looked at side by side, and images that go into the project in one transaction. */
const batchSize = 64;

/**
 * Reads the data set and adds its images and labels. An image that already has labels in the project keeps them, also
 * where its file has moved. Throws where there is nothing to import, and `cancelled`; what was imported until then stays.
 */
export async function importInto(
  store: ProjectStore,
  request: ImportRequest,
  job: JobHandle,
): Promise<ImportReport> {
  const problems = new ProblemList(job);
  const note = (problem: Note) => problems.add(problem);
  const source = await realSource(request.source);
  const imagesPath = request.imagesPath === undefined ? null : await realSource(request.imagesPath);
  const format = interchangeFormats[request.format ?? (await detectFormat(source))];
  const { signal } = job;
  const progress: JobHandle['progress'] = (done, total, message) => job.progress(done, total, message);
  const dialect = request.dialect ?? null;
  const dataset = await format.read({ source, imagesPath, dialect, signal, note, progress });
  throwIfCancelled(signal);
  if (dataset.images.length === 0) throw noImages(request, format.title, problems.all());

  if (!request.dryRun) await refreshMissing(store);
  const target = request.dryRun ? null : new ImportTarget(store, note);
  target?.addClasses(dataset.classes);
  const counts = new Counts(dataset.classes);
  for (let start = 0; start < dataset.images.length; start += batchSize) {
    const batch = dataset.images.slice(start, start + batchSize);
    job.progress(start, dataset.images.length, batch[0]!.relativePath);
    const placed = await placeBatch(batch, job, note);
    counts.add(placed);
    target?.write(placed);
  }
  target?.finish(basename(source));
  job.progress(dataset.images.length, dataset.images.length, 'Done');
  return { ...counts.report(), problems: problems.all() };
}

function noImages(request: ImportRequest, title: string, problems: readonly Note[]): Problem {
  const first = problems[0];
  return new Problem(
    'bad-input',
    `${request.source} has no images that its ${title} labels speak of${first ? ` (${first.file}: ${first.detail})` : '.'}`,
    'Choose the folder that holds both, or name the folder of the images.',
    problems.map(({ file, kind, detail }) => `${file}: ${kind}: ${detail}`).join('\n'),
  );
}

/** Looks at a batch's images side by side and keeps their order. Unreadable ones are noted and dropped. */
async function placeBatch(
  batch: readonly SourceImage[],
  job: JobHandle,
  note: (note: Note) => void,
): Promise<PlacedImage[]> {
  const placed = await Promise.all(
    batch.map(async (image) => {
      throwIfCancelled(job.signal);
      try {
        return await placeImage(image, job.signal);
      } catch (error) {
        throwIfCancelled(job.signal);
        return noteOf(image.relativePath, error);
      }
    }),
  );
  const read: PlacedImage[] = [];
  for (const outcome of placed) {
    if (!('image' in outcome)) note(outcome);
    else {
      for (const problem of outcome.notes) note(problem);
      read.push(outcome);
    }
  }
  return read;
}

class Counts {
  #images = 0;
  #boxes = 0;
  #negatives = 0;
  #unlabelled = 0;
  readonly #classes: readonly SourceClass[];

  constructor(classes: readonly SourceClass[]) {
    this.#classes = classes;
  }

  add(placed: readonly PlacedImage[]): void {
    this.#images += placed.length;
    for (const { boxes, state } of placed) {
      this.#boxes += boxes.length;
      if (state === 'reviewed-empty') this.#negatives++;
      if (state === 'unlabelled') this.#unlabelled++;
    }
  }

  report(): Omit<ImportReport, 'problems'> {
    const classes = [...new Set(this.#classes.map(({ name }) => name))];
    return {
      images: this.#images,
      boxes: this.#boxes,
      classes,
      negatives: this.#negatives,
      unlabelled: this.#unlabelled,
    };
  }
}

/** Writes into the project and remembers what was there before. */
class ImportTarget {
  readonly #store: ProjectStore;
  readonly #note: (note: Note) => void;
  readonly #classIds = new Map<string, number>();
  readonly #kept: string[] = [];

  constructor(store: ProjectStore, note: (note: Note) => void) {
    this.#store = store;
    this.#note = note;
  }

  addClasses(classes: readonly SourceClass[]): void {
    for (const { name, preferredId } of classes) {
      try {
        this.#classIds.set(name, this.#store.addClass(name, preferredId).id);
      } catch (error) {
        const problem = toProblemData(error);
        if (problem.kind !== 'bad-input') throw error;
        const detail = `${problem.message} Its boxes are left out.`;
        this.#note({ file: name.slice(0, 80), kind: 'bad-class', detail });
      }
    }
  }

  write(placed: readonly PlacedImage[]): void {
    const records = placeImages(
      this.#store,
      placed.map(({ image }) => image),
    );
    const edits: Edit[] = [];
    records.forEach((record, index) => {
      const source = placed[index]!;
      if (record.split === null && source.image.split) this.#store.setSplit([record.id], source.image.split);
      if (source.state === 'unlabelled') return;
      if (record.state !== 'unlabelled' || record.labelCount > 0) this.#kept.push(record.relativePath);
      else edits.push(this.#edit(record, source));
    });
    this.#store.applyEdits(edits);
  }

  /** One note for all images whose labels were there before. */
  finish(file: string): void {
    if (this.#kept.length === 0) return;
    const detail = `${counted(this.#kept.length, 'image has', 'images have')} labels in the project already, which were kept: ${listed(this.#kept)}.`;
    this.#note({ file, kind: 'already-labelled', detail });
  }

  #edit(image: ImageRecord, { boxes, state }: PlacedImage): Edit {
    const known = boxes.filter(({ className }) => this.#classIds.has(className));
    const after = known.map(
      ({ className, ...box }): BoxRecord => ({
        ...box,
        id: randomUUID(),
        imageId: image.id,
        classId: this.#classIds.get(className)!,
        ...{ status: 'label', origin: 'person', score: null, runId: null },
      }),
    );
    return {
      imageId: image.id,
      label: 'Import labels',
      boxes: after.map((box) => ({ before: null, after: box })),
      state: { before: image.state, after: known.length < boxes.length ? 'in-progress' : state },
    };
  }
}
