/** Opens weights and keeps their tensors, as a run does before its first step. */
import type { RequestResult } from '../../shared/contract/requests.ts';
import type { NamedTensor } from '../../shared/loss/executor.ts';
import { openWeights } from '../../shared/weights/model/openWeights.ts';

export interface WorkerReport {
  readonly tensors: number;
  readonly values: number;
  /** How many bytes of tensors are copies instead of views of the file. */
  readonly copiedBytes: number;
  readonly openedMs: number;
}

let kept: readonly NamedTensor[] = [];

self.onmessage = ({ data }: MessageEvent<RequestResult<'weights.read'>>) => {
  const startMs = performance.now();
  kept = openWeights(data.bytes, data.name, data.meta).tensors();
  const copies = kept.filter((tensor) => tensor.data.buffer !== data.bytes.buffer);
  const report: WorkerReport = {
    tensors: kept.length,
    values: kept.reduce((sum, tensor) => sum + tensor.data.length, 0),
    copiedBytes: copies.reduce((sum, tensor) => sum + tensor.data.byteLength, 0),
    openedMs: performance.now() - startMs,
  };
  self.postMessage(report);
};
