/** What the page and the worker that matches anchors say to each other. */
import type { LabelledImage } from '../../shared/detector/coverage.ts';
import type { CoveragePlan, PlanCoverage } from '../../shared/detector/coveragePlans.ts';
import type { RetinaNetOptions } from '../../shared/detector/network.ts';
import type { ProblemData } from '../../shared/domain/problem.ts';

export interface CoverageTask {
  /** With the anchors that a plan's scale multiplies. */
  readonly network: RetinaNetOptions;
  /** The form's own first. */
  readonly plans: readonly CoveragePlan[];
  readonly images: readonly LabelledImage[];
}

export type FromCoverage =
  /** Images, over all plans. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  /** One for every plan, in their order. */
  | { readonly type: 'covered'; readonly result: PlanCoverage }
  | { readonly type: 'failed'; readonly problem: ProblemData };
