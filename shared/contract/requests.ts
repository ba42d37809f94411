/**
 * Every request that crosses a process, as one map: name -> validators of its parameters and of its result. A field named
 * `bytes` (a Uint8Array) at the top level travels beside the JSON as raw bytes, on every transport.
 */
import * as z from 'zod';
import { splits } from '../domain/image.ts';
import { maxCompetitors, minCompetitors, raceOrders, raceTrialSchema } from '../race/race.ts';
import { trainConfigSchema } from '../training/config.ts';
import { runEventSchema } from '../training/events.ts';
import { firstStepSchema } from '../training/firstStep.ts';
import type { HostEvent } from './events.ts';
import {
  boxPxSchema,
  boxSchema,
  classSchema,
  editSchema,
  formatNames,
  idSchema,
  imageSchema,
  jobSchema,
  problemSchema,
  projectSchema,
  publishedStateSchema,
  raceSchema,
  runSchema,
  weightsDescriptionSchema,
  weightsSourceSchema,
} from './schemas.ts';

const none = z.object({});
const bytes = z.instanceof(Uint8Array);
const path = z.string().min(1).max(4096);
const tuningKey = z.string().min(1).max(1000);
const history = z.object({ undo: z.string().nullable(), redo: z.string().nullable() });
/** An image as the canvas needs it. `history` names what undo and redo would do here, null where there is nothing. */
const openedImage = z.object({ image: imageSchema, boxes: z.array(boxSchema), history });
const trainingImage = z.object({
  id: idSchema,
  name: z.string(),
  widthPx: z.number(),
  heightPx: z.number(),
  boxes: z.array(z.object({ boxPx: boxPxSchema, classIndex: z.number().int(), ignore: z.boolean() })),
});

function request<P extends z.ZodType, R extends z.ZodType>(params: P, result: R) {
  return { params, result };
}

