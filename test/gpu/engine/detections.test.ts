/** Detections that the GPU chose and decoded against those of `decodeDetections` from the same heads. */
import { beforeAll, describe, expect, it } from 'vitest';
import { buildAnchors } from '../../../shared/detector/anchors.ts';
import { type DecodeSettings, type Detection, decodeDetections } from '../../../shared/detector/decode.ts';
import {
  lowerDetections,
  referenceDetections,
} from '../../../shared/engine/kernels/detections/detections.ts';
import { readDetections } from '../../../shared/engine/kernels/detections/read.ts';
import {
  candidatesRef,
  type DetectionSpec,
  settingsRef,
  writeDetectionSettings,
} from '../../../shared/engine/kernels/detections/spec.ts';
import type { Memory } from '../../../shared/engine/kernels/memory.ts';
import { imagesOf } from '../../../shared/engine/kernels/rows.ts';
import { testDevice, testFacts } from '../softwareDevice.ts';
import { Operands, type Side } from './operands.ts';
import { runCalls } from './runCalls.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = (await testDevice()).device.device;
});

const classCount = 3;
const channels = 9 * classCount;
const levels: Side[] = [
  [10, 12],
  [5, 6],
  [3, 3],
];
const frame = { heightPx: 80, widthPx: 96 };
const images = [
  { heightPx: 80, widthPx: 71, originalHeightPx: 160, originalWidthPx: 141 },
  { heightPx: 66, widthPx: 96, originalHeightPx: 33, originalWidthPx: 48 },
];
const anchors = {
  anchorSizes: levels.map((_, level) => [16 * 2 ** level, 20 * 2 ** level, 25 * 2 ** level]),
};

/** Heads of noise; `change` says what a logit becomes, by its level and its value. */
function headsOf(change: (value: number, level: number, index: number) => number): {
  of: Operands;
  spec: DetectionSpec;
} {
  const of = new Operands(2);
  const logits = of.noise('logits', levels, channels, { mean: -2 });
  const deltas = of.noise('deltas', levels, 36);
  const values = of.memory.tensor(logits);
  imagesOf(logits).forEach(({ firstRow, rows }, segment) => {
    for (let row = firstRow; row < firstRow + rows; row++) {
      for (let c = 0; c < channels; c++) {
        const at = row * 28 + c;
        values[at] = change(values[at]!, segment >> 1, (row - firstRow) * channels + c);
      }
    }
  });
  return { of, spec: { logits, deltas, classCount, anchors, frame, topK: 1000 } };
}

/** What the reference decoder makes of the same heads. */
function expected(
  { logits, deltas }: DetectionSpec,
  memory: Memory,
  settings: DecodeSettings,
): Detection[][] {
  const sizes = levels.map(([height, width]) => ({ height, width }));
  const rowsOfImage = (image: number) => imagesOf(logits).filter((_, segment) => segment % 2 === image);
  const gather = (values: Float32Array, stride: number, count: number, image: number) =>
    Float32Array.from(
      rowsOfImage(image).flatMap(({ firstRow, rows }) =>
        Array.from({ length: rows }, (_, row) => [
          ...values.subarray((firstRow + row) * stride, (firstRow + row) * stride + count),
        ]).flat(),
      ),
    );
  return images.map((each, image) => {
    const head = {
      logits: gather(memory.tensor(logits), 28, channels, image),
      deltas: gather(memory.tensor(deltas), 36, 36, image),
      anchors: buildAnchors(frame.heightPx, frame.widthPx, sizes, anchors),
      levelCounts: sizes.map(({ height, width }) => height * width * 9),
      foregroundClassCount: classCount,
    };
    return decodeDetections(head, each, settings);
  });
}

function expectSame(ours: Detection[][], theirs: Detection[][]): void {
  expect(theirs.flat().length).toBeGreaterThan(10);
  const named = (detections: Detection[][]) =>
    detections.map((each) => each.map(({ score, classIndex }) => [score, classIndex]));
  expect(named(ours)).toEqual(named(theirs));
  const worst = theirs.flatMap((each, image) =>
    each.flatMap(({ boxPx }, index) =>
      boxPx.map((side, corner) => Math.abs(side - ours[image]![index]!.boxPx[corner]!)),
    ),
  );
  expect(Math.max(...worst)).toBeLessThan(1e-3);
}

describe('detections on the GPU', () => {
  it.each([
    {
      name: 'more above the threshold than count, many of them equal',
      change: (value: number) => Math.round(value * 64) / 64,
      settings: {},
    },
    {
      name: 'levels of equal logits, saturated ones, no numbers',
      change: (value: number, level: number, index: number) => {
        if (index % 50 === 7) return Number.NaN;
        if (level === 0) return index % 3 === 0 ? 30 + value : Number.NEGATIVE_INFINITY;
        return level === 1 ? -1 : value;
      },
      settings: { scoreThreshold: 0, topKPerLevel: 60, nmsIou: 0.9 },
    },
    {
      name: 'fewer than count',
      change: (value: number, _level: number, index: number) => (index % 40 === 0 ? value : value - 5),
      settings: { scoreThreshold: 0.05 },
    },
  ])('are those of the CPU: $name', async ({ change, settings }) => {
    const { of, spec } = headsOf(change);
    const words = writeDetectionSettings(spec, images, settings);
    of.memory.words(settingsRef(spec)).set(new Float32Array(words.buffer));
    const read = (memory: Memory) => {
      const copy = memory.words(candidatesRef(spec)).slice();
      return readDetections(spec, new Uint32Array(copy.buffer), images, settings);
    };
    const after = await runCalls(device, lowerDetections(spec, await testFacts()), of.memory);
    const theirs = expected(spec, of.memory, settings);
    expectSame(read(after), theirs);
    referenceDetections(spec, of.memory);
    expectSame(read(of.memory), theirs);
  });
});
