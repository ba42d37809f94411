/** A tensor still in its file. */
import { Problem } from '../domain/problem.ts';
import { type FloatType, firstNonFinite } from './float.ts';

export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: FloatType;
  /**
   * Its values as float32 in row-major order: a view of the file's bytes where they are that already (it keeps the file in memory
   * and is not to be written to), else a copy. Throws a Problem `not-finite` naming the tensor where a value is NaN or infinite,
   * `damaged` where its bytes are not those that were written.
   */
  read(): Float32Array;
}

/** A tensor of the file that is not plain floating point (a counter such as `num_batches_tracked`): checked, not read. */
export interface OtherTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Throws a Problem naming the tensor and the element where a value is NaN or infinite. */
export function checkFinite(name: string, data: Float32Array, file: string): void {
  const index = firstNonFinite(data);
  if (index < 0) return;
  throw new Problem(
    'not-finite',
    `In ${file}, tensor ${JSON.stringify(name)} holds ${data[index]} at element ${index}.`,
    'These weights are spoilt: use an earlier checkpoint or another file.',
  );
}
