/** Which tensor holds which node's output. */
import type { LevelShape, TensorSpec, TensorView } from '../plan/tensor.ts';
import { levelView, wholeView } from '../plan/tensor.ts';
import type { FeatureShape } from './shapes.ts';
import type { Pack } from './units.ts';

/** Activations by node id; packed ones are the levels of one tensor. Made when first asked for. */
export class Activations {
  readonly #shapes: ReadonlyMap<string, FeatureShape>;
  readonly #packs: ReadonlyMap<string, Pack>;
  readonly #batch: number;
  readonly #storageOf: (id: string) => TensorSpec['storage'];
  readonly #tensors = new Map<string, TensorSpec>();

  constructor(
    shapes: ReadonlyMap<string, FeatureShape>,
    packs: ReadonlyMap<string, Pack>,
    batch: number,
    storageOf: (id: string) => TensorSpec['storage'],
  ) {
    this.#shapes = shapes;
    this.#packs = packs;
    this.#batch = batch;
    this.#storageOf = storageOf;
  }

  /** One node's output, or a whole pack. */
  view(ids: readonly string[]): TensorView {
    const pack = this.#packs.get(ids[0]!);
    if (!pack) return wholeView(this.#tensor(ids));
    const tensor = this.#tensor(pack);
    return ids.length === 1 ? levelView(tensor, pack.indexOf(ids[0]!)) : wholeView(tensor);
  }

  /** A new tensor in f32 of the shape of a node's output, or of a whole pack. */
  like(ids: readonly string[], id: string): TensorView {
    return wholeView({ ...this.#spec(ids), id, storage: 'f32' });
  }

  #tensor(ids: readonly string[]): TensorSpec {
    const known = this.#tensors.get(ids[0]!);
    if (known) return known;
    const tensor = this.#spec(ids);
    this.#tensors.set(ids[0]!, tensor);
    return tensor;
  }

  #spec(ids: readonly string[]): TensorSpec {
    const shapes = ids.map((id) => this.#shapes.get(id)!);
    const levels: LevelShape[] = shapes.map(({ height, width }) => ({ height, width }));
    const storage = ids.some((id) => this.#storageOf(id) === 'f32') ? 'f32' : 'f16';
    const id = ids.length === 1 ? ids[0]! : `${ids[0]}..${ids.at(-1)}`;
    return { id, batch: this.#batch, levels, channels: shapes[0]!.channels, storage };
  }
}
