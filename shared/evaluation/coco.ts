/**
 * COCO's detection metrics for boxes, equal to pycocotools 2.0 (cocodataset/cocoapi 8c9bcc3) to the last bit of float64:
 * average precision over ten IoU thresholds and 101 recalls, average recall under three caps, by size of the object.
 */
import { accumulate, type Curve } from './cocoAccumulate.ts';
import { type CocoDetection, type CocoGroundTruth, type CocoInput, groupCoco } from './cocoInput.ts';
import { type AreaRange, matchImage, prepareImage } from './cocoMatch.ts';
import { numpyMean } from './numpyMath.ts';

/** -1 where there is no ground truth to be found. */
export interface CocoMetrics {
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
  /** AP by category name; where two categories share a name, by "name (id)". */
  readonly perClass: Readonly<Record<string, number>>;
}

/** Metrics and the curves behind them. */
export interface CocoEvaluation {
  readonly metrics: CocoMetrics;
  readonly categoryIds: readonly number[];
  /** `[T, R, K, areas, caps]`, -1 where a category has nothing to be found: pycocotools' `eval['precision']`. */
  readonly precision: Float64Array;
  /** `[T, K, areas, caps]` */
  readonly recall: Float64Array;
}

const thresholdStep = (0.95 - 0.5) / 9;
/** numpy's linspace: index 8 is 0.8999999999999999, the last exactly 0.95. */
export const iouThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * thresholdStep,
);
/** Multiples of the double 0.01, which are not hundredths: 35 * 0.01 is above 0.35. */
export const recallThresholds: readonly number[] = Array.from({ length: 101 }, (_, i) => i * 0.01);
export const areaRanges: Readonly<Record<'all' | 'small' | 'medium' | 'large', AreaRange>> = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
};
/** Detections per image and category that count. */
export const detectionCaps = [1, 10, 100] as const;

const areas = Object.values(areaRanges);

/** Evaluates detections against ground truth, both in COCO's JSON terms. Throws `bad-input` for what cannot be evaluated. */
export function evaluateCoco(
  groundTruth: CocoGroundTruth,
  detections: readonly CocoDetection[],
): CocoEvaluation {
  const input = groupCoco(groundTruth, detections);
  const tables = emptyTables(input.categoryIds.length);
  input.categoryIds.forEach((categoryId, k) => {
    const perImage = input.byCategory.get(categoryId)!;
    const prepared = input.imageIds
      .filter((imageId) => perImage.has(imageId))
      .map((imageId) => prepareImage(perImage.get(imageId)!, detectionCaps.at(-1)!));
    areas.forEach((range, area) => {
      const images = prepared.map((image) => matchImage(image, range, iouThresholds));
      detectionCaps.forEach((limit, cap) => {
        const curves = accumulate(images, iouThresholds.length, recallThresholds, limit);
        if (curves) tables.store(curves, k, area, cap);
      });
    });
  });
  const { precision, recall } = tables;
  return { metrics: summarise(tables, input), categoryIds: input.categoryIds, precision, recall };
}

type Tables = ReturnType<typeof emptyTables>;

function emptyTables(classCount: number) {
  const T = iouThresholds.length;
  const R = recallThresholds.length;
  const cells = areas.length * detectionCaps.length;
  const precision = new Float64Array(T * R * classCount * cells).fill(-1);
  const recall = new Float64Array(T * classCount * cells).fill(-1);
  const cellOf = (area: number, cap: number) => area * detectionCaps.length + cap;
  return {
    precision,
    recall,
    store(curves: readonly Curve[], k: number, area: number, cap: number): void {
      curves.forEach((curve, t) => {
        recall[(t * classCount + k) * cells + cellOf(area, cap)] = curve.recall;
        curve.precision.forEach((value, r) => {
          precision[((t * R + r) * classCount + k) * cells + cellOf(area, cap)] = value;
        });
      });
    },
    /** Mean of the precision over recalls, the thresholds and categories asked for, in numpy's order (t, r, k). */
    meanPrecision(
      thresholds: readonly number[],
      classes: readonly number[],
      area: number,
      cap: number,
    ): number {
      const values: number[] = [];
      for (const t of thresholds) {
        for (let r = 0; r < R; r++) {
          for (const k of classes)
            values.push(precision[((t * R + r) * classCount + k) * cells + cellOf(area, cap)]!);
        }
      }
      return meanOfKnown(values);
    },
    meanRecall(area: number, cap: number): number {
      const values: number[] = [];
      for (let row = 0; row < T * classCount; row++) values.push(recall[row * cells + cellOf(area, cap)]!);
      return meanOfKnown(values);
    },
  };
}

function summarise(tables: Tables, input: CocoInput): CocoMetrics {
  const everyThreshold = iouThresholds.map((_, t) => t);
  const everyClass = input.categoryIds.map((_, k) => k);
  const at = (threshold: number) => [iouThresholds.indexOf(threshold)];
  const [all, small, medium, large] = [0, 1, 2, 3];
  const [one, ten, hundred] = [0, 1, 2];
  const names = [...input.names.values()];
  const perClass = input.categoryIds.map((id, k): [string, number] => {
    const name = input.names.get(id)!;
    const isShared = names.indexOf(name) !== names.lastIndexOf(name);
    return [isShared ? `${name} (${id})` : name, tables.meanPrecision(everyThreshold, [k], all, hundred)];
  });
  return {
    AP: tables.meanPrecision(everyThreshold, everyClass, all, hundred),
    AP50: tables.meanPrecision(at(0.5), everyClass, all, hundred),
    AP75: tables.meanPrecision(at(0.75), everyClass, all, hundred),
    APs: tables.meanPrecision(everyThreshold, everyClass, small, hundred),
    APm: tables.meanPrecision(everyThreshold, everyClass, medium, hundred),
    APl: tables.meanPrecision(everyThreshold, everyClass, large, hundred),
    AR1: tables.meanRecall(all, one),
    AR10: tables.meanRecall(all, ten),
    AR100: tables.meanRecall(all, hundred),
    ARs: tables.meanRecall(small, hundred),
    ARm: tables.meanRecall(medium, hundred),
    ARl: tables.meanRecall(large, hundred),
    perClass: Object.fromEntries(perClass),
  };
}

function meanOfKnown(values: readonly number[]): number {
  const known = Float64Array.from(values.filter((value) => value > -1));
  return known.length > 0 ? numpyMean(known) : -1;
}
