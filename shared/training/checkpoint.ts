/** A checkpoint: weights and optimizer state as safetensors, and the JSON that says what they are. */

import { Problem } from '../domain/problem.ts';
import { fnv1a32 } from '../domain/random.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors/safetensors.ts';
import type { CheckpointMeta, Executor, TrainingData } from './ports.ts';

export interface Checkpoint {
  readonly weights: Uint8Array;
  readonly state: Uint8Array;
  readonly meta: CheckpointMeta;
}

/** What the executor holds, as files. The same weights give the same bytes. */
export async function captureWeights(
  executor: Executor,
  meta: Pick<CheckpointMeta, 'step' | 'classes' | 'backbone'>,
): Promise<{ weights: Uint8Array; state: Uint8Array }> {
  const metadata = {
    format: 'pt',
    step: String(meta.step),
    backbone: meta.backbone,
    classes: JSON.stringify(meta.classes),
  };
  const weights = writeSafetensors(await executor.exportWeights(), metadata);
  const state = writeSafetensors(await executor.exportState(), { step: String(meta.step) });
  return { weights, state };
}

/** Puts a checkpoint back. Throws `conflict` where it belongs to other classes or another network, `damaged` where it cannot be read. */
export function restoreCheckpoint(
  executor: Executor,
  checkpoint: Checkpoint,
  expected: Pick<CheckpointMeta, 'classes' | 'network'>,
): void {
  const { meta } = checkpoint;
  if (!sameJson(meta.classes, expected.classes)) {
    throw new Problem(
      'conflict',
      `The checkpoint of step ${meta.step} knows the classes ${meta.classes.join(', ')}; the run wants ${expected.classes.join(', ')}.`,
      'Start a new run from its weights instead: classes are then matched by name.',
    );
  }
  if (!sameJson(meta.network, expected.network)) {
    throw new Problem(
      'conflict',
      `The checkpoint of step ${meta.step} belongs to another network (${meta.backbone}).`,
      'Resume with the backbone of the run, or start a new run.',
    );
  }
  executor.importWeights(readSafetensors(checkpoint.weights).tensors);
  executor.importState(readSafetensors(checkpoint.state).tensors);
}

/** Names what a run trains on: another set of images, boxes or classes has another fingerprint. */
export function dataFingerprint(data: Pick<TrainingData, 'classes' | 'train'>): string {
  return fnv1a32(JSON.stringify([data.classes, data.train]))
    .toString(16)
    .padStart(8, '0');
}

/** Equal as JSON, whatever the order of the keys. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
}
