/** A file of named tensors, whichever of the formats it is in. */
import type { FloatType } from './float.ts';
import type { OtherTensor } from './safetensors.ts';

export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: FloatType;
  /**
   * Its values as float32 in row-major order: a view of the file's bytes where they are that already, else a copy. Throws a
   * Problem `not-finite` naming the tensor where a value is NaN or infinite.
   */
  read(): Float32Array;
}

export interface TensorFile {
  readonly format: 'safetensors' | 'torch';
  readonly tensors: readonly StoredTensor[];
  /** What is not floating point: a counter such as `num_batches_tracked`. */
  readonly others: readonly OtherTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Sentences for people: which dictionary inside the file was taken, what was passed over. */
  readonly notes: readonly string[];
}
