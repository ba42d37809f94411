/**
 * Checkpoints of one run: `step-000123.safetensors` (weights), `step-000123.state.safetensors` (the optimizer's slots) and
 * `step-000123.json`. The JSON is written last and carries the others' lengths and hashes: where it is, and agrees, the checkpoint
 * is whole. Kept: the two newest and the best.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Problem } from '../../../shared/domain/problem.ts';
import { syncFolder, writeFileAtomically } from '../store/atomicFile.ts';
import { asProblem } from '../store/failures.ts';

export interface Checkpoint {
  readonly step: number;
  /** What was given to `saveCheckpoint`. */
  readonly meta: Record<string, unknown>;
  /** Safetensors. */
  readonly weights: Uint8Array;
  readonly state: Uint8Array;
}

const keptNewest = 2;

const partSchema = z.object({ file: z.string(), bytes: z.number(), sha256: z.string() });
const sheetSchema = z.looseObject({
  step: z.number(),
  files: z.object({ weights: partSchema, state: partSchema }),
});
type Sheet = z.infer<typeof sheetSchema>;

/** Resolves to the weights' file name, once all is on the disk. Throws a Problem; older checkpoints stay then. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  const stem = stemOf(checkpoint.step);
  const weights = part(`${stem}.safetensors`, checkpoint.weights);
  const state = part(`${stem}.state.safetensors`, checkpoint.state);
  // A step saved again after a resume: the old sheet must not vouch for new files.
  await rm(join(folder, `${stem}.json`), { force: true });
  await writeFileAtomically(join(folder, weights.file), checkpoint.weights);
  await writeFileAtomically(join(folder, state.file), checkpoint.state);
  const sheet = { ...checkpoint.meta, step: checkpoint.step, files: { weights, state } };
  await writeFileAtomically(join(folder, `${stem}.json`), `${JSON.stringify(sheet, null, 2)}\n`);
  await removeOlder(folder);
  return weights.file;
}

/** The newest whole checkpoint, or the one of `step`. Throws `not-found` or `damaged`. */
export async function readCheckpoint(folder: string, step?: number): Promise<Checkpoint> {
  const steps = await checkpointSteps(folder);
  if (step !== undefined && !steps.includes(step)) throw noCheckpoint(`at step ${step}`);
  const wanted = step === undefined ? steps : [step];
  let damage: Problem | null = null;
  for (const candidate of wanted) {
    try {
      return await readWhole(folder, candidate);
    } catch (error) {
      damage ??= asProblem(error, join(folder, `${stemOf(candidate)}.safetensors`));
    }
  }
  throw damage ?? noCheckpoint('yet');
}

/** Steps that have a sheet, newest first. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => /^step-(\d{6,})\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

async function readWhole(folder: string, step: number): Promise<Checkpoint> {
  const sheet = await readSheet(folder, step);
  const [weights, state] = await Promise.all([
    readPart(folder, sheet.files.weights),
    readPart(folder, sheet.files.state),
  ]);
  const { files: _files, ...meta } = sheet;
  return { step: sheet.step, meta, weights, state };
}

async function readSheet(folder: string, step: number): Promise<Sheet> {
  const path = join(folder, `${stemOf(step)}.json`);
  try {
    return sheetSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw damagedCheckpoint(path, error instanceof Error ? error.message : String(error));
  }
}

async function readPart(folder: string, expected: z.infer<typeof partSchema>): Promise<Uint8Array> {
  const path = join(folder, expected.file);
  if (!/^step-\d+(\.state)?\.safetensors$/.test(expected.file))
    throw damagedCheckpoint(path, 'odd file name');
  const bytes = await readFile(path).catch((error: Error) => {
    throw damagedCheckpoint(path, error.message);
  });
  if (part(expected.file, bytes).sha256 !== expected.sha256)
    throw damagedCheckpoint(path, 'its hash differs');
  return bytes;
}

async function removeOlder(folder: string): Promise<void> {
  const steps = await checkpointSteps(folder);
  const best = await bestStep(folder, steps);
  const doomed = steps.slice(keptNewest).filter((step) => step !== best);
  for (const step of doomed) {
    const stem = stemOf(step);
    // The sheet first: a checkpoint without one counts as none.
    for (const ending of ['.json', '.safetensors', '.state.safetensors']) {
      await rm(join(folder, stem + ending), { force: true });
    }
  }
  if (doomed.length > 0) await syncFolder(folder);
}

/** The step of the highest validation AP50; the newest of equals. */
async function bestStep(folder: string, steps: readonly number[]): Promise<number | null> {
  let best: { step: number; ap50: number } | null = null;
  for (const step of steps) {
    const sheet = await readSheet(folder, step).catch(() => null);
    const ap50 = sheet?.AP50;
    if (typeof ap50 === 'number' && (!best || ap50 > best.ap50)) best = { step, ap50 };
  }
  return best?.step ?? null;
}

function stemOf(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

function part(file: string, bytes: Uint8Array): z.infer<typeof partSchema> {
  return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function noCheckpoint(where: string): Problem {
  return new Problem(
    'not-found',
    `This run has no checkpoint ${where}.`,
    'Train it further, or choose another run.',
  );
}

function damagedCheckpoint(path: string, detail: string): Problem {
  return new Problem(
    'damaged',
    `The checkpoint ${path} is damaged and was left as it is.`,
    'Use another checkpoint of this run, or train again.',
    detail,
  );
}
