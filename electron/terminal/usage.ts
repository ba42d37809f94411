/** What a person typed, checked: a mistake names the option, says what it takes and ends with exit code 2. */
import { InvalidArgumentError } from 'commander';
import { Problem } from '../../shared/domain/problem.ts';

/** A command line that asks for something that does not exist or does not go together. */
export class UsageError extends Problem {
  constructor(message: string, remedy: string) {
    super('bad-input', message, remedy);
    this.name = 'UsageError';
  }
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Bounds that are not taken themselves stand beside those that are. */
interface OpenRange extends Range {
  readonly above?: number;
  readonly below?: number;
}

/** An option that takes a whole number. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: Range = {}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < min || value > max) {
      throw new InvalidArgumentError(`It takes a whole number${rangeText({ min, max })}.`);
    }
    return value;
  };
}

/** An option that takes a number. */
export function decimal(range: OpenRange = {}): (text: string) => number {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = range;
  return (text) => {
    const value = Number(text);
    const fits = value >= min && value <= max && value > above && value < below;
    if (text.trim() === '' || !Number.isFinite(value) || !fits) {
      throw new InvalidArgumentError(`It takes a number${rangeText(range)}.`);
    }
    return value;
  };
}

/** An option that takes one of a few names. */
export function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const name = names.find((candidate) => candidate === text);
    if (name === undefined) throw new InvalidArgumentError(`There is: ${names.join(', ')}.`);
    return name;
  };
}

/** With the blank before it; nothing where every number is taken. */
function rangeText({ min, max, above, below }: OpenRange): string {
  const last = max === Number.MAX_SAFE_INTEGER ? undefined : max;
  if (min !== undefined && last !== undefined) return ` from ${min} to ${last}`;
  const ends = Object.entries({ from: min, above, 'at most': last, below });
  const told = ends.filter(([, end]) => end !== undefined).map(([word, end]) => `${word} ${end}`);
  return told.length > 0 ? ` ${told.join(' and ')}` : '';
}

export interface SizeOptions {
  readonly side?: number;
  readonly minSize?: number;
  readonly maxSize?: number;
}

/** `--side N`: both sizes N, so that the long side is at most N. Null where no size was given. */
export function sizesOf(options: SizeOptions): { minSizePx?: number; maxSizePx?: number } {
  const { side, minSize, maxSize } = options;
  if (side !== undefined && (minSize !== undefined || maxSize !== undefined)) {
    throw new UsageError(
      '--side says both sizes: it does not go together with --min-size and --max-size.',
      'Give --side alone, or --min-size and --max-size.',
    );
  }
  const minSizePx = side ?? minSize;
  const maxSizePx = side ?? maxSize;
  if (minSizePx !== undefined && maxSizePx !== undefined && minSizePx > maxSizePx) {
    throw new UsageError(
      `--min-size ${minSizePx} is larger than --max-size ${maxSizePx}.`,
      'The short side is scaled to --min-size, the long side to at most --max-size.',
    );
  }
  return { minSizePx, maxSizePx };
}
