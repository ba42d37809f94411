/** A run's events, one JSON line each in `runs/ID/events.jsonl`: every chart and every figure can be redrawn from them. */
import * as z from 'zod';

export const classBalanceEventSchema = z.object({
  class: z.string(),
  foreground: z.number(),
  background: z.number(),
  backgroundTrue: z.number(),
  backgroundOther: z.number(),
  positives: z.number(),
  backgroundTrueAnchors: z.number(),
  backgroundOtherAnchors: z.number(),
});
export type ClassBalanceEvent = z.infer<typeof classBalanceEventSchema>;

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
    /** Where its weights come from and what was made of them, in sentences. */
    origin: z.array(z.string()).optional(),
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
  }),
  z.object({
    event: z.literal('evaluation'),
    step: z.number(),
    AP: z.number().nullable(),
    AP50: z.number().nullable(),
    perClass: z.record(z.string(), z.number().nullable()),
    images: z.number(),
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
export type StepEvent = Extract<RunEvent, { event: 'step' }>;
export type EvaluationEvent = Extract<RunEvent, { event: 'evaluation' }>;
