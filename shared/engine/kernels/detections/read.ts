/** From the candidates that the GPU hands over to detections: the same ones that `decodeDetections` makes of the same heads. */
import {
  type DecodeSettings,
  type Detection,
  defaultDecodeSettings,
  type ImageFrame,
  keepBest,
  scoreOf,
} from '../../../detector/decode.ts';
import { candidateWords, countWords, type DetectionSpec, roomOf } from './spec.ts';

/** Per image its detections, best first. `words`: of `candidatesRef`. */
export function readDetections(
  spec: DetectionSpec,
  words: Uint32Array,
  frames: readonly ImageFrame[],
  settings: DecodeSettings = {},
): Detection[][] {
  const options = { ...defaultDecodeSettings, ...settings };
  const { batch } = spec.logits.tensor;
  return frames.map((frame, image) => {
    const candidates = spec.logits.levels.flatMap((_, level) =>
      bestOf(candidatesOf(spec, words, level * batch + image), options),
    );
    const decoded = {
      boxes: Float32Array.from(candidates.flatMap(({ box }) => [...box])),
      scores: Float32Array.from(candidates, ({ score }) => score),
      classIndices: Int32Array.from(candidates, ({ index }) => index % spec.classCount),
    };
    return keepBest(decoded, frame, options);
  });
}

interface Candidate {
  readonly index: number;
  readonly score: number;
  readonly box: Float32Array;
}

function candidatesOf(spec: DetectionSpec, words: Uint32Array, segment: number): Candidate[] {
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const first = countWords(spec) + segment * roomOf(spec) * candidateWords;
  return Array.from({ length: Math.min(words[segment]!, roomOf(spec)) }, (_, slot) => {
    const at = first + slot * candidateWords;
    return { index: words[at]!, score: scoreOf(floats[at + 1]!), box: floats.subarray(at + 2, at + 6) };
  });
}

function bestOf(candidates: readonly Candidate[], options: Required<DecodeSettings>): Candidate[] {
  const threshold = Math.fround(options.scoreThreshold);
  return candidates
    .filter(({ score }) => score > threshold)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, options.topKPerLevel);
}
