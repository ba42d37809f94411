/**
 * Gradients of the network's activations while the units are gone through backward: every reader of an activation contributes to
 * its gradient, and the contributions are joined where they are written, as far as kernels can.
 */
import type { GradientTarget, Op } from '../plan/ops.ts';
import { levelView, type TensorView, wholeView } from '../plan/tensor.ts';
import type { Activations } from './tensors.ts';

/** Tensors that one operation adds: with what it masks by and what it writes they are fewer than a kernel may bind. */
const mostAddends = 4;

export interface Activation {
  /** Operands that it is: as many contributions as its gradient waits for. */
  readonly readers: number;
  /** A ReLU is the last that is done to it: where it is not positive, its gradient is zero. */
  readonly relu: boolean;
}

interface Pending {
  readonly parts: TensorView[];
  waiting: number;
  isMasked: boolean;
}

/** `ids` are of one activation, or of all levels of a pack. */
export class Gradients {
  readonly #learning: ReadonlyMap<string, Activation>;
  readonly #tensors: Activations;
  readonly #ops: Op[];
  readonly #pending: ReadonlyMap<string, Pending>;
  #made = 0;

  /** `learning`: what needs a gradient, by node id. `ops`: where joining goes that no kernel does by the way. */
  constructor(learning: ReadonlyMap<string, Activation>, tensors: Activations, ops: Op[]) {
    this.#learning = learning;
    this.#tensors = tensors;
    this.#ops = ops;
    this.#pending = new Map(
      [...learning].map(([id, { readers }]) => [id, { parts: [], waiting: readers, isMasked: false }]),
    );
  }

  /** A contribution that the loss writes before all else. */
  begin(ids: readonly string[], gradient: TensorView): void {
    this.#contribute(ids, gradient);
  }

  /** A reader's contribution that is there already, as it is: nothing is copied. */
  pass(ids: readonly string[], gradient: TensorView): void {
    this.#countReader(ids);
    this.#contribute(ids, gradient);
  }

  /** Where a reader is to write its contribution; null where nobody needs it. `dy`: what the reader binds besides. */
  target(ids: readonly string[], dy: TensorView): GradientTarget | null {
    const pending = this.#pendingOf(ids);
    if (pending.length === 0) return null;
    this.#countReader(ids);
    const add = this.#takeCommon(ids, dy);
    const isLast = pending.every(({ waiting, parts }) => waiting === 0 && parts.length === 0);
    const isMasked = isLast && this.#isActive(ids);
    const dx = this.#new(ids);
    this.#contribute(ids, dx);
    if (isMasked) for (const each of pending) each.isMasked = true;
    return { dx, add, mask: isMasked ? this.#tensors.view(ids) : null };
  }

  /** The gradient, all readers having contributed: masked where a ReLU is to be gone through. */
  settle(ids: readonly string[]): TensorView {
    const common: TensorView[] = [];
    for (let part = this.#takeCommon(ids); part; part = this.#takeCommon(ids)) common.push(part);
    const pending = this.#pendingOf(ids);
    if (pending.some(({ parts }) => parts.length > 0)) return this.#settleLevels(ids, common);
    const isDone = pending.every(({ isMasked }) => isMasked) || !this.#isActive(ids);
    if (isDone && common.length === 1) return common[0]!;
    return this.#sum(ids, common, isDone ? null : this.#tensors.view(ids));
  }

  /** Where levels of a pack were contributed to one by one. */
  #settleLevels(ids: readonly string[], common: readonly TensorView[]): TensorView {
    const whole = this.#new(ids);
    ids.forEach((id, level) => {
      const { parts, isMasked } = this.#pending.get(id)!;
      const all = [...common.map(({ tensor }) => levelView(tensor, level)), ...parts];
      const isDone = isMasked || !this.#isActive([id]);
      const mask = isDone ? null : this.#tensors.view([id]);
      this.#sum([id], all, mask, levelView(whole.tensor, level));
    });
    return whole;
  }

  /** More than a kernel can add are added by several. */
  #sum(
    ids: readonly string[],
    parts: readonly TensorView[],
    mask: TensorView | null,
    y = this.#new(ids),
  ): TensorView {
    let rest = parts;
    while (rest.length > mostAddends) {
      const first = this.#sum(ids, rest.slice(0, mostAddends), null);
      rest = [first, ...rest.slice(mostAddends)];
    }
    this.#ops.push({ op: 'sum', inputs: rest, relu: false, mask, y });
    return y;
  }

  #contribute(ids: readonly string[], gradient: TensorView): void {
    ids.forEach((id, level) => {
      const part = ids.length === 1 ? gradient : levelView(gradient.tensor, level);
      this.#pending.get(id)?.parts.push(part);
    });
  }

  #countReader(ids: readonly string[]): void {
    for (const pending of this.#pendingOf(ids)) pending.waiting--;
  }

  /**
   * Takes away a contribution that all of `ids` have: one tensor, level by level. Not `apart`, which the kernel that will add it
   * binds already.
   */
  #takeCommon(ids: readonly string[], apart?: TensorView): TensorView | null {
    const pending = ids.map((id) => this.#pending.get(id));
    for (const part of pending.find((each) => each)!.parts) {
      const { tensor } = part;
      const [whole, views] =
        ids.length === 1
          ? [part, [part]]
          : [wholeView(tensor), tensor.levels.map((_, level) => levelView(tensor, level))];
      const places = pending.map(
        (each, level) => each?.parts.findIndex((other) => isSame(other, views[level])) ?? 0,
      );
      if (views.length !== ids.length || places.includes(-1) || isSame(whole, apart)) continue;
      pending.forEach((each, level) => {
        each?.parts.splice(places[level]!, 1);
      });
      return whole;
    }
    return null;
  }

  #pendingOf(ids: readonly string[]): Pending[] {
    return ids.flatMap((id) => this.#pending.get(id) ?? []);
  }

  /** Whether all that need a gradient were put through a ReLU. */
  #isActive(ids: readonly string[]): boolean {
    return ids.every((id) => this.#learning.get(id)?.relu ?? true);
  }

  #new(ids: readonly string[]): TensorView {
    return this.#tensors.like(ids, `gradient ${++this.#made} of ${ids[0]}`);
  }
}

function isSame(a: TensorView, b: TensorView | undefined): boolean {
  return a.tensor === b?.tensor && a.startRow === b.startRow;
}
