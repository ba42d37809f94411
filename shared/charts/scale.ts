/** From values to places along an axis, and the round numbers beside it. */
import type { Axis } from './chart.ts';
import { tickText } from './words.ts';

export interface Scale {
  readonly domain: readonly [low: number, high: number];
  readonly log: boolean;
  /** 0 at the low end, 1 at the high one, beyond them outside; null where the value has no place. */
  place(value: number): number | null;
  valueAt(part: number): number;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** Beyond this, differences are no numbers any more. */
const largest = 1e150;
/** So far outside, in axis lengths, that nobody sees where it is. */
const outside = 1000;

/** Whether a value can be drawn along the axis. */
export function drawable(value: number, log: boolean): boolean {
  return Number.isFinite(value) && Math.abs(value) <= largest && (!log || value >= 1 / largest);
}

/** `baseline`: bars and areas grow from it, so a linear axis shows zero and a log one a little more than it must. */
export function makeScale(axis: Axis, values: readonly number[], baseline: boolean): Scale {
  const log = axis.scale === 'log';
  const [low, high] = givenDomain(axis, log) ?? neededDomain(axis, values, baseline);
  const forward = log ? Math.log10 : (value: number) => value;
  const [start, span] = [forward(low), forward(high) - forward(low)];
  return {
    domain: [low, high],
    log,
    place(value) {
      if (!drawable(value, log)) return null;
      return Math.min(outside, Math.max(-outside, (forward(value) - start) / span));
    },
    valueAt(part) {
      return log ? 10 ** (start + span * part) : start + span * part;
    },
  };
}

function givenDomain({ domain }: Axis, log: boolean): readonly [number, number] | null {
  if (!domain?.every((value) => drawable(value, log)) || !(domain[0] < domain[1])) return null;
  const size = Math.max(Math.abs(domain[0]), Math.abs(domain[1]), 1 / largest);
  return domain[1] - domain[0] > size * 1e-9 ? domain : null;
}

function neededDomain(axis: Axis, values: readonly number[], baseline: boolean): [number, number] {
  const log = axis.scale === 'log';
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!drawable(value, log)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  return log ? roundLog(low, high, baseline) : roundLinear(low, high, baseline, axis.format === 'integer');
}

function roundLinear(low: number, high: number, baseline: boolean, integer: boolean): [number, number] {
  const largestSize = Math.max(Math.abs(low), Math.abs(high));
  const size = largestSize < 1 / largest ? 1 : largestSize;
  let [from, to] = baseline ? [Math.min(0, low), Math.max(0, high)] : [low, high];
  // One value alone stands in the middle, or half-way up from zero.
  if (to - from <= size * 1e-9) [from, to] = [baseline ? from : from - size, to + size];
  const step = roundStep((to - from) / 5, integer);
  const first = Math.floor(from / step + 1e-9);
  return [first * step, Math.max(first + 1, Math.ceil(to / step - 1e-9)) * step];
}

/** Decade to decade; within less than two of them, from a 1, 2 or 5 to one. */
function roundLog(low: number, high: number, baseline: boolean): [number, number] {
  const below = baseline ? low / 1.5 : low;
  const top = high > below * (1 + 1e-9) ? high : below * 10;
  if (top / below >= 100) return [10 ** Math.floor(Math.log10(below)), 10 ** Math.ceil(Math.log10(top))];
  const rounds = Array.from({ length: 5 }, (_, k) => 10 ** (Math.floor(Math.log10(below)) + k))
    .flatMap((decade) => [decade, 2 * decade, 5 * decade])
    .sort((a, b) => a - b);
  return [
    rounds.findLast((value) => value <= below * (1 + 1e-9))!,
    rounds.find((value) => value >= top * (1 - 1e-9))!,
  ];
}

/** The 1, 2 or 5 times a power of ten that is nearest. */
function roundStep(wanted: number, integer: boolean): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = wanted / power;
  const step = power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
  return integer ? Math.max(1, step) : step;
}

/** About `count` round numbers within the scale's domain; at least one. */
export function makeTicks(axis: Axis, scale: Scale, count: number): Tick[] {
  const [low, high] = scale.domain;
  if (axis.ticks) return axis.ticks.filter(({ at }) => at >= low && at <= high);
  // Where a log axis shows less than a decade, round numbers as on any axis say more than its 1, 2 and 5.
  if (scale.log && high / low >= 10) return logTicks(low, high, count, axis.format);
  const step = roundStep((high - low) / Math.max(1, count), axis.format === 'integer');
  const [first, last] = [Math.ceil(low / step - 1e-6), Math.floor(high / step + 1e-6)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => {
    const at = Number(((first + k) * step).toPrecision(12));
    return { at, label: tickText(at, step, axis.format) };
  });
}

/** Of every decade 1, 2 and 5, or 1 and 3, or 1; or of every second, third… decade 1: as many as there is room for. */
function logTicks(low: number, high: number, count: number, format: Axis['format']): Tick[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const decades = Math.floor(Math.log10(high) + 1e-9) - first + 1;
  const factors = [[1, 2, 5], [1, 3], [1]].find((each) => each.length * (decades - 1) <= count) ?? [1];
  const every = Math.max(1, Math.ceil(decades / Math.max(2, count)));
  return Array.from({ length: decades }, (_, k) => first + k)
    .filter((exponent) => exponent % every === 0)
    .flatMap((exponent) =>
      factors.map((factor) => {
        const at = Number(`${factor}e${exponent}`);
        return { at, label: tickText(at, 10 ** exponent, format) };
      }),
    )
    .filter(({ at }) => at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9));
}
