/** One evaluation: a worker that looks at the images with the run's weights, and one that computes figures from what it finds. */
import type { Client } from '../../shared/contract/requests.ts';
import type { ProblemData, ProblemKind } from '../../shared/domain/problem.ts';
import {
  type ClassMatch,
  type Evaluation,
  evaluationScoreThreshold,
  ofCommonClasses,
} from '../../shared/training/evaluate.ts';
import type { TrainingImage } from '../../shared/training/ports.ts';
import type { StartWorker, WorkerHandle, WorkerNews } from '../worker/host.ts';
import type { MetricsHandle, StartMetrics } from '../worker/metricsHost.ts';
import type { FromMetrics } from '../worker/metricsProtocol.ts';

export interface EvaluationJob {
  readonly runId: string;
  /** The checkpoint's. */
  readonly step: number;
  readonly images: readonly TrainingImage[];
  readonly match: ClassMatch;
}

export interface SessionListener {
  /** So many images have been looked at. */
  onLooked(done: number): void;
  /** An image is not counted. */
  onLeftOut(image: TrainingImage, problem: ProblemData): void;
  /** So many classes have their figures. */
  onFigures(done: number, total: number): void;
  onEvaluated(evaluation: Evaluation): void;
  onFailed(problem: ProblemData): void;
}

export interface SessionTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  readonly startMetrics: StartMetrics;
}

/** What one file can have; anything else would happen to the next image too, and fewer images are no evaluation. */
const problemsOfAnImage: readonly ProblemKind[] = ['not-found', 'damaged', 'bad-input', 'read-only'];

export class EvaluationSession {
  readonly #job: EvaluationJob;
  readonly #listener: SessionListener;
  readonly #byId: ReadonlyMap<string, TrainingImage>;
  readonly #detector: WorkerHandle;
  readonly #metrics: MetricsHandle;
  #looked = 0;
  #counted = 0;

  constructor(
    { client, startWorker, startMetrics }: SessionTools,
    job: EvaluationJob,
    listener: SessionListener,
  ) {
    this.#job = job;
    this.#listener = listener;
    this.#byId = new Map(job.images.map((image) => [image.id, image]));
    const onBroken = (problem: ProblemData) => this.#fail(problem);
    this.#metrics = startMetrics({ onNews: (news) => this.#hearMetrics(news), onBroken });
    this.#detector = startWorker(client, { onNews: (news) => this.#hearDetector(news), onBroken });
    const { runId, step } = job;
    const images = job.images.map(({ id, name, widthPx, heightPx }) => ({ id, name, widthPx, heightPx }));
    const task = { runId, step, images, scoreThreshold: evaluationScoreThreshold };
    this.#detector.post({ type: 'predict', taskId: 1, task });
  }

  /** At once, wherever it stands. */
  end(): void {
    this.#detector.end();
    this.#metrics.end();
  }

  #hearDetector(news: WorkerNews): void {
    switch (news.type) {
      case 'predicted':
        this.#take(news);
        return;
      case 'predict-ended':
        if (news.problem) this.#fail(news.problem);
        else this.#compute();
        return;
      case 'device-lost':
        this.#fail(gpuStopped(news.message));
        return;
    }
  }

  #take({ imageId, detections, problem }: Extract<WorkerNews, { type: 'predicted' }>): void {
    const image = this.#byId.get(imageId);
    if (!image) return;
    if (problem && !problemsOfAnImage.includes(problem.kind)) {
      this.#fail(problem);
      return;
    }
    if (problem) this.#listener.onLeftOut(image, problem);
    else {
      const { ofLabels, ofColumns } = this.#job.match;
      this.#counted++;
      this.#metrics.post({
        type: 'image',
        boxes: ofCommonClasses(image.boxes, ofLabels),
        detections: ofCommonClasses(detections ?? [], ofColumns),
      });
    }
    this.#listener.onLooked(++this.#looked);
  }

  /** The GPU is given back before the figures are computed. */
  #compute(): void {
    this.#detector.end();
    if (this.#counted === 0) this.#fail(nothingReadable);
    else this.#metrics.post({ type: 'evaluate', classes: this.#job.match.names });
  }

  #hearMetrics(news: FromMetrics): void {
    if (news.type === 'progress') this.#listener.onFigures(news.done, news.total);
    else if (news.type === 'failed') this.#fail(news.problem);
    else {
      this.end();
      this.#listener.onEvaluated(news.evaluation);
    }
  }

  #fail(problem: ProblemData): void {
    this.end();
    this.#listener.onFailed(problem.kind === 'device-lost' ? gpuStopped(problem.detail) : problem);
  }
}

const nothingReadable: ProblemData = {
  kind: 'not-found',
  message: 'None of the images could be read.',
  remedy: 'Look in Label which of them are missing, and find them again.',
  detail: '',
};

function gpuStopped(reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: 'The GPU stopped while looking at the images.',
    remedy: 'Evaluate again. Nothing of the run is lost.',
    detail: reason,
  };
}
