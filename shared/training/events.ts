/** A run's events, one JSON line each in `runs/ID/events.jsonl`: every chart and every figure can be redrawn from them. */
import * as z from 'zod';
import { sides } from '../loss/histogram.ts';
import { hotChangeSchema } from './config.ts';

export const classBalanceEventSchema = z.object({
  class: z.string(),
  foreground: z.number(),
  background: z.number(),
  backgroundTrue: z.number(),
  backgroundOther: z.number(),
  positives: z.number(),
  backgroundTrueAnchors: z.number(),
  backgroundOtherAnchors: z.number(),
  /** Sums of |dL/dlogit|; absent in logs of earlier versions, as everything optional here. */
  foregroundGradient: z.number().optional(),
  backgroundTrueGradient: z.number().optional(),
  backgroundOtherGradient: z.number().optional(),
});
export type ClassBalanceEvent = z.infer<typeof classBalanceEventSchema>;

/** Images that a run is evaluated on. */
export const evaluationSplits = ['val', 'reviewed'] as const;

const figure = z.number().nullable();

/** What was changed while a run was under way, and the first step it held for. */
export const timedChangeSchema = z.object({ step: z.number(), change: hotChangeSchema });
export type TimedChange = z.infer<typeof timedChangeSchema>;

export const hardAnchorEventSchema = z.object({
  imageId: z.string(),
  /** x1 y1 x2 y2 in pixels of the upright image. */
  boxPx: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  class: z.string(),
  side: z.enum(sides),
  probability: z.number(),
  loss: z.number(),
});
export type HardAnchorEvent = z.infer<typeof hardAnchorEventSchema>;

export const runEventSchema = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('start'),
    runId: z.string(),
    classes: z.array(z.string()),
    /** "SwiftShader Device" and the like; what really ran it. */
    adapter: z.string(),
    backend: z.string(),
    software: z.boolean(),
    trainImages: z.number(),
    validationImages: z.number(),
    parameterCount: z.number(),
    fromStep: z.number(),
    /** Names the images, boxes and classes that it learns from and is evaluated on: others have another. */
    data: z.string().optional(),
    /** Where its weights come from and what was made of them, in sentences. */
    origin: z.array(z.string()).optional(),
    /** Changes that are to be done again as the steps come that they held from. */
    changes: z.array(timedChangeSchema).optional(),
  }),
  z.object({
    event: z.literal('step'),
    step: z.number(),
    loss: z.number(),
    classification: z.number(),
    box: z.number(),
    lr: z.number(),
    positives: z.number(),
    balance: z.array(classBalanceEventSchema),
    stepMs: z.number(),
    /** Anchors whose terms counted, where the strategy selects some. */
    selectedAnchors: z.number().optional(),
  }),
  /** Where the logits of the steps up to this one lay: every gamma's loss and curve can be redrawn from it. */
  z.object({
    event: z.literal('statistics'),
    /** The last step that was counted, and how many were. The weights changed in between: model states are mixed. */
    step: z.number(),
    steps: z.number(),
    scale: z.number(),
    /** Of `shared/loss/histogramText.ts`. */
    histogram: z.string(),
    hardest: z.array(hardAnchorEventSchema),
  }),
  /** Something was changed while the run was under way; it holds from this step on. */
  z.object({
    event: z.literal('control'),
    step: z.number(),
    change: hotChangeSchema,
    /** Done again from the log, not by hand. */
    replayed: z.boolean().optional(),
  }),
  /** COCO's figures; null where there was nothing to be found. Those that may be absent are so in logs of earlier versions. */
  z.object({
    event: z.literal('evaluation'),
    step: z.number(),
    AP: figure,
    AP50: figure,
    AP75: figure.optional(),
    APs: figure.optional(),
    APm: figure.optional(),
    APl: figure.optional(),
    AR1: figure.optional(),
    AR10: figure.optional(),
    AR100: figure.optional(),
    ARs: figure.optional(),
    ARm: figure.optional(),
    ARl: figure.optional(),
    perClass: z.record(z.string(), figure),
    perClass50: z.record(z.string(), figure).optional(),
    images: z.number(),
    /** Boxes to be found, by class. */
    boxes: z.record(z.string(), z.number()).optional(),
    detections: z.number().optional(),
    /** On which images: those set aside for validation, or all reviewed ones, which the weights may have learned from. */
    split: z.enum(evaluationSplits).optional(),
    /** Asked for by a person; absent where training measured itself. */
    onDemand: z.boolean().optional(),
  }),
  z.object({ event: z.literal('checkpoint'), step: z.number(), path: z.string() }),
  /** Something was left out and the run goes on: an unreadable image, a box too small to be seen. */
  z.object({
    event: z.literal('warning'),
    step: z.number(),
    message: z.string(),
    remedy: z.string(),
    images: z.array(z.string()),
  }),
  z.object({ event: z.literal('paused'), step: z.number() }),
  z.object({ event: z.literal('resumed'), step: z.number() }),
  z.object({
    event: z.literal('failed'),
    step: z.number(),
    kind: z.string(),
    message: z.string(),
    remedy: z.string(),
    /** Where a loss was not finite: its terms and the images of the batch. */
    terms: z.record(z.string(), z.string()).optional(),
    images: z.array(z.string()).optional(),
  }),
  z.object({
    event: z.literal('done'),
    step: z.number(),
    reason: z.enum(['finished', 'stopped']),
    /** The last checkpoint, whose AP follows. */
    weights: z.string(),
    /** The checkpoint with the best AP50, where there was any evaluation. */
    best: z.object({ step: z.number(), AP50: z.number(), weights: z.string() }).nullable().optional(),
    AP: z.number().nullable(),
    AP50: z.number().nullable(),
    seconds: z.number(),
  }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;
/** All but the steps and what was counted over them, which are most of a log. */
export function isMilestone({ event }: RunEvent): boolean {
  return event !== 'step' && event !== 'statistics';
}

export type StepEvent = Extract<RunEvent, { event: 'step' }>;
export type EvaluationEvent = Extract<RunEvent, { event: 'evaluation' }>;
export type StatisticsEvent = Extract<RunEvent, { event: 'statistics' }>;
