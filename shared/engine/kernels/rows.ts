/** The rows of a tensor as statistics see them, for kernels' references: image by image, level by level. */
import { rowsOf, strideOf, type TensorView } from '../plan/tensor.ts';

/** One image's rows of one level. */
export interface ImageRows {
  /** Of the view. */
  readonly firstRow: number;
  readonly rows: number;
}

/** In the order of `[level][image]`. */
export function imagesOf({ tensor, levels }: TensorView): ImageRows[] {
  return levels.flatMap(({ firstRow, height, width }) =>
    Array.from({ length: tensor.batch }, (_, image) => ({
      firstRow: firstRow + image * height * width,
      rows: height * width,
    })),
  );
}

/** Values of a view, padding included: what its kernels' work is counted in. */
export function valuesOf(view: TensorView): number {
  return rowsOf(view) * strideOf(view.tensor.channels);
}
