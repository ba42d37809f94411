/** What the page and the worker that matches anchors say to each other. */
import type { BoxCoverage, LabelledImage } from '../../shared/detector/coverage.ts';
import type { CoverageSummary } from '../../shared/detector/coverageSummary.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';

/** A way to train: what the form says, or something to try instead. */
export interface CoveragePlan {
  readonly minSizePx: number;
  readonly maxSizePx: number;
  readonly anchorScale: number;
}

export interface CoverageTask {
  /** With the anchors that `anchorScale` multiplies. */
  readonly network: RetinaNetOptions;
  /** The form's own first. */
  readonly plans: readonly CoveragePlan[];
  readonly images: readonly LabelledImage[];
}

export interface PlanCoverage {
  readonly plan: CoveragePlan;
  readonly summary: CoverageSummary;
  /** Of an image in the network: means over the images. */
  readonly pixels: number;
  readonly anchors: number;
  /** The boxes furthest from any anchor; of the form's own plan alone. */
  readonly worst: readonly BoxCoverage[];
}

export type FromCoverage =
  /** Images, over all plans. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  /** One for every plan, in their order. */
  | { readonly type: 'covered'; readonly result: PlanCoverage }
  | { readonly type: 'failed'; readonly problem: ProblemData };
