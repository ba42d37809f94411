/** `predict`: what a model finds on images, which need not be in any project. */
import { resolve } from 'node:path';
import { Problem, toProblemData } from '../../../shared/domain/problem.ts';
import { counted } from '../../../shared/formats/records.ts';
import { detectImage } from '../../../shared/training/predict.ts';
import { readUprightRgb8 } from '../../services/images/decode.ts';
import { namedImages } from '../imageArguments.ts';
import { chooseSizes, type Model, withModel } from '../model.ts';
import type { Output } from '../output.ts';
import { withNamedProject } from '../session.ts';
import type { ComputeOptions } from '../trainOptions.ts';
import { type SizeOptions, sizesOf } from '../usage.ts';
import { findRun, type LoadedWeights, loadWeights } from '../weights.ts';

export interface PredictOptions extends SizeOptions, ComputeOptions {
  readonly weights: string;
  readonly project?: string;
  readonly score: number;
}

interface Prediction {
  /** As it was named on the command line. */
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly {
    /** x1 y1 x2 y2 in pixels of the upright image. */
    readonly box: readonly number[];
    readonly score: number;
    readonly class: string;
    /** The project's id of the class; the column of the logits where there is no project. */
    readonly classId: number;
  }[];
}

export async function predict(
  named: readonly string[],
  options: PredictOptions,
  output: Output,
): Promise<void> {
  const given = sizesOf(options);
  const images = await namedImages(named);
  const { weights, classIds } = await weightsAndIds(options);
  sayNames(weights, options, output);
  const predictions: Prediction[] = [];
  await withModel(weights, options, output, async (model) => {
    const sizes = chooseSizes(model, given, weights, output);
    for (const [index, image] of images.entries()) {
      output.progress(() => `${index + 1} of ${images.length}, ${image}`);
      const prediction = await predictOne(image, { ...model, sizes }, classIds, options.score, output);
      if (!prediction) continue;
      predictions.push(prediction);
      // Each as it comes: what was found is not lost with a device, or when somebody has seen enough.
      if (!output.json) for (const line of describe(prediction)) output.say(line);
    }
  });
  output.result(predictions, () => []);
  const failed = images.length - predictions.length;
  if (failed > 0) {
    throw new Problem(
      'bad-input',
      `${failed} of ${counted(images.length, 'image', 'images')} could not be read.`,
      failed < images.length
        ? 'The others are answered above; look at the files named before.'
        : 'Look at what was said before.',
    );
  }
}

/** A project's run knows the project's class ids; elsewhere a class is found by its name. */
async function weightsAndIds({ weights: what, project }: PredictOptions) {
  return withNamedProject(project, async (store) => {
    const weights = await loadWeights(what, store);
    if (!store) return { weights, classIds: null };
    const { source, classes } = weights;
    if (source.kind === 'run') return { weights, classIds: findRun(store, source.runId).classIds };
    const byName = new Map(store.classes().map(({ name, id }) => [name, id]));
    return { weights, classIds: classes.map((name, index) => byName.get(name) ?? index) };
  });
}

function sayNames({ name, classes, hasNames }: LoadedWeights, { project }: PredictOptions, output: Output) {
  if (hasNames) return;
  const count = counted(classes.length, 'class', 'classes');
  output.warn(
    `${name} does not say what its ${count} are called: they are told by number.`,
    project === undefined
      ? 'Name the project they belong to with --project, where it has as many classes.'
      : `The project has another number of classes.`,
  );
}

/** Null where the image cannot be read, which is told at once. */
async function predictOne(
  image: string,
  { executor, classes, sizes }: Model,
  classIds: readonly number[] | null,
  scoreThreshold: number,
  output: Output,
): Promise<Prediction | null> {
  const pixels = await readUprightRgb8(resolve(image)).catch((error: unknown) => {
    const { message, remedy } = toProblemData(error);
    output.warn(message, remedy);
    return null;
  });
  if (!pixels) return null;
  const { widthPx, heightPx, bytes } = pixels;
  const subject = { id: image, name: image, widthPx, heightPx };
  const found = await detectImage(executor, subject, bytes, sizes, { scoreThreshold });
  const detections = found.map(({ boxPx, score, classIndex }) => ({
    box: [...boxPx],
    score,
    class: classes[classIndex]!,
    classId: classIds?.[classIndex] ?? classIndex,
  }));
  return { image, width: widthPx, height: heightPx, detections };
}

function describe({ image, width, height, detections }: Prediction): string[] {
  const lines = detections.map(
    ({ box, score, class: name }) =>
      `  ${score.toFixed(3)}  ${name}  ${box.map((side) => side.toFixed(1)).join(' ')}`,
  );
  return [`${image}  ${width}x${height}, ${detections.length} found`, ...lines];
}
