import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBoxes, encodeBoxes } from './boxCoder.ts';
import { decodeDetections, type HeadOutput } from './decode.ts';
import { boxIou } from './iou.ts';

const frame = { heightPx: 100, widthPx: 200, originalHeightPx: 50, originalWidthPx: 100 };
const logit = (p: number) => Math.log(p / (1 - p));

/** A head whose decoded boxes and scores are given per anchor; levels as given. */
function headOf(rows: { box: number[]; scores: number[] }[], levelCounts: number[]): HeadOutput {
  const anchors = Float32Array.from(rows.flatMap(() => [20, 20, 60, 60]));
  const boxes = Float32Array.from(rows.flatMap((row) => row.box));
  return {
    logits: Float32Array.from(rows.flatMap((row) => row.scores.map(logit))),
    deltas: encodeBoxes(boxes, anchors),
    anchors,
    levelCounts,
    foregroundClassCount: rows[0]!.scores.length,
  };
}

describe('decodeDetections', () => {
  it('decodes, suppresses within a class, clips to the image and rescales', () => {
    const head = headOf(
      [
        { box: [150, 80, 250, 120], scores: [0.01, 0.9] },
        { box: [10, 10, 50, 50], scores: [0.8, 0.3] },
        { box: [12, 10, 52, 50], scores: [0.7, 0.02] },
      ],
      [1, 2],
    );
    const found = decodeDetections(head, frame);
    expect(found.map((d) => d.classIndex)).toEqual([1, 0, 1]);
    expect(found.map((d) => +d.score.toFixed(5))).toEqual([0.9, 0.8, 0.3]);
    const rounded = found.map((d) => d.boxPx.map((v) => +v.toFixed(3)));
    expect(rounded).toEqual([
      [75, 40, 100, 50],
      [5, 5, 25, 25],
      [5, 5, 25, 25],
    ]);
  });

  it('keeps scores above the threshold, not at it', () => {
    const head = headOf([{ box: [10, 10, 50, 50], scores: [0.5, 0.04] }], [1]);
    head.logits[0] = 0;
    expect(decodeDetections(head, frame, { scoreThreshold: 0.5 })).toHaveLength(0);
    expect(decodeDetections(head, frame, { scoreThreshold: 0.49 })).toHaveLength(1);
    expect(decodeDetections(head, frame, { scoreThreshold: 0 })).toHaveLength(2);
  });

  it('takes the top candidates of each level and the first detections of all', () => {
    const spread = Array.from({ length: 8 }, (_, i) => ({
      box: [i * 24, 10, i * 24 + 20, 30],
      scores: [0.9 - i * 0.1],
    }));
    const head = headOf(spread, [4, 4]);
    const scores = (settings: object) =>
      decodeDetections(head, frame, settings).map((d) => +d.score.toFixed(3));
    expect(scores({ topKPerLevel: 2 })).toEqual([0.9, 0.8, 0.5, 0.4]);
    expect(scores({ maxDetections: 3 })).toEqual([0.9, 0.8, 0.7]);
    expect(scores({ topKPerLevel: 2, maxDetections: 3 })).toEqual([0.9, 0.8, 0.5]);
  });

  it('takes ties at the cut in their order, and no NaN', () => {
    const head = headOf(
      Array.from({ length: 5 }, (_, i) => ({ box: [i * 30, 10, i * 30 + 20, 30], scores: [0.6] })),
      [5],
    );
    head.logits[0] = Number.NaN;
    const found = decodeDetections(head, frame, { topKPerLevel: 2 });
    expect(found.map((d) => Math.round(d.boxPx[0]))).toEqual([15, 30]);
  });

  it('agrees with its rules written down one by one', () => {
    const score = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);
    const at = fc.integer({ min: -20, max: 190 });
    const side = fc.integer({ min: 8, max: 60 });
    const row = fc
      .record({ x: at, y: at, w: side, h: side, scores: fc.tuple(score, score) })
      .map(({ x, y, w, h, scores }) => ({ box: [x, y, x + w, y + h], scores }));
    const settings = fc.record({
      scoreThreshold: fc.constantFrom(0, 0.05, 0.505),
      topKPerLevel: fc.integer({ min: 1, max: 9 }),
      maxDetections: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 12 }), settings, (rows, options) => {
        const head = headOf(rows, [2, rows.length - 2]);
        expect(decodeDetections(head, frame, options)).toEqual(decodeByRules(head, options));
      }),
      { numRuns: 300 },
    );
  });
});

/** Every candidate of a level sorted and cut, all decoded, then one class after another, then all of them sorted and cut. */
function decodeByRules(
  head: HeadOutput,
  options: { scoreThreshold: number; topKPerLevel: number; maxDetections: number },
) {
  const scores = head.logits.map((value) => 1 / (1 + Math.exp(-value)));
  const boxes = decodeBoxes(head.deltas, head.anchors);
  boxes.forEach((value, index) => {
    boxes[index] = Math.min(Math.max(value, 0), index % 2 === 0 ? frame.widthPx : frame.heightPx);
  });
  const byScore = (a: number, b: number) => scores[b]! - scores[a]!;
  let start = 0;
  const candidates = head.levelCounts.flatMap((count) => {
    const flat = Array.from({ length: count * 2 }, (_, index) => start + index);
    start += count * 2;
    return flat
      .filter((index) => scores[index]! > Math.fround(options.scoreThreshold))
      .sort(byScore)
      .slice(0, options.topKPerLevel);
  });
  const kept = new Set<number>();
  for (const candidate of [...candidates].sort(byScore)) {
    const [anchor, classIndex] = [candidate >> 1, candidate & 1];
    const isBeaten = [...kept].some(
      (other) => (other & 1) === classIndex && boxIou(boxes, other >> 1, boxes, anchor) > 0.5,
    );
    if (!isBeaten) kept.add(candidate);
  }
  return [...kept].slice(0, options.maxDetections).map((index) => ({
    boxPx: [...boxes.subarray((index >> 1) * 4, (index >> 1) * 4 + 4)].map((value) => value / 2),
    score: scores[index]!,
    classIndex: index & 1,
  }));
}