export const requests = {
  'app.info': request(
    none,
    z.object({
      version: z.string(),
      shell: z.enum(['desktop', 'web']),
      platform: z.string(),
      homePath: z.string(),
    }),
  ),

  /** Which kernels were fastest here, under the name of an adapter, its driver and the engine's version; null where nobody knows yet. */
  'tunings.read': request(z.object({ key: tuningKey }), z.object({ text: z.string().nullable() })),
  'tunings.write': request(z.object({ key: tuningKey, text: z.string().max(1_000_000) }), none),

  'projects.recent': request(
    none,
    z.array(z.object({ name: z.string(), path: z.string(), exists: z.boolean() })),
  ),
  'projects.current': request(none, projectSchema.nullable()),
  'projects.create': request(z.object({ path, name: z.string().min(1).max(200) }), projectSchema),
  'projects.open': request(z.object({ path }), projectSchema),
  /** Opens the built-in sample project, drawing it first where it does not exist yet (a `sample` job tells how far it is). */
  'projects.openSample': request(none, projectSchema),
  'projects.close': request(none, none),

  /** Folders for the in-app folder chooser: the same on every shell. `path` null: the user's home. */
  'folders.list': request(
    z.object({
      path: path.nullable(),
      /** Which files to list beside the folders. */
      files: z.enum(['none', 'weights']).default('none'),
    }),
    z.object({
      path: z.string(),
      parent: z.string().nullable(),
      imageCount: z.number(),
      isProject: z.boolean(),
      folders: z.array(z.object({ name: z.string(), path: z.string(), isProject: z.boolean() })),
      files: z.array(z.object({ name: z.string(), path: z.string(), bytes: z.number() })),
    }),
  ),

  'images.list': request(none, z.array(imageSchema)),
  'images.open': request(z.object({ imageId: idSchema }), openedImage),
  'images.addFolder': request(z.object({ path }), jobSchema),
  /** Looks for missing files by content below a folder. */
  'images.findMoved': request(z.object({ path }), jobSchema),
  'images.setSplit': request(
    z.object({ imageIds: z.array(idSchema), split: z.enum(splits).nullable() }),
    none,
  ),
  /** Upright RGB8, row-major. */
  'images.pixels': request(
    z.object({ imageId: idSchema }),
    z.object({ widthPx: z.number(), heightPx: z.number(), bytes }),
  ),
  /** An encoded image a browser can show: `display` at most 4096 px wide or high, `thumb` at most 256. */
  'images.derivative': request(
    z.object({ imageId: idSchema, variant: z.enum(['display', 'thumb']) }),
    z.object({ mime: z.string(), widthPx: z.number(), heightPx: z.number(), bytes }),
  ),

  /** Applies and journals one edit; once answered it is on disk. `conflict` where a `before` is not what is stored. */
  'edits.apply': request(z.object({ edit: editSchema }), z.object({ image: imageSchema, history })),
  /** The boxes after the undo, as `images.open` answers. */
  'edits.undo': request(z.object({ imageId: idSchema }), openedImage),
  'edits.redo': request(z.object({ imageId: idSchema }), openedImage),

  'classes.list': request(none, z.array(classSchema)),
  'classes.add': request(z.object({ name: z.string().min(1).max(200) }), classSchema),
  'classes.update': request(
    z.object({
      id: z.number().int(),
      name: z.string().min(1).max(200).optional(),
      color: classSchema.shape.color.optional(),
    }),
    classSchema,
  ),
  'classes.reorder': request(z.object({ ids: z.array(z.number().int()) }), z.array(classSchema)),
  /** Only a class without boxes; `conflict` otherwise. */
  'classes.remove': request(z.object({ id: z.number().int() }), none),

  'import.start': request(
    z.object({
      source: path,
      format: z.enum(formatNames).optional(),
      imagesPath: path.optional(),
      /** VOC: `spec` (1-based) or `zero-based`; where absent the files decide. */
      dialect: z.enum(['spec', 'zero-based']).optional(),
      dryRun: z.boolean().default(false),
    }),
    jobSchema,
  ),
  'export.start': request(
    z.object({ dest: path, format: z.enum(formatNames), split: z.enum(splits).optional() }),
    jobSchema,
  ),
  'jobs.list': request(none, z.array(jobSchema)),
  'jobs.cancel': request(z.object({ jobId: idSchema }), none),

  /** What a run with this config would train on. Class indices follow `classIds`. */
  'training.data': request(
    z.object({ includeUnreviewed: z.boolean().default(false) }),
    z.object({
      classIds: z.array(z.number().int()),
      classes: z.array(z.string()),
      train: z.array(trainingImage),
      validation: z.array(trainingImage),
    }),
  ),
  'runs.list': request(none, z.array(runSchema)),
  'runs.create': request(
    z.object({
      config: trainConfigSchema,
      classIds: z.array(z.number().int()),
      classNames: z.array(z.string()),
    }),
    runSchema,
  ),
  'runs.update': request(
    z.object({
      runId: idSchema,
      name: z.string().min(1).max(200).optional(),
      status: runSchema.shape.status.optional(),
      problem: runSchema.shape.problem.optional(),
    }),
    runSchema,
  ),
  'runs.remove': request(z.object({ runId: idSchema }), none),
  'runs.append': request(z.object({ runId: idSchema, events: z.array(runEventSchema).max(10_000) }), none),
  /** Whole events in their order, a page of some megabytes at a time: `from` is 0 or the `next` of the page before; null: no more. */
  'runs.events': request(
    z.object({ runId: idSchema, from: z.number().int().min(0).default(0) }),
    z.object({ events: z.array(runEventSchema), next: z.number().nullable() }),
  ),
  /** `bytes`: the weights as safetensors, then the optimizer's state as safetensors; `weightsLength` divides them. */
  'runs.saveCheckpoint': request(
    z.object({
      runId: idSchema,
      step: z.number().int(),
      meta: z.record(z.string(), z.unknown()),
      weightsLength: z.number().int(),
      bytes,
    }),
    z.object({ path: z.string() }),
  ),
  /** The newest loadable checkpoint, or the one of the given step. Divided like `runs.saveCheckpoint`. */
  'runs.loadCheckpoint': request(
    z.object({ runId: idSchema, step: z.number().int().optional() }),
    z.object({ step: z.number(), meta: z.record(z.string(), z.unknown()), weightsLength: z.number(), bytes }),
  ),

  /** Newest first. A race whose file cannot be read is told of in `problems`; the others are listed all the same. */
  'races.list': request(none, z.object({ races: z.array(raceSchema), problems: z.array(problemSchema) })),
  /** Creates a run for every competitor too. */
  'races.create': request(
    z.object({
      order: z.enum(raceOrders),
      classIds: z.array(z.number().int()),
      classNames: z.array(z.string()),
      entries: z
        .array(z.object({ label: z.string().min(1).max(200), config: trainConfigSchema }))
        .min(minCompetitors)
        .max(maxCompetitors),
    }),
    raceSchema,
  ),
  /** `trials`: how an entry's learning rate was chosen; its run's config takes `learningRate` over while it has no step yet. */
  'races.update': request(
    z.object({
      raceId: idSchema,
      name: z.string().min(1).max(200).optional(),
      firstStep: firstStepSchema.optional(),
      tuned: z
        .object({ runId: idSchema, learningRate: z.number().positive(), trials: z.array(raceTrialSchema) })
        .optional(),
    }),
    raceSchema,
  ),
  /** The race; with `runs` its runs too. */
  'races.remove': request(z.object({ raceId: idSchema, runs: z.boolean() }), none),

  'weights.published': request(none, z.array(publishedStateSchema)),
  /** Downloads a published checkpoint, or goes on with what is there of it. A `download-weights` job tells how far it is, in bytes. */
  'weights.download': request(z.object({ id: idSchema }), jobSchema),
  /** Deletes what is on this machine of a published checkpoint. */
  'weights.forget': request(z.object({ id: idSchema }), none),
  /** What the file is. Every value is looked at: a NaN is told here, not after a run has begun. */
  'weights.inspect': request(z.object({ source: weightsSourceSchema }), weightsDescriptionSchema),
  /** The file as it is, and the .json of the same name where there is one. */
  'weights.read': request(
    z.object({ source: weightsSourceSchema }),
    z.object({ name: z.string(), meta: z.record(z.string(), z.unknown()).nullable(), bytes }),
  ),
  /** Writes a run's weights and a model card (JSON and Markdown) into a new folder. An `export-weights` job. */
  'weights.export': request(
    z.object({
      runId: idSchema,
      /** The newest checkpoint where absent. */
      step: z.number().int().optional(),
      dest: path,
      format: z.enum(['safetensors', 'onnx']),
      /** ONNX: decode, threshold and suppress inside the file. */
      nms: z.boolean().default(true),
    }),
    jobSchema,
  ),

  /** Replaces an image's proposals by a model's detections. Labels are not touched. */
  'proposals.replace': request(
    z.object({
      imageId: idSchema,
      runId: idSchema.nullable(),
      detections: z
        .array(z.object({ classId: z.number().int(), boxPx: boxPxSchema, score: z.number().min(0).max(1) }))
        .max(10_000),
    }),
    openedImage,
  ),
} as const;

export type Requests = typeof requests;
export type RequestName = keyof Requests;
/** What a caller passes (defaults may be left out). */
export type RequestParams<N extends RequestName> = z.input<Requests[N]['params']>;
/** What a handler receives. */
export type ParsedParams<N extends RequestName> = z.output<Requests[N]['params']>;
export type RequestResult<N extends RequestName> = z.output<Requests[N]['result']>;

/** One function per request: what `electron/services` offers and every shell serves. */
export type Handlers = { [N in RequestName]: (params: ParsedParams<N>) => Promise<RequestResult<N>> };

/** The contract's client: what `renderer/bridge` offers to the screens. Rejects with a `Problem`. */
export interface Client {
  request<N extends RequestName>(name: N, params: RequestParams<N>): Promise<RequestResult<N>>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: HostEvent) => void): () => void;
}

export type OpenedImage = z.output<typeof openedImage>;
