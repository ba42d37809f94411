/** A run's weights with their model card, as files in a new folder. */
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ParsedParams } from '../../../shared/contract/requests.ts';
import type { WeightsReport } from '../../../shared/contract/schemas.ts';
import { type SizePx, sizeDivisor } from '../../../shared/detector/preprocess.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { type ModelCardFacts, scalingOf } from '../../../shared/weights/card/modelCard.ts';
import { type ExportedFile, exportedFiles } from '../../../shared/weights/exportFiles.ts';
import { parseWeightsMeta } from '../../../shared/weights/model/meta.ts';
import { readTensorFile } from '../../../shared/weights/tensorFile.ts';
import { type JobHandle, throwIfCancelled } from '../jobs.ts';
import type { Runs } from '../runs/runs.ts';
import { writeFileAtomically } from '../store/atomicFile.ts';
import { asProblem } from '../store/failures.ts';
import { makeFolder } from '../store/projectFolder.ts';
import type { ProjectStore } from '../store/projectStore.ts';
import { runFacts } from './exportWeightsFacts.ts';

/** Reading, counting, putting together; then each file. */
const stepsBefore = 3;

/** The work of `weights.export`; `version` is the app's. Throws `conflict` where the folder holds anything, and `not-found` without a checkpoint. */
export async function exportRun(
  store: ProjectStore,
  runs: Runs,
  params: ParsedParams<'weights.export'>,
  job: JobHandle,
  version: string,
): Promise<WeightsReport> {
  const { format, nms } = params;
  const dest = resolve(params.dest);
  await requireEmpty(dest);
  const run = store.run(params.runId);
  const tell = async (done: number, message: string) => {
    throwIfCancelled(job.signal);
    job.progress(done, stepsBefore + 3, message);
    await setImmediate();
  };

  await tell(0, `Reading the weights of ${run.name}`);
  const { step, meta, weights } = await runs.loadCheckpoint(run.id, params.step);
  const name = `${run.name} at step ${step}`;
  const { tensors } = readTensorFile(weights, name);
  const known = parseWeightsMeta(meta, name);
  if (!known) throw withoutNetwork(name);

  await tell(1, 'Gathering what is known of them for the model card');
  const facts = runFacts(store, run, { step, meta, classes: known.classes }, await runs.milestones(run.id));
  const card: ModelCardFacts = { ...facts, version, date: new Date().toISOString() };

  await tell(2, format === 'onnx' ? 'Putting the ONNX file together' : 'Putting the file together');
  const files = exportedFiles({
    ...{ stem: stemOf(run.name, step), format, nms, network: known.network, card, frame: frameOf(card) },
    tensors: tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape, data: tensor.read() })),
  });
  return writeExport(dest, files, job);
}

/**
 * Writes all files into a new or empty folder, or none of them. Throws `conflict` where the folder holds anything, `disk-full`,
 * `read-only`, and `cancelled`.
 */
export async function writeExport(
  dest: string,
  files: readonly ExportedFile[],
  job?: JobHandle,
): Promise<WeightsReport> {
  const folder = resolve(dest);
  await requireEmpty(folder);
  const isNew = !existsSync(folder);
  makeFolder(folder);
  const paths: string[] = [];
  try {
    for (const [index, file] of files.entries()) {
      throwIfCancelled(job?.signal);
      const message = `Writing ${file.name} (${inWords(file.bytes.length)})`;
      job?.progress(stepsBefore + index, stepsBefore + files.length, message);
      const path = join(folder, file.name);
      await writeFileAtomically(path, file.bytes);
      paths.push(path);
    }
  } catch (error) {
    for (const path of paths) await rm(path, { force: true });
    if (isNew) await rmdir(folder).catch(() => {});
    throw error;
  }
  job?.progress(stepsBefore + files.length, stepsBefore + files.length, 'Done');
  return { files: paths, bytes: files.reduce((sum, file) => sum + file.bytes.length, 0) };
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    const problem = asProblem(error, folder);
    if (problem.kind !== 'not-found') throw problem;
    return [];
  });
  if (names.length === 0) return;
  throw new Problem(
    'conflict',
    `${folder} already holds ${names[0]}, so nothing was written.`,
    'Choose a new or empty folder.',
  );
}

function withoutNetwork(name: string): Problem {
  return new Problem(
    'damaged',
    `The checkpoint of ${name} does not say which network it is of.`,
    'Export another checkpoint of this run.',
  );
}

/** The square that every image fits into, upright or not, as the run scales it. */
function frameOf(card: ModelCardFacts): SizePx {
  const side = Math.ceil((scalingOf(card).maxSizePx ?? 1333) / sizeDivisor) * sizeDivisor;
  return { heightPx: side, widthPx: side };
}

/** A file name that says run and step. */
function stemOf(name: string, step: number): string {
  const words = name.normalize('NFC').match(/[\p{L}\p{N}]+/gu) ?? ['run'];
  return `${words.join('-').slice(0, 60)}-step-${step}`;
}

function inWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} KB` : `${Math.round(bytes / 1e6)} MB`;
}
