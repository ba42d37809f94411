/** The .json beside weights: a checkpoint's of Boxwright or a model card, as far as it says what the weights are. */
import { backboneNames } from '../../detector/backbones.ts';
import type { RetinaNetOptions } from '../../detector/network.ts';
import { Problem } from '../../domain/problem.ts';

export interface WeightsMeta {
  readonly classes: readonly string[] | null;
  readonly network: RetinaNetOptions;
}

/**
 * Null where there is none, or it is somebody else's and says nothing of a network. Throws `damaged` where it is ours and cannot
 * be true: numbers out of bounds would make a network as large as a stranger likes.
 */
export function parseWeightsMeta(meta: unknown, file: string): WeightsMeta | null {
  if (!isRecord(meta) || meta.network === undefined) return null;
  const network = meta.network;
  const wrong = isRecord(network) ? wrongField(network) : 'network';
  if (wrong !== null) throw damaged(file, wrong);
  const { classes = null } = meta;
  if (classes !== null && !isTexts(classes)) throw damaged(file, 'classes');
  return { classes, network: network as unknown as RetinaNetOptions };
}

type Check = (value: unknown) => boolean;

const isInteger =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isOneOf =
  (...names: readonly unknown[]): Check =>
  (value) =>
    names.includes(value);
const isSizes: Check = (value) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= 5 &&
  value.every(
    (level) =>
      Array.isArray(level) &&
      level.length > 0 &&
      level.length <= 32 &&
      level.every((size) => typeof size === 'number' && size > 0 && size < 1e5),
  );

const checks: { readonly [Field in keyof Required<RetinaNetOptions>]: Check } = {
  backbone: isOneOf(...backboneNames),
  foregroundClassCount: isInteger(1, 100_000),
  fpnChannels: isInteger(1, 8192),
  headConvCount: isInteger(0, 32),
  headNorm: isOneOf('none', 'group'),
  headNormGroups: isOneOf(undefined, ...Array.from({ length: 1024 }, (_, index) => index + 1)),
  backboneNorm: isOneOf('frozen', 'batch', 'group'),
  normEpsilon: (value) => typeof value === 'number' && value >= 0 && value < 1,
  p6From: isOneOf('P5', 'C5'),
  trainableBackboneLayers: isInteger(0, 5),
  anchorSizes: (value) => value === undefined || isSizes(value),
  roundAnchors: isOneOf(undefined, true, false),
  bottleneckStride: isOneOf(undefined, '3x3', '1x1'),
};

function wrongField(network: Readonly<Record<string, unknown>>): string | null {
  const wrong = Object.entries(checks).find(([field, check]) => !check(network[field]));
  return wrong ? `network.${wrong[0]}` : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function damaged(file: string, field: string): Problem {
  return new Problem(
    'damaged',
    `The .json beside ${file} says something about ${JSON.stringify(field)} that cannot be.`,
    'Copy it again from where the weights were made, or take it away: the weights are then judged by themselves.',
  );
}
