/** From `train`'s options to a run's config. */
import type { BackboneName } from '../../shared/detector/backbones.ts';
import {
  type boxLossNames,
  defaultTrainConfig,
  type TrainConfig,
  trainConfigSchema,
} from '../../shared/training/config.ts';
import { type SizeOptions, sizesOf, UsageError } from './usage.ts';

export interface TrainOptions extends SizeOptions {
  readonly init?: string;
  readonly backbone?: BackboneName;
  readonly loss?: TrainConfig['loss'];
  readonly alpha?: number;
  readonly gamma?: number;
  readonly prior?: number;
  readonly normalizer?: TrainConfig['normalizer'];
  readonly boxLoss?: (typeof boxLossNames)[number];
  readonly steps?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  readonly schedule?: TrainConfig['schedule'];
  readonly warmup?: number;
  readonly augment?: TrainConfig['augment'];
  readonly shuffle?: 'on' | 'off';
  readonly seed?: number;
  readonly evaluateEvery?: number;
  readonly checkpointEvery?: number;
  readonly includeUnreviewed?: boolean;
  readonly resume?: string;
  readonly engine?: 'reference';
  readonly json?: boolean;
}

/** The config of a new run. Throws a UsageError that names the option. */
export function configOf(options: TrainOptions): TrainConfig {
  const { loss, backbone, alpha, gamma, prior, boxLoss, steps, batch, momentum, weightDecay, schedule } =
    options;
  const { normalizer, clipNorm, augment, seed, evaluateEvery, checkpointEvery, includeUnreviewed, init } =
    options;
  const given = {
    ...{ loss, backbone, alpha, gamma, prior, boxLoss, steps, batch, momentum, weightDecay, schedule },
    ...{ normalizer, clipNorm, augment, seed, evaluateEvery, checkpointEvery, includeUnreviewed, init },
    ...trainingSizes(options),
    learningRate: options.lr,
    warmupSteps: options.warmup,
    shuffle: options.shuffle === undefined ? undefined : options.shuffle === 'on',
  };
  const parsed = trainConfigSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UsageError(
    `--${optionName(String(issue.path[0]))}: ${issue.message}.`,
    '`boxwright train --help` says what every option takes.',
  );
}

/** One size alone brings the other along, in the paper's proportion of 800 to 1333. */
function trainingSizes(options: SizeOptions): { minSizePx?: number; maxSizePx?: number } {
  const { minSizePx, maxSizePx } = sizesOf(options);
  if (minSizePx !== undefined && maxSizePx === undefined) {
    return { minSizePx, maxSizePx: Math.min(4096, Math.ceil((minSizePx * 1333) / 800)) };
  }
  if (maxSizePx !== undefined && minSizePx === undefined) {
    return { minSizePx: Math.min(defaultTrainConfig.minSizePx, maxSizePx), maxSizePx };
  }
  return { minSizePx, maxSizePx };
}

function optionName(field: string): string {
  const renamed: Record<string, string> = {
    learningRate: 'lr',
    warmupSteps: 'warmup',
    minSizePx: 'min-size',
    maxSizePx: 'max-size',
  };
  return renamed[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What may be said beside `--resume`: everything else is the run's own, or it would be another run. */
const beside = new Set(['resume', 'steps', 'engine', 'json']);

/** Throws a UsageError where an option would make another run of the one that goes on. */
export function requireResumable(options: TrainOptions): void {
  const foreign = Object.keys(options).find((name) => !beside.has(name));
  if (foreign === undefined) return;
  throw new UsageError(
    `--${optionName(foreign)} does not go together with --resume: a run keeps its own settings.`,
    'Leave it out, or start a new run with --init RUN.',
  );
}

/** The config of a run that goes on, perhaps for more steps. */
export function resumedConfigOf(config: TrainConfig, options: TrainOptions): TrainConfig {
  return { ...config, steps: options.steps ?? config.steps };
}
