/**
 * Prediction as the screens see it: which weights, which images, how far. A worker is kept for a while between predictions,
 * so that the second image does not wait for shaders and weights again.
 */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { type BoxRecord, proposalsOf } from '../../shared/domain/box.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { client } from '../bridge/client.ts';
import { type StartWorker, startWorker, type WorkerHandle, type WorkerNews } from '../worker/host.ts';
import type { FromWorker } from '../worker/protocol.ts';
import { useImages } from './images.ts';
import { reportProblem } from './notices.ts';
import {
  bestStep,
  type CheckpointChoice,
  chooseRun,
  nothingToPredictWith,
  withClassIds,
} from './predictionChoice.ts';
import { useProject } from './project.ts';
import { runMilestones } from './runEvents.ts';
import { useRuns } from './runs.ts';

export interface PredictionSettings {
  /** Null: the newest run that has a checkpoint. */
  readonly runId: string | null;
  readonly checkpoint: CheckpointChoice;
  /** Detections above this become proposals. */
  readonly scoreThreshold: number;
}

export interface PredictionTask {
  readonly taskId: number;
  readonly runId: string;
  readonly done: number;
  readonly total: number;
  readonly proposals: number;
  readonly cancelling: boolean;
  /** Images that were left out, and why. */
  readonly failures: readonly { readonly imageId: string; readonly problem: ProblemData }[];
}

export interface PredictionsState {
  readonly settings: PredictionSettings;
  readonly task: PredictionTask | null;
  /** How the last one ended; null while one is under way and before the first. */
  readonly ended: PredictionTask | null;
  /** Proposals of images whose cards have been looked at or predicted. */
  readonly proposals: ReadonlyMap<string, readonly BoxRecord[]>;
  set(changes: Partial<PredictionSettings>): void;
  /** Resolves when the last image is done, or it was cancelled. */
  predict(imageIds: readonly string[]): Promise<void>;
  cancel(): void;
  loadProposals(imageId: string): Promise<void>;
  putProposals(imageId: string, boxes: readonly BoxRecord[]): void;
  dismissEnded(): void;
  /** The project is being left. */
  abandon(): void;
}

export interface PredictionTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  readonly image: (imageId: string) => ImageRecord | undefined;
  readonly runs: () => readonly RunRecord[];
  /** Images whose proposals have changed, with their new records. */
  readonly putImage: (image: ImageRecord) => void;
  readonly report: (problem: unknown) => void;
}

type Get = () => PredictionsState;
type Set = (changes: Partial<PredictionsState>) => void;

export function createPredictionsStore(tools: PredictionTools) {
  return create<PredictionsState>()((set, get) => {
    const conductor = new Conductor(tools, set, get);
    return {
      settings: { runId: null, checkpoint: 'newest', scoreThreshold: 0.3 },
      task: null,
      ended: null,
      proposals: new Map(),

      set: (changes) => set(({ settings }) => ({ settings: { ...settings, ...changes } })),
      predict: (imageIds) => conductor.predict(imageIds),
      cancel: () => conductor.cancel(),
      async loadProposals(imageId) {
        try {
          const { boxes } = await tools.client.request('images.open', { imageId });
          get().putProposals(imageId, boxes);
        } catch (error) {
          get().putProposals(imageId, []);
          tools.report(error);
        }
      },
      putProposals: (imageId, boxes) =>
        set(({ proposals }) => ({ proposals: new Map(proposals).set(imageId, proposalsOf(boxes)) })),
      dismissEnded: () => set({ ended: null }),
      abandon() {
        conductor.abandon();
        const settings = { ...get().settings, runId: null };
        set({ task: null, ended: null, proposals: new Map(), settings });
      },
    };
  });
}

/** The worker gives its GPU memory back after so long without work. */
const keepWorkerMs = 90_000;

/** Owns the worker, one task at a time, and brings what it finds to the host. */
class Conductor {
  readonly #tools: PredictionTools;
  readonly #set: Set;
  readonly #get: Get;
  #worker: WorkerHandle | null = null;
  #restTimer: ReturnType<typeof setTimeout> | null = null;
  #lastTaskId = 0;
  /** Of the run that predicts: what its class indices mean here. */
  #classIds: readonly number[] = [];
  #finished: (() => void) | null = null;
  /** Proposals on their way to disk; the task ends after them. */
  #saving: Promise<void> = Promise.resolve();

  constructor(tools: PredictionTools, set: Set, get: Get) {
    this.#tools = tools;
    this.#set = set;
    this.#get = get;
  }

