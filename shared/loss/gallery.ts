/** The anchors of most loss as a person can look at them: in the image they come from, each thing once. */
import { batchedNms } from '../detector/nms.ts';
import type { Batch, BatchTarget, HardAnchor } from './executor.ts';
import { byLoss, type HardLogit } from './statistics.ts';

/** IoU above which two anchors of a class show the same thing. */
const sameThingIou = 0.5;

export interface GallerySettings {
  /** `[count * 4]` of the frame. */
  readonly anchors: Float32Array;
  /** So many neighbours lie at one place. */
  readonly anchorsPerPlace: number;
  /** At most so many. */
  readonly count: number;
}

/**
 * The heaviest candidates, heaviest first, equal ones by image, anchor and class: of a class one at each place, and none that
 * overlaps a heavier one by more than half. Anchors that lie in the padding alone show nothing and are left out.
 */
export function gallery(
  candidates: readonly HardLogit[],
  batch: Batch,
  settings: GallerySettings,
): HardAnchor[] {
  const { anchors, anchorsPerPlace, count } = settings;
  const shown = new Map<string, { hard: HardLogit; frameBox: Float32Array }>();
  for (const hard of [...candidates].sort(byLoss)) {
    const place = `${hard.image}/${hard.classIndex}/${Math.floor(hard.anchor / anchorsPerPlace)}`;
    const frameBox = clipped(anchors, hard.anchor, batch.targets[hard.image]!);
    const empty = frameBox[2]! <= frameBox[0]! || frameBox[3]! <= frameBox[1]!;
    if (!empty && !shown.has(place)) shown.set(place, { hard, frameBox });
  }
  const all = [...shown.values()];
  const boxes = new Float32Array(all.length * 4);
  all.forEach(({ frameBox }, index) => {
    boxes.set(frameBox, index * 4);
  });
  // Already in order, and equal scores keep theirs.
  const scores = Float32Array.from(all, ({ hard }) => hard.loss);
  const groups = Int32Array.from(all, ({ hard }) => hard.classIndex * batch.batch + hard.image);
  return Array.from(batchedNms(boxes, scores, groups, sameThingIou, count), (index) => {
    const { hard, frameBox } = all[index]!;
    const { classIndex, side, probability, loss } = hard;
    const target = batch.targets[hard.image]!;
    return {
      imageId: target.imageId,
      boxPx: inOriginal(frameBox, target),
      classIndex,
      side,
      probability,
      loss,
    };
  });
}

/** The anchor's part of the image itself, in the frame. */
function clipped(anchors: Float32Array, anchor: number, { widthPx, heightPx }: BatchTarget): Float32Array {
  return Float32Array.from(anchors.subarray(anchor * 4, anchor * 4 + 4), (value, axis) =>
    Math.min(Math.max(value, 0), axis % 2 === 0 ? widthPx : heightPx),
  );
}

/** Back from the frame to the upright image: unmirrored, and in its own pixels. */
function inOriginal(box: Float32Array, target: BatchTarget): HardAnchor['boxPx'] {
  const [x1, y1, x2, y2] = box as unknown as [number, number, number, number];
  const ratioX = target.originalWidthPx / target.widthPx;
  const ratioY = target.originalHeightPx / target.heightPx;
  const [left, right] = target.flipped ? [target.widthPx - x2, target.widthPx - x1] : [x1, x2];
  return [left * ratioX, y1 * ratioY, right * ratioX, y2 * ratioY];
}
