/** What each anchor's terms are multiplied with under strategies that leave some out. */
import { decodeBoxes } from '../detector/boxCoder.ts';
import type { Batch, StepSettings } from '../loss/executor.ts';
import { selectAnchors } from '../loss/selection.ts';
import { strategies } from '../loss/strategies.ts';
import type { LossSettings } from '../loss/strategy.ts';
import type { BatchTargets } from '../loss/targets.ts';
import type { Model } from './model.ts';

/**
 * The targets with the strategy's weights in the place of the normalizer's; null where the strategy leaves no anchor out. Where it has
 * to see the logits first, they come from a forward pass of its own: tfjs cannot wait for a readback in the middle of a gradient. Such
 * a step takes that much longer.
 */
export async function weighSelected(
  model: Model,
  batch: Batch,
  targets: BatchTargets,
  loss: LossSettings,
  draw: NonNullable<StepSettings['draw']> = { seed: 0, step: 0 },
): Promise<{ targets: BatchTargets; selectedAnchors: number } | null> {
  const { selection } = strategies[loss.strategy];
  if (selection === 'all') return null;
  const heads = selection === 'by-score' ? await model.heads(batch) : null;
  const classCount = model.foregroundClassCount;
  const anchors = model.anchorsOf(batch);
  const count = targets.anchorsPerImage;
  const part = (values: Float32Array | undefined, width: number, image: number) =>
    values?.subarray(image * count * width, (image + 1) * count * width) ?? new Float32Array();
  const images = batch.targets.map(({ classIndices }, image) => ({
    logits: part(heads?.logits, classCount, image),
    foregroundClassCount: classCount,
    matches: targets.matches[image]!,
    classIndices,
    boxes: () => decodeBoxes(part(heads?.deltas, 4, image), anchors),
    levelCounts: model.levelCountsOf(batch),
  }));
  const { weights, selectedAnchors } = selectAnchors(images, loss, draw);
  const classWeights = new Float32Array(targets.classWeights.length);
  weights.forEach((each, image) => {
    classWeights.set(each, image * count);
  });
  return { targets: { ...targets, classWeights }, selectedAnchors };
}
