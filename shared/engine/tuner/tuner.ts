/**
 * Which way to compute a convolution is the fastest depends on the GPU, and not even its maker knows: so all are tried, once for every
 * kind of convolution, when a network is first planned on an adapter. A software adapter is not tuned: its defaults were measured.
 */
import { Problem } from '../../domain/problem.ts';
import type { FilterVariant } from '../kernels/convolution/filterGradient.ts';
import type { ConvVariant } from '../kernels/convolution/gatherVariants.ts';
import type { Choices } from '../kernels/lower.ts';
import type { DeviceFacts } from '../kernels/wgsl.ts';
import type { KernelCall } from '../plan/call.ts';
import type { Op } from '../plan/ops.ts';
import {
  flopsOf,
  isTuned,
  leastTrialFlops,
  lowerVariant,
  shapeKey,
  type TunedOp,
  trialFlops,
  trialOf,
  type Variant,
  variantsOf,
} from './trials.ts';

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
  /** Milliseconds that the calls take, one after the other. */
  readonly time: (calls: readonly KernelCall[]) => Promise<number>;
  /** Milliseconds since any moment. */
  readonly clock: () => number;
  /**
   * Trying ends after this. What was not tried is computed as without a tuner, and so it stays: a run that is done again, or goes on
   * after its device was lost, is to give the same bytes.
   */
  readonly budgetMs: number;
}

/** Of what is kept: to be raised when kernels change so much that what was found before says nothing of them. */
const version = 1;

/** Times the fastest first trial. */
const hopeless = 5;

export class Tuner {
  /** As far as is known. */
  readonly choices: Choices = {
    conv: (op) => this.#chosen(op) as ConvVariant | undefined,
    filter: (op) => this.#chosen(op) as FilterVariant | undefined,
  };
  readonly #settings: TunerSettings;
  readonly #key: string;
  /** By `shapeKey`. */
  #found: Map<string, Variant> | null = null;

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
    const open = this.#open(ops.filter(isTuned));
    const total = open.reduce((sum, op) => sum + variantsOf(op, facts).length, 0);
    const end = clock() + budgetMs;
    let tried = 0;
    for (const op of open) {
      const times: { variant: Variant; ms: number }[] = [];
      let first = Number.POSITIVE_INFINITY;
      for (const variant of variantsOf(op, facts)) {
        if (clock() >= end) break;
        tell(`Finding the fastest way to compute on this GPU: ${++tried} of ${total}`);
        const quick = await this.#try(op, variant, leastTrialFlops);
        first = Math.min(first, quick);
        // What takes so much longer is not tried at length: a slow GPU would stand still for it.
        if (quick > hopeless * first) continue;
        times.push({ variant, ms: await this.#try(op, variant, trialFlops(first)) });
      }
      // The default is tried first, so that it is what stays where nothing else was.
      const best = times.reduce((a, b) => (b.ms < a.ms ? b : a), {
        variant: variantsOf(op, facts)[0]!,
        ms: Number.POSITIVE_INFINITY,
      });
      this.#found.set(shapeKey(op), best.variant);
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
  async #try(op: TunedOp, variant: Variant, flops: number): Promise<number> {
    const { facts, time } = this.#settings;
    try {
      return await time(lowerVariant(trialOf(op, flops), facts, variant));
    } catch (error) {
      if (error instanceof Problem && error.kind === 'device-lost') throw error;
      return Number.POSITIVE_INFINITY;
    }
  }

  /** What was found by another version of the program may be no way to compute it any more. */
  #chosen(op: TunedOp): Variant | undefined {
    const found = this.#found?.get(shapeKey(op));
    if (!found) return undefined;
    const text = JSON.stringify(found);
    return variantsOf(op, this.#settings.facts).find((variant) => JSON.stringify(variant) === text);
  }

  async #read(): Promise<Map<string, Variant>> {
    try {
      const text = (await this.#settings.cache?.read(this.#key)) ?? '{}';
      return new Map(Object.entries(JSON.parse(text) as Record<string, Variant>));
    } catch {
      return new Map();
    }
  }

  async #write(found: ReadonlyMap<string, Variant>): Promise<void> {
    await this.#settings.cache?.write(this.#key, JSON.stringify(Object.fromEntries(found))).catch(() => {});
  }
}
