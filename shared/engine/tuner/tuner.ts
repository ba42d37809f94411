/**
 * Which way to compute a convolution is the fastest depends on the GPU, and not even its maker knows: so all are tried, once for every
 * kind of convolution, when a network is first planned on an adapter. A software adapter is not tuned: its defaults were measured.
 */
import { Problem } from '../../domain/problem.ts';
import { fnv1a32 } from '../../domain/random.ts';
import type { FilterVariant } from '../kernels/convolution/filterGradient.ts';
import type { ConvVariant } from '../kernels/convolution/gatherVariants.ts';
import type { Choices } from '../kernels/lower.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { BufferRef } from '../plan/call.ts';
import type { Op } from '../plan/ops.ts';
import { type TensorView, wordsOf } from '../plan/tensor.ts';
import { Check } from './check.ts';
import { type Operand, tiledNoise } from './operands.ts';
import {
  distance,
  flopsOf,
  isTuned,
  leastTrialFlops,
  lowerVariant,
  shapeKey,
  type Trial,
  type TunedOp,
  trialFlops,
  trialOf,
  type Variant,
  variantsOf,
} from './trials.ts';
import type { Workbench } from './workbench.ts';

/** Where what was found is kept between runs. Failing to keep it costs time, nothing else. */
export interface TunerCache {
  read(key: string): Promise<string | null>;
  write(key: string, text: string): Promise<void>;
}

export interface TunerSettings {
  readonly facts: DeviceFacts;
  /** Adapter and driver. */
  readonly adapterKey: string;
  readonly cache: TunerCache | null;
  readonly bench: Workbench;
  /** Milliseconds since any moment. */
  readonly clock: () => number;
  /**
   * Trying ends after this. What was not tried is computed as what is most like it, and so it stays: a run that is done again, or goes
   * on after its device was lost, is to give the same bytes.
   */
  readonly budgetMs: number;
}

/** Of what is kept: to be raised when a kernel's text changes so much that its time of before says nothing of it. */
const version = 2;

/** Times the fastest first trial. */
const hopeless = 5;

/** Of a step's operations: what it spends less on is not worth a wait. */
const leastShare = 1 / 200;

interface Found {
  readonly variant: Variant;
  /** A hash of all that were there to be tried: where another has come, all are tried again. */
  readonly of: number;
}

export class Tuner {
  /** As far as is known. */
  readonly choices: Choices = {
    conv: (op) => this.#chosen(op) as ConvVariant | undefined,
    filter: (op) => this.#chosen(op) as FilterVariant | undefined,
  };
  readonly #settings: TunerSettings;
  readonly #key: string;
  /** By `shapeKey`. */
  #found: Map<string, Found> | null = null;

  constructor(settings: TunerSettings) {
    this.#settings = settings;
    this.#key = `${settings.adapterKey} / kernels ${version}`;
  }

