/** What the page and the worker that computes figures say to each other: images one by one, then the end of them. */
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { TruthBox } from '../../shared/evaluation/evaluateDetections.ts';
import type { Evaluation } from '../../shared/training/evaluate.ts';
import type { Detection } from '../../shared/training/ports.ts';

export type ToMetrics =
  | { readonly type: 'image'; readonly boxes: readonly TruthBox[]; readonly detections: readonly Detection[] }
  /** That was the last image. Class indices point into `classes`. */
  | { readonly type: 'evaluate'; readonly classes: readonly string[] };

export type FromMetrics =
  /** Classes that are done. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'evaluated'; readonly evaluation: Evaluation }
  | { readonly type: 'failed'; readonly problem: ProblemData };
