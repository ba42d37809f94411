/** `sample`, `import` and `export`: images and labels in and out of a project. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type {
  ExportReport,
  FormatName,
  ImportProblem,
  ImportReport,
} from '../../../shared/contract/schemas.ts';
import type { Split } from '../../../shared/domain/image.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { counted } from '../../../shared/formats/records.ts';
import { exportFrom } from '../../services/interchange/export.ts';
import { importInto } from '../../services/interchange/import.ts';
import { drawSample, sampleDefaults } from '../../services/sample/sample.ts';
import { isProjectFolder, type ProjectStore } from '../../services/store/projectStore.ts';
import type { Output } from '../output.ts';
import { withJob, withProject } from '../session.ts';

export interface SampleOptions {
  readonly images?: number;
  readonly seed?: number;
}

export async function sample(dir: string, given: SampleOptions, output: Output): Promise<void> {
  const options = { images: given.images ?? sampleDefaults.images, seed: given.seed ?? sampleDefaults.seed };
  const path = resolve(dir);
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new Problem('conflict', `${path} is not empty.`, 'Name a new folder for the sample project.');
  }
  await withJob(output, 'Drawing', (job) => drawSample(path, options, job));
  const summary = await withProject(path, async (store) => store.summary());
  const report = { path, images: summary.imageCount, boxes: summary.labelCount, seed: options.seed };
  output.result(report, () => [`${imagesOf(report.images)} with ${boxesOf(report.boxes)} in ${path}`]);
}

export interface ImportOptions {
  readonly format?: FormatName;
  readonly images?: string;
  readonly dialect?: 'spec' | 'zero-based';
  readonly dryRun?: boolean;
}

/** The project folder is made where it is missing. */
export async function importLabels(
  project: string,
  source: string,
  options: ImportOptions,
  output: Output,
): Promise<void> {
  const request = {
    source: resolve(source),
    format: options.format,
    imagesPath: options.images === undefined ? undefined : resolve(options.images),
    dialect: options.dialect,
    dryRun: options.dryRun ?? false,
  };
  requireSource(request.source);
  const work = (store: ProjectStore) =>
    withJob(output, 'Importing', (job) => importInto(store, request, job));
  const report =
    request.dryRun && !isProjectFolder(project)
      ? await withPassingProject(work)
      : await withProject(project, work, { create: true });
  output.result(report, () => describeImport(report, request.dryRun));
}

/** A dry run into a project that does not exist yet must not make it. */
async function withPassingProject<T>(work: (store: ProjectStore) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'boxwright-dry-run-'));
  try {
    return await withProject(folder, work, { create: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looked at before anything else: a slip in the source's name is told as one. */
function requireSource(path: string): void {
  if (existsSync(path)) return;
  throw new Problem(
    'not-found',
    `There is nothing at ${path}.`,
    'Check the name of the folder or file to import.',
  );
}

function describeImport(report: ImportReport, dryRun: boolean): string[] {
  const { images, boxes, classes, negatives, unlabelled, problems } = report;
  const names = classes.length > 0 ? `: ${classes.join(', ')}` : '';
  return [
    `${dryRun ? 'Would import' : 'Imported'} ${imagesOf(images)}, ${boxesOf(boxes)}, ${classesOf(classes.length)}${names}`,
    ...some(negatives, 'image is labelled as empty', 'images are labelled as empty'),
    ...some(unlabelled, 'image has no labels yet', 'images have no labels yet'),
    ...describeProblems(problems),
  ];
}

export interface ExportOptions {
  readonly format: FormatName;
  readonly split?: Split;
}

export async function exportLabels(
  project: string,
  dest: string,
  options: ExportOptions,
  output: Output,
): Promise<void> {
  const request = { dest: resolve(dest), format: options.format, split: options.split };
  const report = await withProject(project, (store) =>
    withJob(output, 'Exporting', (job) => exportFrom(store, request, job)),
  );
  output.result(report, () => describeExport(report, request.dest));
}

function describeExport(report: ExportReport, dest: string): string[] {
  const { images, boxes, classes, negatives, omitted, files, problems } = report;
  return [
    `Exported ${imagesOf(images)}, ${boxesOf(boxes)}, ${classesOf(classes.length)} to ${dest} (${counted(files, 'file', 'files')})`,
    ...some(negatives, 'image holds nothing', 'images hold nothing'),
    ...some(
      omitted,
      'image that nobody has reviewed was left out',
      'images that nobody has reviewed were left out',
    ),
    ...describeProblems(problems),
  ];
}

const imagesOf = (count: number) => counted(count, 'image', 'images');
const boxesOf = (count: number) => counted(count, 'box', 'boxes');
const classesOf = (count: number) => counted(count, 'class', 'classes');

/** A line of its own, where there is anything to tell. */
function some(count: number, one: string, many: string): string[] {
  return count > 0 ? [counted(count, one, many)] : [];
}

function describeProblems(problems: readonly ImportProblem[]): string[] {
  return problems.map(({ file, kind, detail }) => `! ${file}: ${kind}: ${detail}`);
}