  async predict(imageIds: readonly string[]): Promise<void> {
    const { settings, task } = this.#get();
    if (task) return;
    try {
      const run = chooseRun(this.#tools.runs(), settings.runId);
      if (!run) throw nothingToPredictWith();
      const step = await this.#stepOf(run, settings.checkpoint);
      const images = imageIds.flatMap((id) => describe(this.#tools.image(id)));
      const finished = new Promise<void>((resolve) => {
        this.#finished = resolve;
      });
      const taskId = this.#begin(run, images.length);
      const { scoreThreshold } = settings;
      const predictTask = { runId: run.id, step, images, scoreThreshold };
      this.#obtainWorker().post({ type: 'predict', taskId, task: predictTask });
      await finished;
    } catch (error) {
      this.#tools.report(error);
    }
  }

  #begin(run: RunRecord, total: number): number {
    const taskId = ++this.#lastTaskId;
    this.#classIds = run.classIds;
    const counts = { done: 0, total, proposals: 0, failures: [] };
    this.#set({ task: { taskId, runId: run.id, cancelling: false, ...counts }, ended: null });
    return taskId;
  }

  async #stepOf(run: RunRecord, choice: CheckpointChoice): Promise<number> {
    const newest = run.checkpointStep ?? 0;
    if (choice === 'newest') return newest;
    return bestStep(await runMilestones(this.#tools.client, run.id)) ?? newest;
  }

  #obtainWorker(): WorkerHandle {
    if (this.#restTimer) clearTimeout(this.#restTimer);
    this.#worker ??= this.#tools.startWorker(this.#tools.client, {
      onNews: (news) => this.#hear(news),
      onBroken: (problem) => this.#end(problem),
    });
    return this.#worker;
  }

  #hear(news: WorkerNews): void {
    const { task } = this.#get();
    if (news.type === 'device-lost') this.#end(gpuStopped(news.message));
    if (!task || !('taskId' in news) || news.taskId !== task.taskId) return;
    if (news.type === 'predicted') this.#saving = this.#saving.then(() => this.#save(task.runId, news));
    else void this.#saving.then(() => this.#end(news.problem));
  }

  async #save(runId: string, news: Extract<FromWorker, { type: 'predicted' }>): Promise<void> {
    const { imageId, problem } = news;
    try {
      if (problem) throw new Problem(problem.kind, problem.message, problem.remedy, problem.detail);
      const detections = withClassIds(news.detections ?? [], this.#classIds);
      const opened = await this.#tools.client.request('proposals.replace', { imageId, runId, detections });
      this.#tools.putImage(opened.image);
      this.#get().putProposals(imageId, opened.boxes);
      this.#patch(({ done, proposals }) => ({ done: done + 1, proposals: proposals + detections.length }));
    } catch (error) {
      const failure = { imageId, problem: toProblemData(error) };
      this.#patch(({ done, failures }) => ({ done: done + 1, failures: [...failures, failure] }));
    }
  }

  cancel(): void {
    const { task } = this.#get();
    if (!task) return;
    this.#worker?.post({ type: 'cancel-predict', taskId: task.taskId });
    this.#patch(() => ({ cancelling: true }));
  }

  #patch(changes: (task: PredictionTask) => Partial<PredictionTask>): void {
    const { task } = this.#get();
    if (task) this.#set({ task: { ...task, ...changes(task) } });
  }

  /** A worker that met a problem is not asked again: the next task gets a fresh one. */
  #end(problem: ProblemData | null): void {
    const { task } = this.#get();
    if (!task && !problem) return;
    this.#set({ task: null, ended: task });
    if (problem) {
      this.#endWorker();
      if (task)
        this.#tools.report(new Problem(problem.kind, problem.message, problem.remedy, problem.detail));
    } else this.#restTimer = setTimeout(() => this.#endWorker(), keepWorkerMs);
    this.#finished?.();
    this.#finished = null;
  }

  abandon(): void {
    this.#endWorker();
    this.#finished?.();
    this.#finished = null;
  }

  #endWorker(): void {
    this.#worker?.end();
    this.#worker = null;
  }
}

function describe(image: ImageRecord | undefined) {
  if (!image) return [];
  const { id, relativePath, widthPx, heightPx } = image;
  return [{ id, name: relativePath, widthPx, heightPx }];
}

function gpuStopped(reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: 'The GPU stopped while predicting.',
    remedy: 'Predict again: what was found so far is kept.',
    detail: reason,
  };
}

export const usePredictions = createPredictionsStore({
  client,
  startWorker,
  image: (imageId) => useImages.getState().byId.get(imageId),
  runs: () => useRuns.getState().runs,
  putImage(image) {
    useImages.getState().put([image]);
    useImages.getState().refresh(image.id);
  },
  report: reportProblem,
});

let guarding = false;

/** Lets go of a project's predictions when it is closed. Only the first call does something. */
export function guardPredictions(): void {
  if (guarding) return;
  guarding = true;
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path) usePredictions.getState().abandon();
  });
}
