/** Validators of the domain's records where they cross a process. Kept equal to the domain's types by the compiler. */
import * as z from 'zod';
import type { RetinaNetOptions } from '../detector/network.ts';
import type { BoxRecord } from '../domain/box.ts';
import type { ClassRecord } from '../domain/classes.ts';
import type { Edit } from '../domain/edit.ts';
import { type ImageRecord, imageStates, splits } from '../domain/image.ts';
import { type ProblemData, problemKinds } from '../domain/problem.ts';
import { type ProjectSummary, runStatuses } from '../domain/project.ts';
import { raceOrders, raceTrialSchema } from '../race/race.ts';
import { trainConfigSchema } from '../training/config.ts';
import { firstStepSchema } from '../training/firstStep.ts';
import { type WeightsDescription, weightsFormats, weightsLayouts } from '../weights/description.ts';

const finite = z.number();
export const idSchema = z.string().min(1).max(64);

export const boxPxSchema = z.tuple([finite, finite, finite, finite]).readonly();

export const boxSchema = z.object({
  id: idSchema,
  imageId: idSchema,
  classId: z.number().int(),
  boxPx: boxPxSchema,
  status: z.enum(['label', 'proposal']),
  origin: z.enum(['person', 'model']),
  score: finite.nullable(),
  runId: z.string().max(64).nullable(),
  ignore: z.boolean(),
  difficult: z.boolean(),
  occluded: z.boolean(),
  truncated: z.boolean(),
}) satisfies z.ZodType<BoxRecord>;

export const editSchema = z.object({
  imageId: idSchema,
  label: z.string().max(200),
  boxes: z.array(z.object({ before: boxSchema.nullable(), after: boxSchema.nullable() })).max(100_000),
  state: z.object({ before: z.enum(imageStates), after: z.enum(imageStates) }).nullable(),
}) satisfies z.ZodType<Edit>;

export const imageSchema = z.object({
  id: idSchema,
  relativePath: z.string(),
  contentHash: z.string(),
  widthPx: z.number(),
  heightPx: z.number(),
  state: z.enum(imageStates),
  split: z.enum(splits).nullable(),
  missing: z.boolean(),
  labelCount: z.number(),
  proposalCount: z.number(),
}) satisfies z.ZodType<ImageRecord>;

export const classSchema = z.object({
  id: z.number().int(),
  name: z.string().min(1).max(200),
  color: z.string().regex(/^#[0-9a-f]{6}$/i),
  order: z.number().int(),
}) satisfies z.ZodType<ClassRecord>;

export const projectSchema = z.object({
  name: z.string(),
  path: z.string(),
  imageCount: z.number(),
  labelCount: z.number(),
  proposalCount: z.number(),
  countByState: z.object({
    unlabelled: z.number(),
    'in-progress': z.number(),
    reviewed: z.number(),
    'reviewed-empty': z.number(),
  }),
  missingCount: z.number(),
  isSample: z.boolean(),
}) satisfies z.ZodType<ProjectSummary>;

export const problemSchema = z.object({
  kind: z.enum(problemKinds),
  message: z.string(),
  remedy: z.string(),
  detail: z.string(),
}) satisfies z.ZodType<ProblemData>;

export const runSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  status: z.enum(runStatuses),
  config: trainConfigSchema,
  classIds: z.array(z.number().int()),
  classNames: z.array(z.string()),
  step: z.number(),
  /** Newest checkpoint's step, null before the first. */
  checkpointStep: z.number().nullable(),
  AP50: z.number().nullable(),
  /** Last words of a failed run. */
  problem: problemSchema.nullable(),
});
export type RunRecord = z.infer<typeof runSchema>;

/** The same run under several strategies. Each competitor is a run of the project; the race says which, and how they took turns. */
export const raceSchema = z.object({
  id: idSchema,
  name: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  order: z.enum(raceOrders),
  entries: z.array(
    z.object({
      /** "Focal loss, gamma 2" */
      label: z.string(),
      runId: idSchema,
      /** Short runs by which the learning rate was chosen; empty: all race with the one that was given. */
      trials: z.array(raceTrialSchema),
    }),
  ),
  /** Where the logits lie before the first step; null: not measured yet. */
  firstStep: firstStepSchema.nullable(),
});
export type RaceRecord = z.infer<typeof raceSchema>;

export const importProblemSchema = z.object({ file: z.string(), kind: z.string(), detail: z.string() });
export type ImportProblem = z.infer<typeof importProblemSchema>;

/** What an import found, or would do (`dryRun`). Problems are listed, not fatal. */
export const importReportSchema = z.object({
  images: z.number(),
  boxes: z.number(),
  classes: z.array(z.string()),
  negatives: z.number(),
  unlabelled: z.number(),
  problems: z.array(importProblemSchema),
});
export type ImportReport = z.infer<typeof importReportSchema>;

export const exportReportSchema = z.object({
  images: z.number(),
  boxes: z.number(),
  classes: z.array(z.string()),
  negatives: z.number(),
  /** Images left out because nobody has reviewed them. */
  omitted: z.number(),
  files: z.number(),
  /** What the format could not keep. */
  problems: z.array(importProblemSchema),
});
export type ExportReport = z.infer<typeof exportReportSchema>;

export const formatNames = ['voc', 'coco', 'yolo'] as const;
export type FormatName = (typeof formatNames)[number];

/** What an export of weights wrote. */
export const weightsReportSchema = z.object({
  /** Full paths. */
  files: z.array(z.string()),
  bytes: z.number(),
});
export type WeightsReport = z.infer<typeof weightsReportSchema>;

/** Weights that are not a run of the project: a file on this machine, or a published checkpoint once it is downloaded. */
export const weightsSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: z.string().min(1).max(4096) }),
  z.object({ kind: z.literal('published'), id: idSchema }),
]);
export type WeightsSource = z.infer<typeof weightsSourceSchema>;

export const weightsDescriptionSchema = z.object({
  name: z.string(),
  format: z.enum(weightsFormats),
  layout: z.enum(weightsLayouts),
  content: z.enum(['retinanet', 'backbone']),
  network: z.custom<RetinaNetOptions>((value) => typeof value === 'object' && value !== null),
  classColumns: z.number().nullable(),
  classNames: z.array(z.string()).readonly().nullable(),
  tensorCount: z.number(),
  parameterCount: z.number(),
  fileBytes: z.number(),
  missing: z.array(z.string()).readonly(),
  extra: z.array(z.string()).readonly(),
  notes: z.array(z.string()).readonly(),
}) satisfies z.ZodType<WeightsDescription>;

/** A published checkpoint (shared/weights/published.ts) and how much of it is on this machine. */
export const publishedStateSchema = z.object({
  id: idSchema,
  /** `partial`: a download that can go on. */
  state: z.enum(['absent', 'partial', 'ready']),
  haveBytes: z.number(),
  /** Where the file is, or would be. */
  path: z.string(),
});
export type PublishedState = z.infer<typeof publishedStateSchema>;

export const jobSchema = z.object({
  id: idSchema,
  kind: z.enum([
    ...(['add-images', 'import', 'export', 'sample', 'find-moved'] as const),
    ...(['download-weights', 'export-weights'] as const),
  ]),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  done: z.number(),
  /** Null while the total is not known. */
  total: z.number().nullable(),
  /** What it is at, for people: a file's name. */
  message: z.string(),
  problems: z.array(importProblemSchema),
  error: problemSchema.nullable(),
  report: z.union([importReportSchema, exportReportSchema, weightsReportSchema]).nullable(),
});
export type Job = z.infer<typeof jobSchema>;
