/** Images that come to the engine as bytes are the frames that training makes of them, whatever their sizes and whichever way round. */
import { expect, it } from 'vitest';
import { fnv1a32, uniformAt } from '../../../shared/domain/random.ts';
import type { Batch } from '../../../shared/loss/executor.ts';
import { imagesParts } from '../../../shared/loss/microBatch.ts';
import { type BatchItem, buildBatch } from '../../../shared/training/batch.ts';
import { scaleImage } from '../../../shared/training/imageSource.ts';
import { network } from '../smallStep.ts';
import { onEngine } from './onEngine.ts';

const sizes = { minSizePx: 60, maxSizePx: 64 };

function item(name: string, widthPx: number, heightPx: number, flip: boolean, asBytes: boolean): BatchItem {
  const stream = fnv1a32(name);
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, i) => uniformAt(stream, i) * 256);
  const boxPx = [widthPx * 0.1, heightPx * 0.2, widthPx * 0.7, heightPx * 0.8] as const;
  const image = { id: name, name, widthPx, heightPx, boxes: [{ boxPx, classIndex: 1, ignore: false }] };
  const scaled = scaleImage(image, data, sizes);
  const unscaled = { size: scaled.size, bytes: { data, widthPx, heightPx } };
  return { image, scaled: asBytes ? unscaled : scaled, flip };
}

const batchOf = (asBytes: boolean) =>
  buildBatch([item('a', 81, 63, true, asBytes), item('b', 50, 40, false, asBytes)]);

it('looks at bytes as at the frames made of them, and at a part of the batch as at that part', async () => {
  const executor = await onEngine({ network, boxLoss: 'l1', prior: 0.01, seed: 1 });
  const [floats, bytes] = [batchOf(false), batchOf(true)];
  expect(bytes.images).toHaveLength(0);
  const second = (of: Batch) => imagesParts(of, 1)[1]!.batch;
  for (const [ours, theirs] of [
    [bytes, floats],
    [second(bytes), second(floats)],
  ] as const) {
    const [expected, found] = [await executor.heads(theirs), await executor.heads(ours)];
    for (const head of ['logits', 'deltas'] as const) {
      const worst = Math.max(...found[head].map((each, i) => Math.abs(each - expected[head][i]!)));
      expect(worst).toBeLessThan(2e-4);
    }
  }
  executor.dispose();
});
