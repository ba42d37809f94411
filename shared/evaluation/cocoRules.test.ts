/** The metrics against the rules of pycocotools written down one after another, slowly, on sets full of corners. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaRanges,
  detectionCaps,
  evaluateCoco,
  figureNames,
  iouThresholds,
  recallThresholds,
} from './coco.ts';
import type { CocoAnnotation, CocoDetection, CocoGroundTruth } from './cocoInput.ts';

const ranges = Object.values(areaRanges);
const byAscending = (a: number, b: number) => a - b;
const unique = (entries: readonly { id: number }[]) =>
  [...new Set(entries.map(({ id }) => id))].sort(byAscending);
const byScore = (a: { score: number }, b: { score: number }) => b.score - a.score;
const outside = (area: number, [low, high]: readonly [number, number]) => area < low || area > high;

function overlap(found: CocoDetection, truth: CocoAnnotation): number {
  const [ax, ay, aw, ah] = found.bbox as [number, number, number, number];
  const [bx, by, bw, bh] = truth.bbox as [number, number, number, number];
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (truth.iscrowd ? aw * ah : aw * ah + bw * bh - both);
}

interface Outcome {
  readonly score: number;
  readonly found: boolean;
  readonly ignored: boolean;
}

/** One image, one category. */
function outcomesOf(
  truths: readonly CocoAnnotation[],
  detections: readonly CocoDetection[],
  range: readonly [number, number],
  threshold: number,
): Outcome[] {
  const isIgnored = (truth: CocoAnnotation) => Boolean(truth.iscrowd) || outside(truth.area, range);
  const ordered = [...truths.filter((truth) => !isIgnored(truth)), ...truths.filter(isIgnored)];
  const taken = new Set<CocoAnnotation>();
  return [...detections]
    .sort(byScore)
    .slice(0, 100)
    .map((detection) => {
      const free = ordered.filter((truth) => !taken.has(truth) || truth.iscrowd);
      const least = Math.min(threshold, 1 - 1e-10);
      const reached = free.filter((truth) => overlap(detection, truth) >= least);
      const real = reached.filter((truth) => !isIgnored(truth));
      // The last of those that overlap most; what is ignored only where nothing real is reached.
      const match = (real.length > 0 ? real : reached).reduce<CocoAnnotation | null>(
        (best, truth) => (best && overlap(detection, truth) < overlap(detection, best) ? best : truth),
        null,
      );
      if (match) taken.add(match);
      const found = match !== null && match.id !== 0;
      const area = detection.bbox[2]! * detection.bbox[3]!;
      const ignored = (match !== null && isIgnored(match)) || (!found && outside(area, range));
      return { score: detection.score, found, ignored };
    });
}

function slowly({ images, annotations, categories }: CocoGroundTruth, detections: readonly CocoDetection[]) {
  const of = <T extends CocoAnnotation | CocoDetection>(
    list: readonly T[],
    image: number,
    category: number,
  ) => list.filter(({ image_id, category_id }) => image_id === image && category_id === category);
  const cells = iouThresholds.map((threshold) =>
    unique(categories).map((category) =>
      ranges.map((range) => {
        const perImage = unique(images).map((image) =>
          outcomesOf(of(annotations, image, category), of(detections, image, category), range, threshold),
        );
        const count = annotations.filter(
          (truth) =>
            truth.category_id === category &&
            images.some(({ id }) => id === truth.image_id) &&
            !truth.iscrowd &&
            !outside(truth.area, range),
        ).length;
        return detectionCaps.map((cap) =>
          curve(
            perImage.flatMap((list) => list.slice(0, cap)),
            count,
          ),
        );
      }),
    ),
  );
  const flat = cells.flat(3);
  const precision = cells.flatMap((perCategory) =>
    recallThresholds.flatMap((_, r) => perCategory.flat(2).map((cell) => cell.precision[r]!)),
  );
  return { cells, recall: flat.map((cell) => cell.recall), precision };
}

