/**
 * Which anchors would answer for which labelled box: the matching that a run does at its size, box by box. A box that no anchor
 * overlaps by half is learnt on forced matches alone, and one that ends without any anchor is not learnt at all.
 */
import { type BoxPx, clipToImage } from '../domain/box.ts';
import { anchorCounts, buildAnchors } from './anchors.ts';
import { boxIou } from './iou.ts';
import { defaultMatcherThresholds, matchAnchors } from './matcher.ts';
import { levelNames, pyramidSizes, type RetinaNetOptions } from './network.ts';
import { minBoxSidePx, paddedSize, resizedSize, type SizePx, scaleBoxes } from './preprocess.ts';

export interface LabelledImage extends SizePx {
  readonly id: string;
  readonly boxes: readonly {
    /** In pixels of the upright image. */
    readonly boxPx: BoxPx;
    readonly classIndex: number;
    readonly ignore: boolean;
  }[];
}

export interface CoverageSettings {
  readonly network: RetinaNetOptions;
  readonly minSizePx: number;
  readonly maxSizePx: number;
}

/**
 * `fitted`: some anchor overlaps it by half. `forced`: none does, and the nearest ones answer for it. `unanswered`: no anchor does:
 * none touches it, or another box took the nearest. `too-small`: under a pixel at this size, so training leaves it out.
 */
export const fits = ['fitted', 'forced', 'unanswered', 'too-small'] as const;
export type Fit = (typeof fits)[number];

export interface BoxCoverage {
  readonly imageId: string;
  readonly boxPx: BoxPx;
  readonly classIndex: number;
  /** At the network's size. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** With the best of all anchors; 0 where none touches it. */
  readonly bestIou: number;
  /** Anchors that are foreground for it, on each of the levels P3 to P7. */
  readonly positives: readonly number[];
  readonly fit: Fit;
}

/** Every labelled box of an image, regions to ignore left out. The frame is the image's own: in a batch it may be padded further. */
export function coverImage(image: LabelledImage, settings: CoverageSettings): BoxCoverage[] {
  const size = resizedSize(image.heightPx, image.widthPx, settings.minSizePx, settings.maxSizePx);
  const boxes = image.boxes
    .filter(({ ignore }) => !ignore)
    .map(({ boxPx, classIndex }) => describe(image, size, boxPx, classIndex));
  const seen = boxes.filter(({ fit }) => fit !== 'too-small');
  if (seen.length === 0) return boxes;
  const covered = coverBoxes(image, size, seen, settings.network);
  return boxes.map((box) => covered.get(box) ?? box);
}

/** Pixels and anchors of the frame that an image becomes: what a step's time and memory grow with. */
export function frameCost(image: SizePx, { network, minSizePx, maxSizePx }: CoverageSettings) {
  const frame = paddedSize([resizedSize(image.heightPx, image.widthPx, minSizePx, maxSizePx)]);
  const counts = anchorCounts(pyramidSizes(frame.heightPx, frame.widthPx), network);
  return { pixels: frame.heightPx * frame.widthPx, anchors: counts.reduce((sum, count) => sum + count, 0) };
}

function describe(image: LabelledImage, size: SizePx, boxPx: BoxPx, classIndex: number): BoxCoverage {
  const clipped = clipToImage(boxPx, image.widthPx, image.heightPx);
  const widthPx = ((clipped[2] - clipped[0]) * size.widthPx) / image.widthPx;
  const heightPx = ((clipped[3] - clipped[1]) * size.heightPx) / image.heightPx;
  const isSeen = widthPx >= minBoxSidePx && heightPx >= minBoxSidePx;
  return {
    imageId: image.id,
    boxPx: clipped,
    classIndex,
    widthPx,
    heightPx,
    bestIou: 0,
    positives: levelNames.map(() => 0),
    fit: isSeen ? 'unanswered' : 'too-small',
  };
}

function coverBoxes(
  image: SizePx,
  size: SizePx,
  boxes: readonly BoxCoverage[],
  network: RetinaNetOptions,
): Map<BoxCoverage, BoxCoverage> {
  const frame = paddedSize([size]);
  const features = pyramidSizes(frame.heightPx, frame.widthPx);
  const anchors = buildAnchors(frame.heightPx, frame.widthPx, features, network);
  const flat = Float32Array.from(boxes.flatMap(({ boxPx }) => boxPx));
  const truth = scaleBoxes(flat, image, size);
  const matches = matchAnchors(anchors, truth);
  const levelEnds = ends(anchorCounts(features, network));
  const bestIou = boxes.map(() => 0);
  const positives = boxes.map(() => levelNames.map(() => 0));
  let level = 0;
  for (let anchor = 0; anchor < matches.length; anchor++) {
    while (anchor >= levelEnds[level]!) level++;
    const match = matches[anchor]!;
    if (match < 0) continue;
    positives[match]![level]!++;
    // A box's best anchor is always foreground, of whichever box: the others need not be looked at.
    for (let box = 0; box < boxes.length; box++) {
      bestIou[box] = Math.max(bestIou[box]!, boxIou(anchors, anchor, truth, box));
    }
  }
  return new Map(
    boxes.map((box, index) => {
      const found = { bestIou: bestIou[index]!, positives: positives[index]! };
      return [box, { ...box, ...found, fit: fitOf(found) }];
    }),
  );
}

function fitOf({ bestIou, positives }: Pick<BoxCoverage, 'bestIou' | 'positives'>): Fit {
  if (positives.every((count) => count === 0)) return 'unanswered';
  return bestIou >= Math.fround(defaultMatcherThresholds.foregroundIou) ? 'fitted' : 'forced';
}

function ends(counts: readonly number[]): number[] {
  let end = 0;
  return counts.map((count) => (end += count));
}
