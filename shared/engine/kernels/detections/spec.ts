/** Detections on the GPU: what is decoded, and the buffers in which settings go up and candidates come down. */
import { type AnchorConfig, anchorSizesOf, cellAnchors } from '../../../detector/anchors.ts';
import {
  type DecodeSettings,
  defaultDecodeSettings,
  type ImageFrame,
  logitFloor,
} from '../../../detector/decode.ts';
import type { SizePx } from '../../../detector/preprocess.ts';
import type { BufferRef } from '../../plan/call.ts';
import { alignUp, type TensorView } from '../../plan/tensor.ts';

export interface DetectionSpec {
  /** Packed levels, channel `a * classCount + k`. */
  readonly logits: TensorView;
  /** The same levels, channel `a * 4 + i`. */
  readonly deltas: TensorView;
  readonly classCount: number;
  readonly anchors: AnchorConfig;
  /** Padded: the strides of the levels follow from it. */
  readonly frame: SizePx;
  /** The most candidates of a level that settings may ask for. */
  readonly topK: number;
}

/**
 * Candidates beyond the wanted ones. The GPU orders by logits, the rules by scores in float32, of which several logits may have the same:
 * which of those at the cut count is decided among these by the rules.
 */
const slack = 24;

/** Words of a candidate: index in its level and image (as `decodeDetections` counts), logit, box in the frame. */
export const candidateWords = 6;

/** An image of a level: what candidates are chosen from and counted by, `[level][image]`. */
export function segmentsOf({ logits }: DetectionSpec): number {
  return logits.levels.length * logits.tensor.batch;
}

/** Candidates of a segment. */
export function roomOf({ topK }: DetectionSpec): number {
  return topK + slack;
}

/** Lowest logit, wanted candidates of a segment, 0, 0; then height and width of each image's own part of the frame. */
export function settingsRef({ logits }: DetectionSpec): BufferRef {
  return { kind: 'state', id: 'detection settings', offsetWords: 0, words: 4 + logits.tensor.batch * 2 };
}

/** To be read: the segments' counts, then their candidates in no order. */
export function candidatesRef(spec: DetectionSpec): BufferRef {
  const words = countWords(spec) + segmentsOf(spec) * roomOf(spec) * candidateWords;
  return { kind: 'state', id: 'detections', offsetWords: 0, words };
}

/** Counts have a binding of their own. */
export function countWords(spec: DetectionSpec): number {
  return alignUp(segmentsOf(spec), 64);
}

/** What goes to `settingsRef`, for a batch of these images. */
export function writeDetectionSettings(
  spec: DetectionSpec,
  frames: readonly ImageFrame[],
  settings: DecodeSettings = {},
): Uint32Array {
  const { scoreThreshold, topKPerLevel } = { ...defaultDecodeSettings, ...settings };
  const words = new Uint32Array(settingsRef(spec).words);
  const floats = new Float32Array(words.buffer);
  floats[0] = Math.max(logitFloor(scoreThreshold), lowestFloat);
  words[1] = Math.min(topKPerLevel, spec.topK) + slack;
  frames.forEach(({ heightPx, widthPx }, image) => {
    floats.set([heightPx, widthPx], 4 + image * 2);
  });
  return words;
}

/** WGSL has no infinity. */
const lowestFloat = -3.4028234663852886e38;

export interface LevelAnchors {
  readonly cells: Float32Array;
  readonly strideX: number;
  readonly strideY: number;
}

/** As `buildAnchors`: an anchor is a cell's, moved by whole strides. */
export function levelAnchors({ logits, anchors, frame }: DetectionSpec): LevelAnchors[] {
  return logits.levels.map(({ height, width }, level) => ({
    cells: cellAnchors(anchorSizesOf(level, anchors), anchors.aspectRatios, anchors.roundAnchors),
    strideX: Math.floor(frame.widthPx / width),
    strideY: Math.floor(frame.heightPx / height),
  }));
}