function curve(outcomes: readonly Outcome[], truthCount: number) {
  if (truthCount === 0) return { recall: -1, precision: recallThresholds.map(() => -1) };
  let right = 0;
  let wrong = 0;
  const points = [...outcomes].sort(byScore).map(({ found, ignored }) => {
    if (!ignored) found ? right++ : wrong++;
    return { recall: right / truthCount, precision: right / (wrong + right + 2 ** -52) };
  });
  return {
    recall: points.at(-1)?.recall ?? 0,
    precision: recallThresholds.map((threshold) => {
      const first = points.findIndex(({ recall }) => recall >= threshold);
      return first < 0 ? 0 : Math.max(...points.slice(first).map(({ precision }) => precision));
    }),
  };
}

/** The twelve figures of the slow cells. */
function figuresOf(cells: ReturnType<typeof slowly>['cells']): Record<string, number> {
  const mean = (values: readonly number[]) => {
    const known = values.filter((value) => value > -1);
    return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : -1;
  };
  const AP = (area: number, thresholds = cells) =>
    mean(thresholds.flatMap((perCategory) => perCategory.flatMap((perArea) => perArea[area]![2]!.precision)));
  const AR = (area: number, cap: number) =>
    mean(cells.flatMap((perCategory) => perCategory.map((perArea) => perArea[area]![cap]!.recall)));
  return {
    ...{ AP: AP(0), AP50: AP(0, [cells[0]!]), AP75: AP(0, [cells[5]!]), APs: AP(1), APm: AP(2), APl: AP(3) },
    ...{ AR1: AR(0, 0), AR10: AR(0, 1), AR100: AR(0, 2), ARs: AR(1, 2), ARm: AR(2, 2), ARl: AR(3, 2) },
  };
}

/** So few places and sizes that boxes often overlap alike, or wholly; 32 and 96 make the areas on the borders. */
const corner = fc.constantFrom(0, 1, 2, 60);
const extent = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(32, 33) }, fc.constantFrom(0, 8, 96, 97));
const box = fc.tuple(corner, corner, extent, extent);
const category_id = fc.constantFrom(3, 1);
const image_id = fc.constantFrom(11, 4);
/** Ids that one of the two files does not know. */
const rarely99 = (id: fc.Arbitrary<number>) => fc.oneof({ weight: 20, arbitrary: id }, fc.constant(99));

const truths = fc.array(
  fc.record({
    image_id: rarely99(image_id),
    category_id: rarely99(category_id),
    bbox: box,
    area: fc.oneof(fc.constantFrom(0, 1024, 9216, 1e11), { weight: 3, arbitrary: fc.constant(null) }),
    iscrowd: fc.constantFrom<number | boolean>(0, 0, 0, 1, false, true),
    ignore: fc.constantFrom(0, 1),
  }),
  { maxLength: 20 },
);
const detection = fc.record({
  image_id,
  category_id: rarely99(category_id),
  bbox: box,
  score: fc.constantFrom(-1, 0, 0.25, 0.5, 0.75, 1),
});
const few = fc.array(detection, { maxLength: 30 });
/** More than the 100 that count, of one image and category. */
const many = fc
  .array(detection, { minLength: 100, maxLength: 125 })
  .map((list) => list.map((each) => ({ ...each, image_id: 4, category_id: 1 })));
const sets = fc.record({ truths, detections: fc.oneof({ weight: 4, arbitrary: few }, many) });

describe('the rules, written slowly', () => {
  it('give the very same curves and recalls, and the same figures', () => {
    fc.assert(
      fc.property(sets, ({ truths, detections }) => {
        const groundTruth: CocoGroundTruth = {
          images: [{ id: 11 }, { id: 4 }, { id: 20 }, { id: 4 }],
          categories: [3, 1].map((id) => ({ id, name: `class ${id}` })),
          // The first has id 0.
          annotations: truths.map((each, id) => ({
            ...each,
            id,
            area: each.area ?? each.bbox[2] * each.bbox[3],
          })),
        };
        const { metrics, precision, recall } = evaluateCoco(groundTruth, detections);
        const expected = slowly(groundTruth, detections);
        expect([...recall]).toEqual(expected.recall);
        expect([...precision]).toEqual(expected.precision);
        const figures = figuresOf(expected.cells);
        for (const name of figureNames) expect(metrics[name]).toBeCloseTo(figures[name]!, 12);
      }),
      { numRuns: 100 },
    );
  });
});
