/**
 * The converged view: where the logits of a run's checkpoint lie on images that stay the same, and which anchors are the hardest.
 * One at a time; it stays until another run is measured.
 */
import { create } from 'zustand';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { evenlySpaced } from '../../shared/training/evaluate.ts';
import type { MeasuredImages } from '../../shared/training/measureImages.ts';
import { client } from '../bridge/client.ts';
import { startWorker } from '../worker/host.ts';
import { askWorker, type MeasuringTools } from './measuring.ts';
import { useProject } from './project.ts';
import { useRuns } from './runs.ts';
import { makeTask } from './trainingTask.ts';

export interface MeasuredState {
  readonly phase: 'idle' | 'working' | 'ready' | 'failed';
  readonly runId: string | null;
  /** The checkpoint's. */
  readonly step: number | null;
  /** What it is doing, and how far. */
  readonly text: string;
  readonly done: number;
  readonly total: number;
  /** Whether the images were set aside for validation; where none are, they are those that the run learns from. */
  readonly split: 'val' | 'train';
  readonly images: number;
  readonly positives: number;
  readonly leftOut: MeasuredImages['leftOut'];
  readonly histogram: MeasuredImages['histogram'] | null;
  readonly hardest: MeasuredImages['hardest'];
  /** What an anchor is hard by: the loss that held at the checkpoint. */
  readonly loss: MeasuredLoss | null;
  readonly problem: ProblemData | null;
  /** Of a run's newest checkpoint; `lossAt` knows what was changed on the way there. Ends what is under way. */
  measure(runId: string, lossAt: LossAt): Promise<void>;
  cancel(): void;
}

export type MeasuredLoss = Pick<TrainConfig, 'loss' | 'alpha' | 'gamma'>;
export type LossAt = (step: number) => MeasuredLoss;

export interface MeasuredTools extends MeasuringTools {
  readonly runs: () => readonly RunRecord[];
}

/** Looked at are at most so many images, evenly over the set: the same every time. */
const imagesLookedAt = 60;
const hardestShown = 24;

const nothing = {
  phase: 'idle',
  runId: null,
  step: null,
  text: '',
  done: 0,
  total: 0,
  split: 'val',
  images: 0,
  positives: 0,
  leftOut: [],
  histogram: null,
  hardest: [],
  loss: null,
  problem: null,
} as const satisfies Omit<MeasuredState, 'measure' | 'cancel'>;

export function createMeasuredStore(tools: MeasuredTools) {
  let abort = new AbortController();
  return create<MeasuredState>()((set) => ({
    ...nothing,
    async measure(runId, lossAt) {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      const tell = (changes: Partial<MeasuredState>) => {
        if (!signal.aborted) set(changes);
      };
      set({ ...nothing, phase: 'working', runId, text: 'Choosing the images' });
      try {
        const { task, split, loss } = await plan(runId, lossAt, tools);
        tell({ step: task.step, split, loss, total: task.images.length });
        const { measured } = await askWorker(tools, { type: 'measure', task }, tell, signal);
        if (measured.images === 0) throw nothingReadable();
        tell({ phase: 'ready', ...measured });
      } catch (error) {
        tell({ phase: 'failed', problem: toProblemData(error) });
      }
    },
    cancel() {
      abort.abort();
      set(nothing);
    },
  }));
}

async function plan(runId: string, lossAt: LossAt, { client, runs }: MeasuredTools) {
  const run = runs().find(({ id }) => id === runId);
  if (!run || run.checkpointStep === null) throw noCheckpoint();
  const data = await client.request('training.data', { includeUnreviewed: run.config.includeUnreviewed });
  const { train, validation } = makeTask(run, data, { resume: false, initName: '', changes: [] });
  const split = validation.length > 0 ? ('val' as const) : ('train' as const);
  const images = evenlySpaced(split === 'val' ? validation : train, imagesLookedAt);
  if (images.length === 0) throw nothingToLookAt();
  const loss = lossAt(run.checkpointStep);
  const settings = { ...weighedBy(loss), hardest: hardestShown };
  return { split, loss, task: { runId, step: run.checkpointStep, images, settings } };
}

/** What chooses anchors weighs those that it chose by plain cross-entropy. */
function weighedBy({ loss, alpha, gamma }: MeasuredLoss) {
  if (loss === 'focal' || loss === 'focal-star') return { alpha, gamma };
  return { alpha: loss === 'balanced-ce' ? alpha : -1, gamma: 0 };
}

function noCheckpoint(): Problem {
  return new Problem(
    'not-found',
    'This run has no checkpoint yet, so there are no weights to look with.',
    'Wait for its first checkpoint, or resume the run.',
  );
}

function nothingToLookAt(): Problem {
  return new Problem('bad-input', 'No image is reviewed.', 'Review some images in Label first.');
}

function nothingReadable(): Problem {
  return new Problem(
    'not-found',
    'None of the images could be read.',
    'Look in Label which of them are missing, and find them again.',
  );
}

export const useMeasured = createMeasuredStore({
  client,
  startWorker,
  runs: () => useRuns.getState().runs,
});

let guarding = false;

/** Lets go of a project's figures when it is closed. Only the first call does something. */
export function guardMeasured(): void {
  if (guarding) return;
  guarding = true;
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path) useMeasured.getState().cancel();
  });
}
