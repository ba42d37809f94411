/** `evaluate`: COCO's twelve figures, of weights on a project's validation images or of detections in a file. */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { Problem } from '../../../shared/domain/problem.ts';
import { evaluateCoco } from '../../../shared/evaluation/coco.ts';
import type { CocoDetection, CocoGroundTruth } from '../../../shared/evaluation/cocoInput.ts';
import { evaluateImages } from '../../../shared/training/evaluate.ts';
import { ImageSource } from '../../../shared/training/imageSource.ts';
import type { TrainingImage } from '../../../shared/training/ports.ts';
import { type Model, withModel } from '../model.ts';
import type { Output } from '../output.ts';
import { type ClassedData, projectData } from '../runFiles.ts';
import { withProject } from '../session.ts';
import { percent } from '../trainReport.ts';
import { UsageError } from '../usage.ts';
import { loadWeights } from '../weights.ts';

export interface EvaluateOptions {
  readonly project?: string;
  readonly weights?: string;
  readonly annotations?: string;
  readonly detections?: string;
}

const figureNames = [
  ...(['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'] as const),
  ...(['AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'] as const),
];

/** -1, as in pycocotools, where there is nothing to be found. */
type Figures = Readonly<Record<(typeof figureNames)[number], number>> & {
  readonly perClass: Readonly<Record<string, number>>;
};

export async function evaluate(options: EvaluateOptions, output: Output): Promise<void> {
  const { project, weights, annotations, detections } = options;
  if (
    project !== undefined &&
    weights !== undefined &&
    annotations === undefined &&
    detections === undefined
  ) {
    print(await evaluateWeights(project, weights, output), output);
  } else if (annotations !== undefined && detections !== undefined && !project && !weights) {
    print(await evaluateFiles(annotations, detections), output);
  } else {
    throw new UsageError(
      'evaluate takes --project with --weights, or --annotations with --detections.',
      '`boxwright evaluate --help` says what each of them is.',
    );
  }
}

async function evaluateWeights(project: string, what: string, output: Output): Promise<Figures> {
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
    return withModel(weights, output, (model) => measure(data, model, output));
  });
}

async function measure(
  data: ClassedData,
  { executor, classes, sizes }: Model,
  output: Output,
): Promise<Figures> {
  const known = [...classes, ...data.classes.filter((name) => !classes.includes(name))];
  const images = data.validation.map(
    (image): TrainingImage => ({
      ...image,
      boxes: image.boxes.map((box) => ({ ...box, classIndex: known.indexOf(data.classes[box.classIndex]!) })),
    }),
  );
  const source = new ImageSource({
    ...sizes,
    budgetBytes: 0,
    pixels: data.pixels,
    onUnreadable: (image, reason) =>
      output.warn(`${image.name} cannot be read: ${reason}`, 'It is not counted.'),
  });
  const evaluation = await evaluateImages(executor, images, known, {
    source,
    maxImages: 0,
    yieldToHost: () => setImmediate(),
    onImage: (done, total) => output.progress(() => `Evaluated ${done} of ${total} images`),
  });
  const { metrics } = evaluation!;
  const figures = Object.fromEntries(figureNames.map((name) => [name, metrics[name] ?? -1]));
  const perClass = Object.fromEntries(
    Object.entries(metrics.perClass).map(([name, AP]): [string, number] => [name, AP ?? -1]),
  );
  return { ...(figures as Omit<Figures, 'perClass'>), perClass };
}

async function evaluateFiles(annotationsPath: string, detectionsPath: string): Promise<Figures> {
  const truth = await readJson(annotationsPath);
  const found = await readJson(detectionsPath);
  if (typeof truth !== 'object' || truth === null || Array.isArray(truth)) {
    throw new Problem(
      'bad-input',
      `${annotationsPath} is not a COCO file.`,
      'Give the ground truth as COCO JSON.',
    );
  }
  if (!Array.isArray(found)) {
    throw new Problem(
      'bad-input',
      `${detectionsPath} is not a list of detections.`,
      "Give COCO's results format: a list of {image_id, category_id, bbox, score}.",
    );
  }
  return evaluateCoco(truth as CocoGroundTruth, found as CocoDetection[]).metrics;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Problem('not-found', `${path} cannot be read.`, 'Check the name of the file.', detail);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Problem('damaged', `${path} is not JSON.`, 'Export it again.', detail);
  }
}

function print(figures: Figures, output: Output): void {
  const shown = (value: number) => percent(value > -1 ? value : null);
  output.result(figures, () => [
    ...figureNames.map((name) => `${name.padEnd(6)} ${shown(figures[name])}`),
    ...Object.entries(figures.perClass).map(([name, AP]) => `AP of ${name}  ${shown(AP)}`),
  ]);
}
