/**
 * Activations and gradients as they lie in memory: rows of channels, NHWC. A tensor has one level, or the levels of a pyramid one
 * after the other (the heads run over all of them in one dispatch). Within a level rows go image by image, y by y, x by x.
 *
 * Channels are padded to a multiple of four, and the padding is always zero: kernels read and write four at a time and need
 * no other variant. Every level begins at a multiple of `rowAlignment` rows, so that a level alone can be bound; rows between
 * levels are never read or written.
 */
export interface LevelShape {
  readonly height: number;
  readonly width: number;
}

export interface TensorSpec {
  readonly id: string;
  readonly batch: number;
  readonly levels: readonly LevelShape[];
  readonly channels: number;
  /** `f16`: two to a word (`pack2x16float`); computed with in f32 all the same. */
  readonly storage: 'f32' | 'f16';
}

export interface LevelSlice extends LevelShape {
  /** Of the view, not of the tensor. */
  readonly firstRow: number;
}

/** A tensor, or one level of it: what an op reads or writes. */
export interface TensorView {
  readonly tensor: TensorSpec;
  /** Where the view begins: 0 for a whole tensor. */
  readonly startRow: number;
  readonly levels: readonly LevelSlice[];
}

/** Bindings begin at multiples of 256 bytes: 32 rows of four channels in f16. */
export const rowAlignment = 32;

export function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Floats from one row to the next: channels and their padding. */
export function strideOf(channels: number): number {
  return alignUp(channels, 4);
}

function slicesOf({ batch, levels }: Pick<TensorSpec, 'batch' | 'levels'>): LevelSlice[] {
  let firstRow = 0;
  return levels.map(({ height, width }) => {
    const slice = { height, width, firstRow };
    firstRow = alignUp(firstRow + batch * height * width, rowAlignment);
    return slice;
  });
}

export function wholeView(tensor: TensorSpec): TensorView {
  return { tensor, startRow: 0, levels: slicesOf(tensor) };
}

/** One level as a tensor of its own. */
export function levelView(tensor: TensorSpec, level: number): TensorView {
  const { height, width, firstRow } = slicesOf(tensor)[level]!;
  return { tensor, startRow: firstRow, levels: [{ height, width, firstRow: 0 }] };
}

/** From the view's first row to behind its last, the rows between levels included. */
export function rowsOf({ tensor, levels }: TensorView): number {
  const { firstRow, height, width } = levels.at(-1)!;
  return firstRow + tensor.batch * height * width;
}

/** Words of four bytes. */
export function wordsOf(view: TensorView): number {
  return rowsOf(view) * rowWords(view.tensor);
}

/** Words of one row. */
export function rowWords({ channels, storage }: Pick<TensorSpec, 'channels' | 'storage'>): number {
  return strideOf(channels) / (storage === 'f16' ? 2 : 1);
}
