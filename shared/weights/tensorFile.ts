/** A file of named tensors, whichever of the formats it is in. */
import { refuseForeignFile, unknownFile } from './foreignFile.ts';
import { openSafetensors } from './safetensors/safetensors.ts';
import type { OtherTensor, StoredTensor } from './storedTensor.ts';
import { openTorchFile } from './torch/torchFile.ts';

export type { OtherTensor, StoredTensor };

export interface TensorFile {
  readonly format: 'safetensors' | 'torch';
  readonly tensors: readonly StoredTensor[];
  /** What is not plain floating point: a counter such as `num_batches_tracked`. */
  readonly others: readonly OtherTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Sentences for people: which dictionary inside the file was taken, what was passed over. */
  readonly notes: readonly string[];
}

/**
 * Opens a file of weights by what it is, not by what it is called: safetensors, or the zip format of torch.save. No tensor is read
 * yet. Throws a Problem that says what the file is, what is wrong with it and what to do; `file` names it in messages.
 */
export function readTensorFile(bytes: Uint8Array, file: string): TensorFile {
  // Asked first: a header's length may begin like anything.
  if (looksLikeSafetensors(bytes)) return safetensorsFile(bytes, file);
  if (looksLikeZip(bytes)) return { format: 'torch', metadata: {}, ...openTorchFile(bytes, file) };
  refuseForeignFile(bytes, file);
  if (/\.safetensors$/i.test(file)) return safetensorsFile(bytes, file);
  throw unknownFile(file);
}

function safetensorsFile(bytes: Uint8Array, file: string): TensorFile {
  return { format: 'safetensors', notes: [], ...openSafetensors(bytes, file) };
}

/** A length under 4 GB, then the brace of the header. */
function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}

/** An entry, an empty archive, or one piece of a split one. */
function looksLikeZip(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x50 && bytes[1] === 0x4b && [3, 5, 7].includes(bytes[2]!) && bytes[3] === bytes[2]! + 1
  );
}
