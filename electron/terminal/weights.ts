/** Weights as a person names them: a file of any maker, a published checkpoint of this machine, or a run of the project. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem } from '../../shared/domain/problem.ts';
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import { type TrainConfig, trainConfigSchema } from '../../shared/training/config.ts';
import type { CheckpointMeta, NamedTensor } from '../../shared/training/ports.ts';
import type { InitSource } from '../../shared/training/startingPoint.ts';
import { withoutFirstColumn } from '../../shared/weights/model/classHead.ts';
import { cocoNames } from '../../shared/weights/model/cocoNames.ts';
import { type OpenedWeights, openWeights } from '../../shared/weights/model/openWeights.ts';
import { publishedWeights } from '../../shared/weights/published.ts';
import { dataPath } from '../host/dataPath.ts';
import { Runs } from '../services/runs/runs.ts';
import type { ProjectStore } from '../services/store/projectStore.ts';
import { PublishedLibrary } from '../services/weights/publishedLibrary.ts';
import { readWeightsFile } from '../services/weights/readWeightsFile.ts';

type Source = Exclude<InitSource, { kind: 'random' }>;

export interface NamedFile {
  readonly source: Source;
  /** As the user knows it, for messages; a run's id. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly meta: Readonly<Record<string, unknown>> | null;
}

/** Weights before anybody has said what for. */
export interface FoundWeights extends OpenedWeights {
  readonly source: Source;
  /** What trained them, where their .json says it. */
  readonly config: TrainConfig | null;
  readonly meta: Readonly<Record<string, unknown>> | null;
}

/** A whole detector, ready for a device, with a name for every column of its logits. */
export interface LoadedWeights {
  /** As the user knows it, for messages; a run's id. */
  readonly name: string;
  readonly source: Source;
  readonly network: RetinaNetOptions;
  tensors(): readonly NamedTensor[];
  readonly classes: readonly string[];
  /** False where nobody knows them, and they are "class 0" and so on. */
  readonly hasNames: boolean;
  readonly config: TrainConfig | null;
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

/** The checkpoints of this machine. BOXWRIGHT_DATA says where, as for the screens. */
export function openLibrary(): PublishedLibrary {
  return new PublishedLibrary({ dataPath: dataPath() });
}

/** A file where there is one of that name, else a published checkpoint, else a run. `store` null: no project was named. */
export async function readWeights(what: string, store: ProjectStore | null): Promise<NamedFile> {
  if (/[\\/]|\.(pth|pt|ckpt|safetensors)$/i.test(what) || isFile(what) || (!store && existsSync(what))) {
    const path = resolve(what);
    return { source: { kind: 'file', path }, ...(await readWeightsFile(path)) };
  }
  if (publishedWeights.some(({ id }) => id === what)) {
    return { source: { kind: 'published', id: what }, ...(await readWeightsFile(await readyPath(what))) };
  }
  if (!store) {
    throw new Problem(
      'not-found',
      `There is no file ${what}, and without --project there is no run of that name either.`,
      `Name a .pth or .safetensors file, the project that has the run, or one of ${publishedWeights.map(({ id }) => id).join(', ')}.`,
    );
  }
  const { id } = findRun(store, what);
  const { meta, weights } = await new Runs(store).loadCheckpoint(id);
  return { source: { kind: 'run', runId: id }, name: id, bytes: weights, meta };
}

/** The same, opened. */
export async function findWeights(what: string, store: ProjectStore | null): Promise<FoundWeights> {
  const { source, name, bytes, meta } = await readWeights(what, store);
  const config = trainConfigSchema.safeParse(meta?.config).data ?? null;
  return { source, config, meta, ...openWeights(bytes, name, meta) };
}

/** What `what` names, to predict with. Throws `bad-input` for a backbone alone. */
export async function loadWeights(what: string, store: ProjectStore | null): Promise<LoadedWeights> {
  const found = await findWeights(what, store);
  const { name, content, network, classNames } = found.description;
  if (content === 'backbone') {
    throw new Problem(
      'bad-input',
      `${name} is a backbone alone, which finds nothing by itself.`,
      `Train a detector from it first: boxwright train PROJECT --init ${what}`,
    );
  }
  const { source, config } = found;
  const columns = network.foregroundClassCount;
  const project = store?.classes().map((entry) => entry.name) ?? [];
  const isGuess =
    !classNames ||
    (classNames === cocoNames(columns) && !classNames.some((known) => project.includes(known)));
  if (isGuess && columns === project.length + 1 && project.length > 0) {
    const fewer = { ...network, foregroundClassCount: project.length };
    const tensors = () => withoutFirstColumn(found.tensors(), columns);
    return { name, source, config, network: fewer, tensors, classes: project, hasNames: true };
  }
  const names = isGuess && columns === project.length ? project : classNames;
  const classes = names ?? Array.from({ length: columns }, (_, index) => `class ${index}`);
  return { name, source, config, network, tensors: found.tensors, classes, hasNames: names !== null };
}

async function readyPath(id: string): Promise<string> {
  try {
    return await openLibrary().readyPath(id);
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== 'not-found') throw error;
    throw new Problem(
      error.kind,
      error.message,
      `Download it first: boxwright weights download ${id}`,
      error.detail,
    );
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
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
