/** Weights as a person names them: a .safetensors file with its .json beside it, or a run of the project. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import * as z from 'zod';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import type { CheckpointMeta, NamedTensor } from '../../shared/training/ports.ts';
import { readSafetensors } from '../../shared/weights/safetensors.ts';
import { Runs } from '../services/runs/runs.ts';
import type { ProjectStore } from '../services/store/projectStore.ts';

export interface LoadedWeights {
  /** As the user knows it, for messages. */
  readonly name: string;
  readonly tensors: readonly NamedTensor[];
  /** What the file's .json says; null where there is none. */
  readonly meta: CheckpointMeta | null;
  readonly metadata: Readonly<Record<string, string>>;
}

const metaSchema = z.looseObject({
  step: z.number(),
  classes: z.array(z.string()),
  backbone: z.string(),
  network: z.record(z.string(), z.unknown()),
  config: z.record(z.string(), z.unknown()),
  adapter: z.string().default(''),
  AP50: z.number().nullable().default(null),
});

/** A run by its id (`run-0007`), its number (`7`) or its name. */
export function findRun(store: ProjectStore, what: string): RunRecord {
  const runs = store.runs();
  const id = /^\d+$/.test(what) ? `run-${what.padStart(4, '0')}` : what;
  const run = runs.find((candidate) => candidate.id === id) ?? runs.find(({ name }) => name === what);
  if (run) return run;
  const known =
    runs.length > 0
      ? `There is: ${runs.map((entry) => entry.id).join(', ')}.`
      : 'It has none yet. Train one first: boxwright train PROJECT';
  throw new Problem('not-found', `There is no run ${JSON.stringify(what)} in this project.`, known);
}

/** The newest whole checkpoint of a run. Throws `not-found` or `damaged`. */
export async function loadRunCheckpoint(store: ProjectStore, run: RunRecord): Promise<Checkpoint> {
  const { meta, weights, state } = await new Runs(store).loadCheckpoint(run.id);
  return { meta: parseMeta(meta, run.id), weights, state };
}

/** A file where there is one of that name, else a run. `store` null: no project was named. */
export async function loadWeights(what: string, store: ProjectStore | null): Promise<LoadedWeights> {
  if (existsSync(what) || /\.safetensors$/i.test(what)) return loadFile(resolve(what));
  if (!store) {
    throw new Problem(
      'not-found',
      `There is no file ${what}, and without --project there is no run of that name either.`,
      'Name a .safetensors file, or the project that has the run.',
    );
  }
  const run = findRun(store, what);
  const { meta, weights } = await loadRunCheckpoint(store, run);
  return { name: run.id, meta, ...readSafetensors(weights, run.id) };
}

async function loadFile(path: string): Promise<LoadedWeights> {
  const bytes = await readBytes(path);
  const { tensors, metadata } = readSafetensors(bytes, basename(path));
  return { name: basename(path), tensors, metadata, meta: await readMetaBeside(path) };
}

async function readMetaBeside(path: string): Promise<CheckpointMeta | null> {
  const sheet = path.replace(/\.safetensors$/i, '.json');
  if (sheet === path || !existsSync(sheet)) return null;
  const bytes = await readBytes(sheet);
  try {
    return parseMeta(JSON.parse(new TextDecoder().decode(bytes)), basename(sheet));
  } catch (error) {
    const { kind, message } = toProblemData(error);
    if (kind === 'damaged') throw error;
    throw new Problem(
      'damaged',
      `${sheet} is not JSON.`,
      'Copy it again from where the weights were made.',
      message,
    );
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Problem('not-found', `${path} cannot be read.`, 'Check the name of the file.', detail);
  }
}

function parseMeta(meta: unknown, name: string): CheckpointMeta {
  const parsed = metaSchema.safeParse(meta);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Problem(
    'damaged',
    `${name} does not describe weights of Boxwright: ${issue.path.join('.')}: ${issue.message}.`,
    'Copy the .json again from where the weights were made.',
  );
}
