/**
 * From raw logits and deltas to detections, as torchvision's RetinaNet postprocesses: per level a score threshold and the top
 * candidates, then box decoding, clipping, class-wise NMS over all levels and a cap, then back to the original image's pixels.
 */
import type { BoxPx } from '../domain/box.ts';
import { decodeOne } from './boxCoder.ts';
import { batchedNms, orderByScore } from './nms.ts';

export interface Detection {
  /** In pixels of the upright original image. */
  readonly boxPx: BoxPx;
  readonly score: number;
  readonly classIndex: number;
}

/** What the heads said about one image. Channel `a * K + k`, all K classes foreground. */
export interface HeadOutput {
  /** `[A * K]`, order as `anchors`. */
  readonly logits: Float32Array;
  /** `[A * 4]`, dx dy dw dh. */
  readonly deltas: Float32Array;
  /** `[A * 4]`, of `buildAnchors`. */
  readonly anchors: Float32Array;
  /** Anchors on each pyramid level, in the order of `anchors`. */
  readonly levelCounts: readonly number[];
  readonly foregroundClassCount: number;
}

/** The image's own part of the padded frame, and its size before resizing. */
export interface ImageFrame {
  readonly heightPx: number;
  readonly widthPx: number;
  readonly originalHeightPx: number;
  readonly originalWidthPx: number;
}

export interface DecodeSettings {
  /** Keep scores above this. */
  readonly scoreThreshold?: number;
  /** IoU above which the lower score of the same class goes. */
  readonly nmsIou?: number;
  readonly topKPerLevel?: number;
  readonly maxDetections?: number;
}

export const defaultDecodeSettings: Required<DecodeSettings> = {
  scoreThreshold: 0.05,
  nmsIou: 0.5,
  topKPerLevel: 1000,
  maxDetections: 300,
};

/** Detections of one image, best first. */
export function decodeDetections(
  head: HeadOutput,
  frame: ImageFrame,
  settings: DecodeSettings = {},
): Detection[] {
  const options = { ...defaultDecodeSettings, ...settings };
  const candidates = selectCandidates(head, options.scoreThreshold, options.topKPerLevel);
  const boxes = decodeClipped(head, candidates.flatIndices, frame);
  return keepBest({ ...candidates, boxes }, frame, options);
}

/** Candidates of one image with their boxes, x1 y1 x2 y2 `[n * 4]`, clipped to the image's own part of the frame. */
export interface DecodedCandidates {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classIndices: Int32Array;
}

/** What is left of an image's candidates, highest score first, equal scores in their order: in pixels of the original image. */
export function keepBest(
  { boxes, scores, classIndices }: DecodedCandidates,
  frame: ImageFrame,
  settings: DecodeSettings = {},
): Detection[] {
  const { nmsIou, maxDetections } = { ...defaultDecodeSettings, ...settings };
  const kept = batchedNms(boxes, scores, classIndices, nmsIou, maxDetections);
  const ratioX = Math.fround(frame.originalWidthPx / frame.widthPx);
  const ratioY = Math.fround(frame.originalHeightPx / frame.heightPx);
  return Array.from(kept, (index) => ({
    boxPx: [
      Math.fround(boxes[index * 4]! * ratioX),
      Math.fround(boxes[index * 4 + 1]! * ratioY),
      Math.fround(boxes[index * 4 + 2]! * ratioX),
      Math.fround(boxes[index * 4 + 3]! * ratioY),
    ],
    score: scores[index]!,
    classIndex: classIndices[index]!,
  }));
}

interface Candidates {
  /** Positions in `logits`: `anchor * K + class`. */
  readonly flatIndices: Int32Array;
  readonly scores: Float32Array;
  readonly classIndices: Int32Array;
}

/** Per level the `topK` highest scores above the threshold, highest first; levels one after another. */
function selectCandidates(head: HeadOutput, scoreThreshold: number, topK: number): Candidates {
  const classCount = head.foregroundClassCount;
  const flat: number[] = [];
  const scores: number[] = [];
  let levelStart = 0;
  for (const anchorCount of head.levelCounts) {
    const levelEnd = levelStart + anchorCount * classCount;
    const above = indicesAbove(head.logits, levelStart, levelEnd, scoreThreshold);
    const levelScores = Float32Array.from(above, (index) => scoreOf(head.logits[index]!));
    for (const rank of topRanks(levelScores, topK)) {
      flat.push(above[rank]!);
      scores.push(levelScores[rank]!);
    }
    levelStart = levelEnd;
  }
  return {
    flatIndices: Int32Array.from(flat),
    scores: Float32Array.from(scores),
    classIndices: Int32Array.from(flat, (index) => index % classCount),
  };
}

/** Positions in `[start, end)` whose sigmoid, rounded to float32, is above the threshold. NaN is never above. */
function indicesAbove(logits: Float32Array, start: number, end: number, scoreThreshold: number): number[] {
  const threshold = Math.fround(scoreThreshold);
  // Almost every logit of a trained network is far below: a comparison spares the exponential.
  const surelyBelow = logitFloor(scoreThreshold);
  const above: number[] = [];
  for (let index = start; index < end; index++) {
    const logit = logits[index]!;
    if (logit >= surelyBelow && scoreOf(logit) > threshold) above.push(index);
  }
  return above;
}

/** Ranks of the `topK` highest scores, highest first, equal scores in their order. */
function topRanks(scores: Float32Array, topK: number): Int32Array {
  if (scores.length <= topK) return orderByScore(scores);
  const cut = scores.slice().sort()[scores.length - topK]!;
  let room = topK;
  for (const score of scores) if (score > cut) room--;
  const ranks: number[] = [];
  scores.forEach((score, rank) => {
    if (score > cut || (score === cut && room-- > 0)) ranks.push(rank);
  });
  const chosen = Int32Array.from(ranks);
  return chosen.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Decoded boxes `[n * 4]` of the candidates, clipped to the image's own part of the frame (not to the padding). */
function decodeClipped(head: HeadOutput, flatIndices: Int32Array, frame: ImageFrame): Float32Array {
  const boxes = new Float32Array(flatIndices.length * 4);
  flatIndices.forEach((flatIndex, index) => {
    const anchor = Math.floor(flatIndex / head.foregroundClassCount) * 4;
    const at = index * 4;
    decodeOne(head.deltas, anchor, head.anchors, anchor, boxes, at);
    boxes[at] = Math.min(Math.max(boxes[at]!, 0), frame.widthPx);
    boxes[at + 1] = Math.min(Math.max(boxes[at + 1]!, 0), frame.heightPx);
    boxes[at + 2] = Math.min(Math.max(boxes[at + 2]!, 0), frame.widthPx);
    boxes[at + 3] = Math.min(Math.max(boxes[at + 3]!, 0), frame.heightPx);
  });
  return boxes;
}

/** Below this no logit's score is above the threshold: by a margin wider than float32's rounding of the score can reach. */
export function logitFloor(scoreThreshold: number): number {
  const threshold = Math.fround(scoreThreshold);
  return threshold <= 0 ? Number.NEGATIVE_INFINITY : Math.log(threshold / (1 - threshold)) - 1e-3;
}

/** The sigmoid in float32. */
export function scoreOf(logit: number): number {
  return Math.fround(1 / (1 + Math.exp(-logit)));
}
