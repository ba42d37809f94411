/**
 * COCO's detection metrics for boxes, equal to pycocotools 2.0 (cocodataset/cocoapi 8c9bcc3) to the last bit of float64:
 * average precision over ten IoU thresholds and 101 recalls, average recall under three caps, by size of the object.
 */
import { accumulate, type Curve } from './cocoAccumulate.ts';
import {
  type CocoDetection,
  type CocoGroundTruth,
  type CocoInput,
  groupCoco,
  type Strangers,
} from './cocoInput.ts';
import { type AreaRange, matchCategory, prepareCategory } from './cocoMatch.ts';
import { numpyMean } from './numpyMath.ts';

/** COCO's twelve, in its order. */
export const figureNames = [
  ...(['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'] as const),
  ...(['AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'] as const),
] as const;
export type FigureName = (typeof figureNames)[number];

/** -1 where there is no ground truth to be found. */
export type CocoMetrics = Readonly<Record<FigureName, number>> & {
  /** AP by category name; where two categories share a name, by "name (id)". */
  readonly perClass: Readonly<Record<string, number>>;
  /** AP50, under the same names. */
  readonly perClass50: Readonly<Record<string, number>>;
};

/** Metrics and the curves behind them. */
export interface CocoEvaluation {
  readonly metrics: CocoMetrics;
  readonly categoryIds: readonly number[];
  /** `[T, R, K, areas, caps]`, -1 where a category has nothing to be found: pycocotools' `eval['precision']`. */
  readonly precision: Float64Array;
  /** `[T, K, areas, caps]` */
  readonly recall: Float64Array;
  readonly strangers: Strangers;
}

/** Categories that have been evaluated. */
export interface EvaluationProgress {
  readonly done: number;
  readonly total: number;
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
  return runToEnd(evaluateCocoStepwise(groundTruth, detections));
}

/** As `evaluateCoco`, a category at a time: whoever runs it can tell how far it is, and leave it. */
export function* evaluateCocoStepwise(
  groundTruth: CocoGroundTruth,
  detections: readonly CocoDetection[],
): Generator<EvaluationProgress, CocoEvaluation> {
  const input = groupCoco(groundTruth, detections);
  const total = input.categoryIds.length;
  const tables = emptyTables(total);
  for (const [k, categoryId] of input.categoryIds.entries()) {
    evaluateCategory(input, categoryId, (curves, area, cap) => tables.store(curves, k, area, cap));
    yield { done: k + 1, total };
  }
  const { categoryIds, strangers } = input;
  const { precision, recall } = tables;
  return { metrics: summarise(tables, input), categoryIds, precision, recall, strangers };
}

export function runToEnd<T>(steps: Generator<unknown, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

function evaluateCategory(
  { byCategory, imageIds }: CocoInput,
  categoryId: number,
  store: (curves: readonly Curve[], area: number, cap: number) => void,
): void {
  const perImage = byCategory.get(categoryId)!;
  const contents = imageIds.flatMap((imageId) => perImage.get(imageId) ?? []);
  const prepared = prepareCategory(contents, detectionCaps.at(-1)!);
  areas.forEach((range, area) => {
    const matches = matchCategory(prepared, range, iouThresholds);
    detectionCaps.forEach((limit, cap) => {
      const curves = accumulate(prepared, matches, recallThresholds, limit);
      if (curves) store(curves, area, cap);
    });
  });
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
  const perClass = (thresholds: readonly number[]) =>
    Object.fromEntries(
      input.categoryIds.map((id, k) => {
        const name = input.names.get(id)!;
        const isShared = names.indexOf(name) !== names.lastIndexOf(name);
        const value = tables.meanPrecision(thresholds, [k], all, hundred);
        return [isShared ? `${name} (${id})` : name, value];
      }),
    );
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
    perClass: perClass(everyThreshold),
    perClass50: perClass(at(0.5)),
  };
}

function meanOfKnown(values: readonly number[]): number {
  const known = Float64Array.from(values.filter((value) => value > -1));
  return known.length > 0 ? numpyMean(known) : -1;
}
