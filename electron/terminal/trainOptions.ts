/** From `train`'s options to a run's config. */
import type { BackboneName } from '../../shared/detector/backbones.ts';
import { toProblemData } from '../../shared/domain/problem.ts';
import { strategies } from '../../shared/loss/strategies.ts';
import { requireComputable } from '../../shared/training/computing.ts';
import {
  type boxLossNames,
  defaultTrainConfig,
  type HotChange,
  type TrainConfig,
  trainConfigSchema,
} from '../../shared/training/config.ts';
import type { Experiment } from './experiments.ts';
import { type SizeOptions, sizesOf, UsageError } from './usage.ts';

export interface TrainOptions extends SizeOptions, ComputeOptions {
  readonly init?: string;
  readonly backbone?: BackboneName;
  readonly loss?: TrainConfig['loss'];
  readonly alpha?: number;
  readonly gamma?: number;
  readonly beta?: number;
  readonly hardCount?: number;
  readonly hardNms?: number;
  readonly anchorScale?: number;
  readonly statisticsEvery?: number;
  readonly prior?: number;
  readonly normalizer?: TrainConfig['normalizer'];
  readonly boxLoss?: (typeof boxLossNames)[number];
  readonly steps?: number;
  readonly batch?: number;
  readonly microBatch?: number;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly decay?: TrainConfig['decay'];
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
  readonly replay?: string;
  readonly json?: boolean;
}

/** What computes: none of it makes another run. */
export interface ComputeOptions {
  readonly engine?: Exclude<TrainConfig['engine'], 'auto'>;
  readonly precision?: TrainConfig['precision'];
  readonly experimental?: Experiment;
}

/** The config with what a command line says of how it is computed. */
export function computedAs<Config extends Pick<TrainConfig, 'engine' | 'precision'>>(
  config: Config,
  { engine, precision }: ComputeOptions,
): Config {
  return { ...config, ...(engine && { engine }), ...(precision && { precision }) };
}

/** The config of a new run. Throws a UsageError that names the option. */
export function configOf(options: TrainOptions): TrainConfig {
  const { backbone, prior, boxLoss, steps, batch, momentum, weightDecay, schedule } = options;
  const { normalizer, clipNorm, augment, seed, evaluateEvery, checkpointEvery, includeUnreviewed, init } =
    options;
  const { anchorScale, statisticsEvery, microBatch, decay, engine, precision } = options;
  const given = {
    ...lossOf(options),
    ...{ backbone, prior, boxLoss, steps, batch, momentum, weightDecay, schedule },
    ...{ anchorScale, statisticsEvery, microBatch, decay, engine, precision },
    ...{ normalizer, clipNorm, augment, seed, evaluateEvery, checkpointEvery, includeUnreviewed, init },
    ...trainingSizes(options),
    learningRate: options.lr,
    warmupSteps: options.warmup,
    shuffle: options.shuffle === undefined ? undefined : options.shuffle === 'on',
  };
  const parsed = trainConfigSchema.safeParse(given);
  if (parsed.success) return computable(parsed.data);
  const issue = parsed.error.issues[0]!;
  throw new UsageError(
    `--${optionName(String(issue.path[0]))}: ${issue.message}.`,
    '`boxwright train --help` says what every option takes.',
  );
}

function computable(config: TrainConfig): TrainConfig {
  try {
    requireComputable(config);
    return config;
  } catch (error) {
    const { message, remedy } = toProblemData(error);
    throw new UsageError(message, remedy);
  }
}

/** The loss where one is given, with its own numbers where they are not. */
function lossOf({ loss, alpha, gamma, beta, hardCount, hardNms }: TrainOptions): HotChange {
  const given = { loss, alpha, gamma, beta, hardCount, hardNms };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...(loss && strategies[loss].defaults), ...Object.fromEntries(named) };
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

/** What can be changed while a run is under way, and so when it goes on. */
const hot = ['loss', 'alpha', 'gamma', 'beta', 'hardCount', 'hardNms', 'lr'];
/** What may be said beside them: everything else is the run's own, or it would be another run. */
const beside = {
  resume: new Set(['resume', 'steps', 'microBatch', 'engine', 'precision', 'experimental', 'json', ...hot]),
  replay: new Set(['replay', 'engine', 'precision', 'experimental', 'json']),
};

/** Throws a UsageError where an option would make another run of the one that goes on, or is done again. */
export function requireOwnSettings(options: TrainOptions, how: keyof typeof beside): void {
  const foreign = Object.keys(options).find((name) => !beside[how].has(name));
  if (foreign === undefined) return;
  throw new UsageError(
    `--${optionName(foreign)} does not go together with --${how}: a run keeps its own settings.`,
    'Leave it out, or start a new run with --init RUN.',
  );
}

/** What is changed of a run that goes on. */
export function changeOf(options: TrainOptions): HotChange {
  return { ...lossOf(options), ...(options.lr !== undefined && { learningRate: options.lr }) };
}

/** The config of a run that goes on, perhaps for more steps, perhaps computed otherwise. */
export function resumedConfigOf(config: TrainConfig, options: TrainOptions): TrainConfig {
  const { steps = config.steps, microBatch = config.microBatch } = options;
  return { ...computedAs(config, options), steps, microBatch };
}
