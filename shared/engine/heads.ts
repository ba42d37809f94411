/** What the heads of a planned network said, read back. */

import type { Plan } from './device/plan.ts';
import { unpackRows } from './kernels/loss/targets.ts';
import { type BufferRef, bindView } from './plan/call.ts';
import { strideOf, type TensorView } from './plan/tensor.ts';
import type { Planned } from './plans.ts';
import { heads, type PlannedNetwork } from './sections.ts';

/** Anchors on each level of an image. */
export function levelCountsOf({ grid }: PlannedNetwork): number[] {
  return grid.levels.map(({ height, width }) => height * width * grid.perPosition);
}

export function imageOf(values: Float32Array, image: number, length: number): Float32Array {
  return values.subarray(image * length, (image + 1) * length);
}

/** Logits `[batch * anchors * K]` and deltas `[batch * anchors * 4]` of the last pass forward. */
export async function readHeads({
  plan,
  network,
  rows,
}: Planned): Promise<{ logits: Float32Array; deltas: Float32Array }> {
  const [logits, deltas] = [network.outputs[heads.logits]!, network.outputs[heads.deltas]!];
  const read = async (view: TensorView): Promise<Float32Array> => {
    const packed = floatsOf(await plan.read(bindView(view, 'read').ref));
    return unpackRows(packed, view.tensor.channels / rows.perPosition, rows);
  };
  const [first, second] = await Promise.all([read(logits), read(deltas)]);
  return { logits: first!, deltas: second! };
}

/** One level of a tensor without the padding of its channels. */
export async function readNhwc(
  plan: Plan,
  view: TensorView,
): Promise<{ shape: number[]; data: Float32Array }> {
  const { batch, channels } = view.tensor;
  const { height, width } = view.levels[0]!;
  const ref: BufferRef = bindView(view, 'read').ref;
  const rows = floatsOf(await plan.read(ref));
  const data = new Float32Array(batch * height * width * channels);
  const stride = strideOf(channels);
  for (let row = 0; row * channels < data.length; row++) {
    data.set(rows.subarray(row * stride, row * stride + channels), row * channels);
  }
  return { shape: [batch, height, width, channels], data };
}

function floatsOf(words: Uint32Array): Float32Array {
  return new Float32Array(words.buffer, words.byteOffset, words.length);
}
