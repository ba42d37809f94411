/**
 * Gradients of the network's activations while the units are gone through backward: every reader of an activation contributes to
 * its gradient, and the contributions are joined where they are written, as far as kernels can.
 */
import type { GradientTarget, Op } from '../plan/ops.ts';
import { levelView, type TensorSpec, type TensorView, wholeView } from '../plan/tensor.ts';

/** Tensors that one operation adds: with what it masks by and what it writes they are fewer than a kernel may bind. */
const mostAddends = 4;

export interface Activation {
  /** Operands that it is: as many contributions as its gradient waits for. */
  readonly readers: number;
  /** A ReLU is the last that is done to it: where it is not positive, its gradient is zero. */
  readonly relu: boolean;
}

export interface GradientSettings {
  /** Those that need a gradient, by node id. */
  readonly activations: ReadonlyMap<string, Activation>;
  /** An activation, or a whole pack of them. */
  readonly view: (ids: readonly string[]) => TensorView;
  /** A new tensor of the shape of an activation, or of a whole pack of them. */
  readonly like: (ids: readonly string[], id: string) => TensorView;
  /** Takes what is to be computed. */
  readonly emit: (op: Op) => void;
}

interface Pending {
  readonly parts: TensorView[];
  waiting: number;
  isMasked: boolean;
}

/** `ids` are of one activation, or of all levels of a pack. */
export class Gradients {
  readonly #settings: GradientSettings;
  readonly #pending: ReadonlyMap<string, Pending>;
  #made = 0;

  constructor(settings: GradientSettings) {
    this.#settings = settings;
    this.#pending = new Map(
      [...settings.activations].map(([id, { readers }]) => [
        id,
        { parts: [], waiting: readers, isMasked: false },
      ]),
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
    const pending = this.#learning(ids);
    if (pending.length === 0) return null;
    this.#countReader(ids);
    const add = this.#takeCommon(ids, dy);
    const isLast = pending.every(({ waiting, parts }) => waiting === 0 && parts.length === 0);
    const isMasked = isLast && this.#isActive(ids);
    const dx = this.#new(ids);
    this.#contribute(ids, dx);
    if (isMasked) for (const each of pending) each.isMasked = true;
    return { dx, add, mask: isMasked ? this.#settings.view(ids) : null };
  }

  /** The gradient, all readers having contributed: masked where a ReLU is to be gone through. */
  settle(ids: readonly string[]): TensorView {
    const common: TensorView[] = [];
    for (let part = this.#takeCommon(ids); part; part = this.#takeCommon(ids)) common.push(part);
    const masked = this.#learning(ids).every(({ isMasked }) => isMasked) || !this.#isActive(ids);
    if (this.#learning(ids).every(({ parts }) => parts.length === 0)) {
      const mask = masked ? null : this.#settings.view(ids);
      return common.length === 1 && !mask ? common[0]! : this.#sum(ids, common, mask);
    }
    return this.#settleLevels(ids, common);
  }

  /** Where levels of a pack were contributed to one by one. */
  #settleLevels(ids: readonly string[], common: readonly TensorView[]): TensorView {
    const whole = this.#new(ids);
    ids.forEach((id, level) => {
      const { parts, isMasked } = this.#pending.get(id)!;
      const all = [...common.map(({ tensor }) => levelView(tensor, level)), ...parts];
      const isActive = !isMasked && this.#settings.activations.get(id)!.relu;
      const mask = isActive ? this.#settings.view([id]) : null;
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
    this.#settings.emit({ op: 'sum', inputs: rest, relu: false, mask, y });
    return y;
  }

  #contribute(ids: readonly string[], gradient: TensorView): void {
    ids.forEach((id, level) => {
      const part = ids.length === 1 ? gradient : levelView(gradient.tensor, level);
      this.#pending.get(id)?.parts.push(part);
    });
  }

  #countReader(ids: readonly string[]): void {
    for (const pending of this.#learning(ids)) pending.waiting--;
  }

  /**
   * Takes away a contribution that all of `ids` have: one tensor, level by level. Not `apart`, which the kernel that will add it
   * binds already.
   */
  #takeCommon(ids: readonly string[], apart?: TensorView): TensorView | null {
    const pending = this.#learning(ids);
    const levels = new Map(ids.map((id, level) => [this.#pending.get(id), level]));
    const partOf = (each: Pending, tensor: TensorSpec, startRow: number) =>
      each.parts.findIndex((part) => part.tensor === tensor && part.startRow === startRow);
    for (const part of pending[0]!.parts) {
      if (apart && part.tensor === apart.tensor && part.startRow === apart.startRow) continue;
      if (ids.length > 1 && part.tensor.levels.length !== ids.length) continue;
      const startRow = (each: Pending) =>
        ids.length === 1 ? part.startRow : levelView(part.tensor, levels.get(each)!).startRow;
      const places = pending.map((each) => partOf(each, part.tensor, startRow(each)));
      if (places.includes(-1)) continue;
      pending.forEach((each, index) => {
        each.parts.splice(places[index]!, 1);
      });
      return ids.length === 1 ? part : wholeView(part.tensor);
    }
    return null;
  }

  #learning(ids: readonly string[]): Pending[] {
    return ids.flatMap((id) => this.#pending.get(id) ?? []);
  }

  /** Whether all were put through a ReLU. */
  #isActive(ids: readonly string[]): boolean {
    const { activations } = this.#settings;
    return ids.every((id) => activations.get(id)?.relu ?? true);
  }

  #new(ids: readonly string[]): TensorView {
    return this.#settings.like(ids, this.#name(ids.length === 1 ? ids[0]! : `${ids[0]}..${ids.at(-1)}`));
  }

  #name(id: string): string {
    return `gradient ${++this.#made} of ${id}`;
  }
}
