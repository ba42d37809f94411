/** What the project knows of a run's weights, for their model card. What it does not know stays null. */
import type { RunRecord } from '../../../shared/contract/schemas.ts';
import { dataFingerprint } from '../../../shared/training/checkpoint.ts';
import type { EvaluationEvent, RunEvent } from '../../../shared/training/events.ts';
import type { TrainingImage } from '../../../shared/training/ports.ts';
import type {
  DataCounts,
  DataFacts,
  MetricFacts,
  ModelCardFacts,
} from '../../../shared/weights/card/modelCard.ts';
import { trainingData } from '../runs/trainingData.ts';
import type { ProjectStore } from '../store/projectStore.ts';

interface KnownCheckpoint {
  readonly step: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly classes: readonly string[] | null;
}

/** `events`: the run's log. */
export function runFacts(
  store: ProjectStore,
  run: RunRecord,
  { step, meta, classes }: KnownCheckpoint,
  events: readonly RunEvent[],
): Omit<ModelCardFacts, 'version' | 'date'> {
  return {
    name: run.name,
    classes: classes ?? run.classNames,
    data: dataFacts(store, run, meta, events),
    config: run.config,
    step,
    seconds: typeof meta.seconds === 'number' ? meta.seconds : null,
    adapter: typeof meta.adapter === 'string' && meta.adapter !== '' ? meta.adapter : null,
    metrics: metricFacts(step, events),
  };
}

/**
 * A run's log has the numbers of its images, and its checkpoint a fingerprint of what it learnt from: where the project still agrees
 * with both, its labels are those of the run.
 */
function dataFacts(
  store: ProjectStore,
  run: RunRecord,
  meta: Readonly<Record<string, unknown>>,
  events: readonly RunEvent[],
): DataFacts {
  const data = trainingData(store, run.config.includeUnreviewed);
  const start = events.findLast((event) => event.event === 'start');
  const isSame =
    dataFingerprint(data) === meta.dataFingerprint && data.validation.length === start?.validationImages;
  const count = (images: readonly TrainingImage[]) => countsOf(images, run.classIds, data.classIds);
  return {
    countedAt: isSame ? 'run' : 'export',
    train: count(data.train),
    validation: count(data.validation),
  };
}

/** Labels of the run's classes; regions to be ignored are no labels. */
function countsOf(
  images: readonly TrainingImage[],
  runClassIds: readonly number[],
  classIds: readonly number[],
): DataCounts {
  const boxesPerClass = runClassIds.map(() => 0);
  for (const { classIndex, ignore } of images.flatMap((image) => image.boxes)) {
    const index = runClassIds.indexOf(classIds[classIndex]!);
    if (index >= 0 && !ignore) boxesPerClass[index]!++;
  }
  return {
    images: images.length,
    boxes: boxesPerClass.reduce((sum, boxes) => sum + boxes, 0),
    negatives: images.filter((image) => image.boxes.length === 0).length,
    boxesPerClass,
  };
}

/** The newest evaluation of these very weights, on validation images if there is one; else the last one before them. */
function metricFacts(step: number, events: readonly RunEvent[]): MetricFacts | null {
  const evaluations = events.filter(
    (event): event is EvaluationEvent => event.event === 'evaluation' && event.step <= step,
  );
  const onValidation = (event: EvaluationEvent) => event.split !== 'reviewed';
  const best =
    evaluations.findLast((event) => event.step === step && onValidation(event)) ??
    evaluations.findLast((event) => event.step === step) ??
    evaluations.findLast(onValidation);
  if (!best) return null;
  const { AP, AP50, perClass, images } = best;
  return {
    step: best.step,
    split: onValidation(best) ? 'validation' : 'reviewed',
    images,
    AP,
    AP50,
    perClass,
  };
}
