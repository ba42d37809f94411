/** `weights convert`: any weights under torchvision's names, as safetensors or ONNX, with their model card. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import * as z from 'zod';
import type { WeightsReport } from '../../../shared/contract/schemas.ts';
import { sizeDivisor } from '../../../shared/detector/preprocess.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { ModelCardFacts } from '../../../shared/weights/card/modelCard.ts';
import { type ExportedFile, type ExportRequest, exportedFiles } from '../../../shared/weights/exportFiles.ts';
import { findInstallation } from '../../host/installation.ts';
import { Runs } from '../../services/runs/runs.ts';
import { writeFileAtomically } from '../../services/store/atomicFile.ts';
import type { ProjectStore } from '../../services/store/projectStore.ts';
import { writeExport } from '../../services/weights/exportWeights.ts';
import { runFacts } from '../../services/weights/exportWeightsFacts.ts';
import { torchvisionSizes } from '../model.ts';
import type { Output } from '../output.ts';
import { withNamedProject } from '../session.ts';
import { UsageError } from '../usage.ts';
import { type FoundWeights, findWeights } from '../weights.ts';

export interface ConvertOptions {
  readonly project?: string;
  readonly nms: boolean;
  readonly side?: number;
}

export async function convert(
  what: string,
  out: string,
  options: ConvertOptions,
  output: Output,
): Promise<void> {
  const destination = destinationOf(out);
  const { project, nms, side } = options;
  const report = await withNamedProject(project, async (store) => {
    const found = await findWeights(what, store);
    const card = await cardOf(found, store);
    const sidePx = side ?? found.config?.maxSizePx ?? torchvisionSizes.maxSizePx;
    const framePx = Math.ceil(sidePx / sizeDivisor) * sizeDivisor;
    const files = exportedFiles({
      stem: destination.stem ?? stemOf(found),
      ...{ format: destination.format, nms, card, network: networkOf(found, what) },
      frame: { heightPx: framePx, widthPx: framePx },
      tensors: found.tensors(),
    });
    return destination.stem === null
      ? writeExport(destination.folder, files)
      : writeBeside(destination.folder, files);
  });
  output.result(report, () => report.files.map((path) => `Wrote ${path}`));
}

interface Destination {
  readonly folder: string;
  /** Of the files' names; null: of the weights. */
  readonly stem: string | null;
  readonly format: ExportRequest['format'];
}

/** A file's name says its format; a folder gets safetensors. */
function destinationOf(out: string): Destination {
  const path = resolve(out);
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors' || extension === '.onnx') {
    const format = extension === '.onnx' ? 'onnx' : 'safetensors';
    return { folder: dirname(path), stem: basename(path, extname(path)), format };
  }
  if (!/^\.(pth|pt|bin|ckpt|pkl|h5|pb|tflite)$/.test(extension))
    return { folder: path, stem: null, format: 'safetensors' };
  throw new UsageError(
    `Weights are written as .safetensors or .onnx, not as ${extension}.`,
    'PyTorch loads .safetensors too: the model card that is written beside it says how.',
  );
}

/** Throws `bad-input` for a backbone alone. */
function networkOf({ description }: FoundWeights, what: string): ExportRequest['network'] {
  if (description.content === 'retinanet') return description.network;
  throw new Problem(
    'bad-input',
    `${description.name} is a backbone alone; whole detectors are converted.`,
    `Train a detector from it first: boxwright train PROJECT --init ${what}`,
  );
}

async function cardOf(found: FoundWeights, store: ProjectStore | null): Promise<ModelCardFacts> {
  const { source, meta, description } = found;
  const now = { version: findInstallation().version, date: new Date().toISOString() };
  const classes = description.classNames;
  const told = toldSchema(classes?.length ?? 0).parse(meta ?? {});
  const { step } = told;
  if (source.kind === 'run' && store && meta && step !== null) {
    const events = await new Runs(store).milestones(source.runId);
    return { ...runFacts(store, store.run(source.runId), { step, meta, classes }, events), ...now };
  }
  return { ...told, name: told.name ?? description.name, classes, config: found.config, ...now };
}

const count = z.int().min(0);
const figure = z.number().nullable();

/** What a card beside the weights knows of them, each fact by itself: one that cannot be is not known. */
function toldSchema(classCount: number) {
  const counts = z.object({
    ...{ images: count, boxes: count, negatives: count },
    boxesPerClass: z.array(count).length(classCount),
  });
  const data = z.object({ countedAt: z.enum(['run', 'export']), train: counts, validation: counts });
  const metrics = z.object({
    ...{ step: count, split: z.enum(['validation', 'reviewed']), images: count },
    ...{ AP: figure, AP50: figure, perClass: z.record(z.string(), figure) },
  });
  return z.object({
    name: z.string().min(1).nullable().catch(null),
    step: count.nullable().catch(null),
    seconds: z.number().min(0).nullable().catch(null),
    adapter: z.string().min(1).nullable().catch(null),
    data: data.nullable().catch(null),
    metrics: metrics.nullable().catch(null),
  });
}

/** Of a run its id and step, of a file its name. */
function stemOf({ source, meta, description }: FoundWeights): string {
  if (source.kind === 'run') return `${source.runId}-step-${meta?.step}`;
  return basename(description.name, extname(description.name));
}

/** Among other files, of which none is written over: all of them, or none. */
async function writeBeside(folder: string, files: readonly ExportedFile[]): Promise<WeightsReport> {
  const paths = files.map(({ name }) => join(folder, name));
  const taken = paths.find((path) => existsSync(path));
  if (taken) {
    throw new Problem(
      'conflict',
      `${taken} is there already, so nothing was written.`,
      'Choose another name.',
    );
  }
  try {
    for (const [index, { bytes }] of files.entries()) await writeFileAtomically(paths[index]!, bytes);
  } catch (error) {
    for (const path of paths) await rm(path, { force: true });
    throw error;
  }
  return { files: paths, bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0) };
}
