/** `evaluate`: COCO's twelve figures, of weights on a project's validation images or of detections in a file. */
import { setImmediate } from 'node:timers/promises';
import { Problem } from '../../../shared/domain/problem.ts';
import { type CocoMetrics, type FigureName, figureNames } from '../../../shared/evaluation/coco.ts';
import type { DetectionMetrics } from '../../../shared/evaluation/evaluateDetections.ts';
import { counted, listed } from '../../../shared/formats/records.ts';
import { type ClassMatch, evaluateImages, matchClasses } from '../../../shared/training/evaluate.ts';
import { ImageSource } from '../../../shared/training/imageSource.ts';
import { planClasses } from '../../../shared/weights/model/classHead.ts';
import { backgroundName } from '../../../shared/weights/model/cocoNames.ts';
import type { ProjectStore } from '../../services/store/projectStore.ts';
import { chooseSizes, type Model, withModel } from '../model.ts';
import type { Output } from '../output.ts';
import { type ClassedData, projectData } from '../runFiles.ts';
import { withProject } from '../session.ts';
import type { ComputeOptions } from '../trainOptions.ts';
import { percent } from '../trainReport.ts';
import { type SizeOptions, sizesOf, UsageError } from '../usage.ts';
import { findRun, type LoadedWeights, loadWeights } from '../weights.ts';
import { evaluateFiles } from './evaluateFiles.ts';

export interface EvaluateOptions extends SizeOptions, ComputeOptions {
  readonly project?: string;
  readonly weights?: string;
  readonly annotations?: string;
  readonly detections?: string;
}

export async function evaluate(options: EvaluateOptions, output: Output): Promise<void> {
  const { project, weights, annotations, detections } = options;
  if (
    project !== undefined &&
    weights !== undefined &&
    annotations === undefined &&
    detections === undefined
  ) {
    print(await evaluateWeights(project, weights, options, output), output);
  } else if (annotations !== undefined && detections !== undefined && !project && !weights) {
    print(await evaluateFiles(annotations, detections, output), output);
  } else {
    throw new UsageError(
      'evaluate takes --project with --weights, or --annotations with --detections.',
      '`boxwright evaluate --help` says what each of them is.',
    );
  }
}

async function evaluateWeights(
  project: string,
  what: string,
  options: EvaluateOptions,
  output: Output,
): Promise<CocoMetrics> {
  const given = sizesOf(options);
  return withProject(project, async (store) => {
    const weights = await loadWeights(what, store);
    const data = projectData(store, false);
    if (data.validation.length === 0) {
      throw new Problem(
        'bad-input',
        'The project has no reviewed image in its validation split.',
        'Put some reviewed images into the split "val".',
      );
    }
    const match = matchClasses(data.classes, columnsOf(data, weights, store));
    tellUnknown(match, weights, output);
    return withModel(weights, options, output, (model) => {
      const sizes = chooseSizes(model, given, weights, output);
      return measure(data, match, { ...model, sizes }, output);
    });
  });
}

/** Of each class of the project the weights' column, -1 for none: a run knows the project's own ids, a file has names. */
function columnsOf(
  { classes, classIds }: ClassedData,
  weights: LoadedWeights,
  store: ProjectStore,
): readonly number[] {
  const { source } = weights;
  if (source.kind === 'run') {
    const run = findRun(store, source.runId);
    return classIds.map((id) => run.classIds.indexOf(id));
  }
  const names = weights.hasNames ? weights.classes : null;
  const plan = planClasses({ columns: weights.classes.length, names }, classes);
  return plan.columns.map((column) => column ?? -1);
}

function tellUnknown(match: ClassMatch, { name, classes, hasNames }: LoadedWeights, output: Output): void {
  const { names, unknown } = match;
  if (unknown.length === 0) return;
  const named = classes.filter((each) => each !== backgroundName && each !== 'N/A');
  const theirs = hasNames
    ? `Their classes are ${listed(named, 12)}.`
    : `Nothing says what their ${counted(classes.length, 'class is', 'classes are')} called.`;
  const message = `${name}: the weights do not know ${listed(unknown, 12)}. ${theirs}`;
  if (names.length === 0) {
    const remedy = hasNames ? ', or give the project’s classes the same names' : '';
    throw new Problem('bad-input', message, `Train from these weights first${remedy}.`);
  }
  output.warn(message, `Only ${listed(names, 12)} ${names.length === 1 ? 'is' : 'are'} evaluated.`);
}

async function measure(
  data: ClassedData,
  match: ClassMatch,
  { executor, sizes }: Model,
  output: Output,
): Promise<CocoMetrics> {
  const source = new ImageSource({
    ...sizes,
    budgetBytes: 0,
    pixels: data.pixels,
    onUnreadable: (image, reason) =>
      output.warn(`${image.name} cannot be read: ${reason}`, 'It is not counted.'),
  });
  const evaluation = await evaluateImages(executor, data.validation, match.names, {
    source,
    match,
    maxImages: 0,
    yieldToHost: () => setImmediate(),
    onImage: (done, total) =>
      output.progress(() => `Looked at ${done} of ${counted(total, 'image', 'images')}`),
  });
  return withUnknown(evaluation!.metrics, data.classes);
}

/** COCO's -1 where there was nothing to be found, and for every class that was not evaluated. */
function withUnknown(metrics: DetectionMetrics, classes: readonly string[]): CocoMetrics {
  const perClass = (of: DetectionMetrics['perClass']) =>
    Object.fromEntries(classes.map((name) => [name, of[name] ?? -1]));
  const figures = Object.fromEntries(figureNames.map((name) => [name, metrics[name] ?? -1]));
  return {
    ...(figures as Record<FigureName, number>),
    perClass: perClass(metrics.perClass),
    perClass50: perClass(metrics.perClass50),
  };
}

function print(metrics: CocoMetrics, output: Output): void {
  const shown = (value: number) => percent(value > -1 ? value : null);
  output.result(metrics, () => [
    ...figureNames.map((name) => `${name.padEnd(6)} ${shown(metrics[name])}`),
    ...Object.entries(metrics.perClass).map(
      ([name, AP]) => `AP of ${name}  ${shown(AP)}, AP50 ${shown(metrics.perClass50[name]!)}`,
    ),
  ]);
}
