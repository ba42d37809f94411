/** Everything that decides a run. Stored with the run; the same config, data and adapter give the same run. */
import * as z from 'zod';
import { backboneNames } from '../detector/backbones.ts';
import { normalizerNames } from '../loss/normalizer.ts';

export const boxLossNames = ['l1', 'giou'] as const;
/** Strategies of the classification loss. The rivals of focal loss join here. */
export const lossNames = ['focal'] as const;
export const scheduleNames = ['constant', 'cosine', 'step'] as const;
export const augmentNames = ['none', 'default'] as const;

export const trainConfigSchema = z.object({
  backbone: z.enum(backboneNames).default('nano'),
  loss: z.enum(lossNames).default('focal'),
  alpha: z.number().min(-1).max(1).default(0.25),
  gamma: z.number().min(0).max(10).default(2),
  /** pi: the foreground probability that the last bias starts at, `-log((1 - pi) / pi)`. */
  prior: z.number().gt(0).lt(1).default(0.01),
  /** What the loss is divided by: a moving average of positives (detectron2), or each image's own (torchvision). */
  normalizer: z.enum(normalizerNames).default('moving'),
  boxLoss: z.enum(boxLossNames).default('l1'),
  steps: z.number().int().min(1).max(1_000_000).default(1000),
  batch: z.number().int().min(1).max(64).default(2),
  /** The image is scaled so that its short side is `minSizePx`, or less where its long side would pass `maxSizePx`. */
  minSizePx: z.number().int().min(32).max(4096).default(320),
  maxSizePx: z.number().int().min(32).max(4096).default(320),
  learningRate: z.number().positive().max(10).default(0.01),
  momentum: z.number().min(0).lt(1).default(0.9),
  weightDecay: z.number().min(0).max(1).default(0.0001),
  /** Gradients whose norm over all parameters is larger are scaled down to it; 0: never. */
  clipNorm: z.number().min(0).default(10),
  schedule: z.enum(scheduleNames).default('cosine'),
  warmupSteps: z.number().int().min(0).default(50),
  /** `default`: horizontal flip. */
  augment: z.enum(augmentNames).default('default'),
  shuffle: z.boolean().default(true),
  seed: z.number().int().min(0).max(4294967295).default(1),
  /** Validation AP every so many steps and at the end; 0: at the end only. */
  evaluateEvery: z.number().int().min(0).default(250),
  /** At most so many validation images an evaluation, evenly spaced; 0: all of them. */
  evaluateImages: z.number().int().min(0).default(500),
  checkpointEvery: z.number().int().min(1).default(100),
  /** `random`, a run's id, `file:PATH` (absolute), or `published:ID` (shared/weights/published.ts). See shared/training/startingPoint.ts. */
  init: z.string().max(5000).default('random'),
  /** Train on images in progress and unlabelled too. */
  includeUnreviewed: z.boolean().default(false),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;

export const defaultTrainConfig: TrainConfig = trainConfigSchema.parse({});
