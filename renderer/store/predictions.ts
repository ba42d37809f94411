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
import type { Detection } from '../../shared/training/ports.ts';
import { client } from '../bridge/client.ts';
import { type StartWorker, startWorker, type WorkerHandle, type WorkerNews } from '../worker/host.ts';
import { useImages } from './images.ts';
import { reportProblem } from './notices.ts';
import { useProject } from './project.ts';
import { useRuns } from './runs.ts';

export type CheckpointChoice = 'newest' | 'best';

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

/** The worker gives its GPU memory back after so long without work. */
const keepWorkerMs = 90_000;

export function createPredictionsStore(tools: PredictionTools) {
  return create<PredictionsState>()((set, get) => {
    let worker: WorkerHandle | null = null;
    let restTimer: ReturnType<typeof setTimeout> | null = null;
    let lastTaskId = 0;
    let classIds: readonly number[] = [];
    let finished: (() => void) | null = null;
    /** Proposals on their way to disk; the task ends after them. */
    let saving: Promise<void> = Promise.resolve();

    function obtainWorker(): WorkerHandle {
      if (restTimer) clearTimeout(restTimer);
      worker ??= tools.startWorker(tools.client, { onNews: hear, onBroken: (problem) => end(problem) });
      return worker;
    }

    function hear(news: WorkerNews) {
      const { task } = get();
      if (news.type === 'device-lost') {
        end(
          new Problem(
            'device-lost',
            'The GPU stopped while predicting.',
            'Predict again: what was found is kept.',
            news.message,
          ),
        );
        return;
      }
      if (!task || !('taskId' in news) || news.taskId !== task.taskId) return;
      if (news.type === 'predicted') {
        saving = saving.then(() => save(task.runId, news.imageId, news.detections, news.problem));
      } else void saving.then(() => end(news.problem));
    }

    async function save(
      runId: string,
      imageId: string,
      found: readonly Detection[] | null,
      problem: ProblemData | null,
    ) {
      try {
        if (!found)
          throw problem
            ? new Problem(problem.kind, problem.message, problem.remedy)
            : new Error('no detections');
        const detections = withClassIds(found, classIds);
        const opened = await tools.client.request('proposals.replace', { imageId, runId, detections });
        tools.putImage(opened.image);
        get().putProposals(imageId, opened.boxes);
        patch((task) => ({ done: task.done + 1, proposals: task.proposals + detections.length }));
      } catch (error) {
        const failure = { imageId, problem: toProblemData(error) };
        patch((task) => ({ done: task.done + 1, failures: [...task.failures, failure] }));
      }
    }

    function patch(changes: (task: PredictionTask) => Partial<PredictionTask>) {
      const { task } = get();
      if (task) set({ task: { ...task, ...changes(task) } });
    }

    function end(problem: ProblemData | null) {
      const { task } = get();
      set({ task: null, ended: task });
      if (problem) {
        tools.report(new Problem(problem.kind, problem.message, problem.remedy, problem.detail));
        worker?.end();
        worker = null;
      } else rest();
      finished?.();
      finished = null;
    }

    function rest() {
      restTimer = setTimeout(() => {
        worker?.end();
        worker = null;
      }, keepWorkerMs);
    }

    return {
      settings: { runId: null, checkpoint: 'newest', scoreThreshold: 0.3 },
      task: null,
      ended: null,
      proposals: new Map(),

      set: (changes) => set(({ settings }) => ({ settings: { ...settings, ...changes } })),
      async predict(imageIds) {
        if (get().task) return;
        const { settings } = get();
        try {
          const run = chooseRun(tools.runs(), settings.runId);
          if (!run || run.checkpointStep === null) throw nothingToPredictWith();
          const step = await checkpointStepOf(tools.client, run, settings.checkpoint);
          const images = imageIds.flatMap((id) => describe(tools.image(id)));
          classIds = run.classIds;
          const taskId = ++lastTaskId;
          const done = new Promise<void>((resolve) => {
            finished = resolve;
          });
          set({
            task: {
              taskId,
              runId: run.id,
              done: 0,
              total: images.length,
              proposals: 0,
              cancelling: false,
              failures: [],
            },
            ended: null,
          });
          const { scoreThreshold } = settings;
          obtainWorker().post({
            type: 'predict',
            taskId,
            task: { runId: run.id, step, images, scoreThreshold },
          });
          await done;
        } catch (error) {
          tools.report(error);
        }
      },
      cancel() {
        const { task } = get();
        if (!task) return;
        worker?.post({ type: 'cancel-predict', taskId: task.taskId });
        patch(() => ({ cancelling: true }));
      },
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
        worker?.end();
        worker = null;
        finished?.();
        finished = null;
        set(({ settings }) => ({
          task: null,
          ended: null,
          proposals: new Map(),
          settings: { ...settings, runId: null },
        }));
      },
    };
  });
}

/** The chosen run, else the newest with a checkpoint; `runs` newest first. */
export function chooseRun(runs: readonly RunRecord[], runId: string | null): RunRecord | null {
  const chosen = runs.find(({ id, checkpointStep }) => id === runId && checkpointStep !== null);
  return chosen ?? runs.find(({ checkpointStep }) => checkpointStep !== null) ?? null;
}

/** Detections of classes that the run does not know any more are left out. */
export function withClassIds(detections: readonly Detection[], classIds: readonly number[]) {
  return detections.flatMap(({ classIndex, boxPx, score }) => {
    const classId = classIds[classIndex];
    return classId === undefined
      ? []
      : [{ classId, boxPx: [...boxPx] as [number, number, number, number], score }];
  });
}

/** `best`: the evaluation with the highest AP50, as the run's newest checkpoint tells; else the newest. */
async function checkpointStepOf(
  client: Pick<Client, 'request'>,
  run: RunRecord,
  choice: CheckpointChoice,
): Promise<number> {
  const newest = run.checkpointStep ?? 0;
  if (choice === 'newest') return newest;
  const events = await client.request('runs.events', { runId: run.id });
  return bestStep(events) ?? newest;
}

/** The step of the best validation AP50, null where there was none. */
export function bestStep(
  events: readonly { readonly event: string; readonly step?: number; readonly AP50?: number | null }[],
): number | null {
  let best: { step: number; AP50: number } | null = null;
  for (const { event, step, AP50 } of events) {
    if (event !== 'evaluation' || step === undefined || AP50 == null) continue;
    if (!best || AP50 > best.AP50) best = { step, AP50 };
  }
  return best?.step ?? null;
}

function describe(image: ImageRecord | undefined) {
  if (!image) return [];
  const { id, relativePath, widthPx, heightPx } = image;
  return [{ id, name: relativePath, widthPx, heightPx }];
}

function nothingToPredictWith(): Problem {
  return new Problem(
    'not-found',
    'There are no trained weights to predict with yet.',
    'Train a run first: it keeps a checkpoint that can predict as soon as it has made its first hundred steps, or is stopped.',
  );
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
