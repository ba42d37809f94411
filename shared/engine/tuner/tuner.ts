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
   * Trying ends after this. What was not tried is computed as without a tuner, and so it stays: a run that is done again, or goes on
   * after its device was lost, is to give the same bytes.
   */
  readonly budgetMs: number;
}

/** Of what is kept: to be raised when a kernel's text changes so much that its time of before says nothing of it. */
const version = 2;

/** Times the fastest first trial. */
const hopeless = 5;

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
    const { facts, bench, clock, budgetMs } = this.#settings;
    await this.recall();
    if (!this.#found) return;
    const open = this.#open(ops.filter(isTuned));
    const total = open.reduce((sum, op) => sum + variantsOf(op, facts).length, 0);
    const end = clock() + budgetMs;
    let tried = 0;
    for (const op of open) {
      const variants = variantsOf(op, facts);
      const check = new Check(op, facts, bench);
      const times: { variant: Variant; ms: number }[] = [];
      let first = Number.POSITIVE_INFINITY;
      for (const variant of variants) {
        if (clock() >= end) break;
        tell(`Finding the fastest way to compute on this GPU: ${++tried} of ${total}`);
        if (!(await check.passes(variant))) continue;
        const quick = await this.#time(op, variant, leastTrialFlops);
        first = Math.min(first, quick);
        // What takes so much longer is not tried at length: a slow GPU would stand still for it.
        if (quick > hopeless * first) continue;
        times.push({ variant, ms: await this.#time(op, variant, trialFlops(first)) });
      }
      if (check.wrong.size > 0) {
        tell(
          `This GPU computes wrongly in ${check.wrong.size} of ${variants.length} ways: they are left out.`,
        );
      }
      this.#found.set(shapeKey(op), { variant: bestOf(variants, times, check.wrong), of: hashOf(variants) });
      await this.#write(this.#found);
    }
  }

  /** One of each kind of which nothing is known and which there is more than one way to compute, the longest in a step first. */
  #open(ops: readonly TunedOp[]): TunedOp[] {
    const kinds = new Map<string, { op: TunedOp; flops: number }>();
    for (const op of ops) {
      const key = shapeKey(op);
      const flops = (kinds.get(key)?.flops ?? 0) + flopsOf(op);
      kinds.set(key, { op, flops });
    }
    return [...kinds.values()]
      .filter(({ op }) => !this.#chosen(op) && variantsOf(op, this.#settings.facts).length > 1)
      .sort((a, b) => b.flops - a.flops)
      .map(({ op }) => op);
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
