/** Weights as files to carry away: safetensors for PyTorch or ONNX for deployment, and beside them the model card. */
import type { RetinaNetOptions } from '../detector/network.ts';
import { Problem } from '../domain/problem.ts';
import type { NamedTensor } from '../loss/executor.ts';
import type { ModelCardFacts } from './modelCard.ts';

export interface ExportRequest {
  /** Of the files' names: `stem.onnx`, `stem.json`, `stem.md`. */
  readonly stem: string;
  readonly format: 'safetensors' | 'onnx';
  /** ONNX: threshold, suppress and cap inside the file. */
  readonly nms: boolean;
  readonly network: RetinaNetOptions;
  /** Under torchvision's names; what the network has no place for is left out. */
  readonly tensors: readonly NamedTensor[];
  /** ONNX: the size of its input, multiples of 32. */
  readonly frame: { readonly heightPx: number; readonly widthPx: number };
  readonly card: ModelCardFacts;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The weights, the card as JSON and the card as Markdown. Throws `bad-input` where a tensor is missing, `not-finite` where one is spoilt. */
export function exportedFiles(request: ExportRequest): ExportedFile[] {
  throw new Problem('bad-input', `Weights cannot be exported as ${request.format} yet.`, 'Wait for it.');
}
