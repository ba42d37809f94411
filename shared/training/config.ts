/** Everything that decides a run. Stored with the run; the same config, data and adapter give the same run. */
import * as z from 'zod';
import { backboneNames } from '../detector/backbones.ts';
import { normalizerNames } from '../loss/normalizer.ts';
import { strategyNames } from '../loss/strategy.ts';

export const boxLossNames = ['l1', 'giou'] as const;
export const scheduleNames = ['constant', 'cosine', 'step'] as const;
export const decayNames = ['all', 'matrices'] as const;
export const engineNames = ['auto', 'engine', 'reference'] as const;
export const precisionNames = ['f32', 'mixed'] as const;
export const augmentNames = ['none', 'default'] as const;

/** What each number of the loss may be, and the learning rate: in a config, and in a change of a run under way. */
const hot = {
  loss: z.enum(strategyNames),
  alpha: z.number().min(-1).max(1),
  gamma: z.number().min(0).max(10),
  /** The rivals' own numbers; what they mean stands in shared/loss/strategy.ts. */
  beta: z.number().min(-20).max(20),
  hardCount: z.number().int().min(1).max(100_000),
  hardNms: z.number().gt(0).max(1),
  learningRate: z.number().positive().max(10),
};

export const trainConfigSchema = z.object({
  backbone: z.enum(backboneNames).default('nano'),
  loss: hot.loss.default('focal'),
  alpha: hot.alpha.default(0.25),
  gamma: hot.gamma.default(2),
  beta: hot.beta.default(1),
  hardCount: hot.hardCount.default(128),
  hardNms: hot.hardNms.default(0.5),
  /** pi: the foreground probability that the last bias starts at, `-log((1 - pi) / pi)`. */
  prior: z.number().gt(0).lt(1).default(0.01),
  /** What the loss is divided by: a moving average of positives (detectron2), or each image's own (torchvision). */
  normalizer: z.enum(normalizerNames).default('moving'),
  /** Every anchor is this many times as large as its network's own: the backbone's usual ones, or those of the weights it starts from. */
  anchorScale: z.number().min(0.125).max(4).default(1),
  boxLoss: z.enum(boxLossNames).default('l1'),
  steps: z.number().int().min(1).max(1_000_000).default(1000),
  batch: z.number().int().min(1).max(64).default(2),
  /** Images of a batch that are computed at once, their gradients summed: less memory, the same step. 0: all of them. */
  microBatch: z.number().int().min(0).max(64).default(0),
  /** The image is scaled so that its short side is `minSizePx`, or less where its long side would pass `maxSizePx`. */
  minSizePx: z.number().int().min(32).max(4096).default(320),
  maxSizePx: z.number().int().min(32).max(4096).default(320),
  learningRate: hot.learningRate.default(0.01),
  momentum: z.number().min(0).lt(1).default(0.9),
  weightDecay: z.number().min(0).max(1).default(0.0001),
  /** What it shrinks: every weight, or matrices alone, norms and biases left as they are. */
  decay: z.enum(decayNames).default('all'),
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
  /** Where the logits lie is written to the log every so many steps (more with many classes); 0: never. */
  statisticsEvery: z.number().int().min(0).default(10),
  checkpointEvery: z.number().int().min(1).default(100),
  /** `random`, a run's id, `file:PATH` (absolute), or `published:ID` (shared/weights/published.ts). See shared/training/startingPoint.ts. */
  init: z.string().max(5000).default('random'),
  /** `auto`: the engine where there is WebGPU, else the reference. */
  engine: z.enum(engineNames).default('auto'),
  /** `mixed`: activations are kept in 16 bits, everything is computed in 32. The engine's alone. */
  precision: z.enum(precisionNames).default('f32'),
  /** Train on images in progress and unlabelled too. */
  includeUnreviewed: z.boolean().default(false),
});

/** What can be changed while a run is under way; what is absent stays as it is. Without the config's defaults: nothing changes unasked. */
export const hotChangeSchema = z.object(hot).partial();
export type HotChange = z.infer<typeof hotChangeSchema>;

export type TrainConfig = z.infer<typeof trainConfigSchema>;

export const defaultTrainConfig: TrainConfig = trainConfigSchema.parse({});