  /** What was found before, whoever found it, is computed with from here on; nothing is tried. */
  async recall(): Promise<void> {
    if (!this.#settings.facts.software) this.#found ??= await this.#read();
  }

  /**
   * Tries what is not known of these operations, those first that a step spends most on. `tell` is given sentences for the user.
   * @throws Problem `device-lost`
   */
  async tune(ops: readonly Op[], tell: (sentence: string) => void): Promise<void> {
    const { facts, clock, budgetMs } = this.#settings;
    await this.recall();
    if (!this.#found) return;
    const kinds = kindsOf(ops.filter(isTuned));
    const open = kinds.filter(({ op }) => !this.#chosen(op) && variantsOf(op, facts).length > 1);
    const least = leastShare * kinds.reduce((sum, { flops }) => sum + flops, 0);
    const worthwhile = open.filter(({ flops }) => flops >= least);
    const total = worthwhile.reduce((sum, { op }) => sum + variantsOf(op, facts).length, 0);
    let tried = 0;
    const end = clock() + budgetMs;
    const goOn = () => {
      if (clock() >= end) return false;
      tell(`Finding the fastest way to compute on this GPU: ${++tried} of ${total}`);
      return true;
    };
    for (const { op } of worthwhile) {
      if (clock() >= end) break;
      await this.#keep(this.#found, [[op, await this.#fastest(op, goOn, tell)]]);
    }
    const known = kinds.flatMap(({ op }) => {
      const variant = this.#chosen(op);
      return variant ? [{ op, variant }] : [];
    });
    const untried = open.filter(({ op }) => !this.#chosen(op));
    const alike = untried.map(({ op }) => [op, likeOthers(op, facts, known)] as const);
    if (alike.length > 0) await this.#keep(this.#found, alike);
  }

  /** The default where `goOn` does not allow for anything. */
  async #fastest(op: TunedOp, goOn: () => boolean, tell: (sentence: string) => void): Promise<Variant> {
    const { facts, bench } = this.#settings;
    const variants = variantsOf(op, facts);
    const check = new Check(op, facts, bench);
    const times: { variant: Variant; ms: number }[] = [];
    const trial = trialOf(op, leastTrialFlops).op;
    await bench.compile(variants.flatMap((variant) => lowerVariant(trial, facts, variant)));
    let first = Number.POSITIVE_INFINITY;
    for (const variant of variants) {
      if (!goOn()) break;
      if (!(await check.passes(variant))) continue;
      const quick = await this.#time(op, variant, leastTrialFlops);
      first = Math.min(first, quick);
      // What takes so much longer is not tried at length: a slow GPU would stand still for it.
      if (quick > hopeless * first) continue;
      times.push({ variant, ms: await this.#time(op, variant, trialFlops(first)) });
    }
    if (check.wrong.size > 0) {
      tell(`This GPU computes wrongly in ${check.wrong.size} of ${variants.length} ways: they are left out.`);
    }
    return bestOf(variants, times, check.wrong);
  }

  async #keep(
    found: Map<string, Found>,
    chosen: readonly (readonly [op: TunedOp, variant: Variant])[],
  ): Promise<void> {
    for (const [op, variant] of chosen) {
      found.set(shapeKey(op), { variant, of: hashOf(variantsOf(op, this.#settings.facts)) });
    }
    await this.#write(found);
  }

  /** What a device refuses to compute in this way is not its fastest. */
  async #time(op: TunedOp, variant: Variant, flops: number): Promise<number> {
    const { facts, bench } = this.#settings;
    const trial = trialOf(op, flops);
    try {
      return await bench.time(lowerVariant(trial.op, facts, variant), operandsOf(trial));
    } catch (error) {
      if (error instanceof Problem && error.kind === 'device-lost') throw error;
      return Number.POSITIVE_INFINITY;
    }
  }

  /** What was found by another version of the program may be no way to compute it any more, or one among fewer. */
  #chosen(op: TunedOp): Variant | undefined {
    const found = this.#found?.get(shapeKey(op));
    if (!found?.variant) return undefined;
    const variants = variantsOf(op, this.#settings.facts);
    if (found.of !== hashOf(variants)) return undefined;
    const text = JSON.stringify(found.variant);
    return variants.find((variant) => JSON.stringify(variant) === text);
  }

  async #read(): Promise<Map<string, Found>> {
    try {
      const text = (await this.#settings.cache?.read(this.#key)) ?? '{}';
      return new Map(Object.entries(JSON.parse(text) as Record<string, Found>));
    } catch {
      return new Map();
    }
  }

  async #write(found: ReadonlyMap<string, Found>): Promise<void> {
    await this.#settings.cache?.write(this.#key, JSON.stringify(Object.fromEntries(found))).catch(() => {});
  }
}

/** One of each kind with the operations of all of them, the most first. */
function kindsOf(ops: readonly TunedOp[]): { readonly op: TunedOp; readonly flops: number }[] {
  const kinds = new Map<string, { op: TunedOp; flops: number }>();
  for (const op of ops) {
    const key = shapeKey(op);
    const flops = (kinds.get(key)?.flops ?? 0) + flopsOf(op);
    kinds.set(key, { op, flops });
  }
  return [...kinds.values()].sort((a, b) => b.flops - a.flops);
}

/** As the most similar operation is computed that can be computed in the same way; the default where there is none. */
function likeOthers(
  op: TunedOp,
  facts: DeviceFacts,
  others: readonly { readonly op: TunedOp; readonly variant: Variant }[],
): Variant {
  const ways = new Map(variantsOf(op, facts).map((variant) => [JSON.stringify(variant), variant]));
  const [like] = others
    .filter((other) => other.op.op === op.op && ways.has(JSON.stringify(other.variant)))
    .map(({ op: other, variant }) => ({ variant, distance: distance(op, other) }))
    .sort((a, b) => a.distance - b.distance);
  return like?.variant ?? variantsOf(op, facts)[0]!;
}

/**
 * The fastest of those that are right. Where none was timed, for the budget had ended, the first that was not found wrong: the default,
 * unless it is wrong itself. Where all are wrong there is no better choice than the default either.
 */
function bestOf(
  variants: readonly Variant[],
  times: readonly { readonly variant: Variant; readonly ms: number }[],
  wrong: ReadonlySet<Variant>,
): Variant {
  const right = times.filter(({ variant }) => !wrong.has(variant));
  const untimed = variants.find((variant) => !wrong.has(variant)) ?? variants[0]!;
  return right.reduce((a, b) => (b.ms < a.ms ? b : a), { variant: untimed, ms: Number.POSITIVE_INFINITY })
    .variant;
}

/** Whatever their order, which the size of a frame may change. */
export function hashOf(variants: readonly Variant[]): number {
  const texts = variants.map((variant) => JSON.stringify(variant));
  return fnv1a32(texts.sort().join());
}

/** What is in memory does not change how long a product takes, but sums that are no numbers or next to none may. */
function operandsOf({ op, x, y, filter }: Trial): Operand[] {
  const ofView = (view: TensorView): Operand => {
    const ref: BufferRef = { kind: 'arena', id: view.tensor.id, offsetWords: 0, words: wordsOf(view) };
    return { ref, words: tiledNoise(ref.words, view.tensor.storage) };
  };
  const read = { conv: [x], convInputGradient: [y], convFilterGradient: [x, y] }[op.op];
  return [...read.map(ofView), { ref: filter, words: tiledNoise(filter.words, 'f32') }];
}
