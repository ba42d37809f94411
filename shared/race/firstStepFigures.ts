/** What the first step costs with and without the prior, measured on the race's own images and by the paper's arithmetic. */
import { analyticBackground, type FirstStepFigures, firstStepUnder } from '../loss/firstStepLoss.ts';
import { decodeHistogram } from '../loss/histogramText.ts';
import type { FirstStep } from '../training/firstStep.ts';
import { type Measure, measures } from './raceTable.ts';

/** A coin's toss for every class, as without the paper's prior; and the paper's. */
export const comparedPriors = [0.5, 0.01] as const;

export interface FirstStepRow extends FirstStepFigures {
  readonly prior: number;
  readonly measure: Measure;
  /** Of the background: anchors x classes, all at the prior. */
  readonly analytic: number;
  /** Measured over analytic, less 1. */
  readonly deviation: number;
}

/** Of an image, summed over its anchors, the mean of the images. Empty where the class head came with weights and has no prior. */
export function firstStepRows(firstStep: FirstStep): FirstStepRow[] {
  if (firstStep.prior === null) return [];
  const looked = { ...firstStep, histogram: decodeHistogram(firstStep.histogram) };
  const classCount = firstStep.classes.length;
  // An object's anchor is background to all classes but its own.
  const anchors = firstStep.anchors - firstStep.positives / classCount;
  const names = Object.keys(measures) as Measure[];
  return names.flatMap((measure) =>
    comparedPriors.map((prior) => {
      const settings = { ...measures[measure], prior };
      const { perPositive: _, ...figures } = firstStepUnder(looked, settings);
      const analytic = analyticBackground({ ...settings, anchors, classCount });
      return { prior, measure, ...figures, analytic, deviation: figures.background / analytic - 1 };
    }),
  );
}
