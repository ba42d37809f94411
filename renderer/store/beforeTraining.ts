/**
 * What can be known before a run begins, of the user's own images: which anchors would answer for which box, and what the first
 * step will cost. Both are of the run form's settings; a question asked again while nothing has changed keeps its answer.
 */
import { create } from 'zustand';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { type PlanCoverage, plansToTry } from '../../shared/detector/coveragePlans.ts';
import { defaultNetworkOptions, type RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { LogitHistogram } from '../../shared/loss/histogram.ts';
import { decodeHistogram } from '../../shared/loss/histogramText.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { evenlySpaced } from '../../shared/training/evaluate.ts';
import type { FirstStep } from '../../shared/training/firstStep.ts';
import { parseInit } from '../../shared/training/startingPoint.ts';
import { client } from '../bridge/client.ts';
import { type StartCoverage, startCoverage } from '../worker/coverageHost.ts';
import type { CoverageTask } from '../worker/coverageProtocol.ts';
import { startWorker } from '../worker/host.ts';
import { askWorker, type MeasuringTools } from './measuring.ts';
import { useProject } from './project.ts';
import { useRuns } from './runs.ts';
import { useStartFrom } from './startFrom.ts';
import type { ProjectTrainingData } from './trainingTask.ts';

interface Question {
  readonly phase: 'idle' | 'working' | 'ready' | 'failed';
  /** What was asked, to know the same question again. */
  readonly key: string;
  readonly data: ProjectTrainingData | null;
  readonly done: number;
  readonly total: number;
  readonly problem: ProblemData | null;
}

export interface CoverageState extends Question {
  /** Images looked at, of so many. */
  readonly images: number;
  readonly ofImages: number;
  /** Of the form's own plan first; those of the others follow one by one. */
  readonly results: readonly PlanCoverage[];
}

export interface FirstStepState extends Question {
  /** What it is doing before there is progress. */
  readonly text: string;
  readonly firstStep: FirstStep | null;
  readonly histogram: LogitHistogram | null;
}

export interface BeforeTrainingState {
  readonly coverage: CoverageState;
  readonly firstStep: FirstStepState;
  cover(config: TrainConfig, data: ProjectTrainingData): Promise<void>;
  lookAhead(config: TrainConfig, data: ProjectTrainingData): Promise<void>;
  cancelLookAhead(): void;
  /** The project is being left. */
  abandon(): void;
}

export interface BeforeTrainingTools extends MeasuringTools {
  readonly startCoverage: StartCoverage;
  readonly runs: () => readonly RunRecord[];
  /** What is known of a file's network without opening it again. */
  readonly inspected: (init: string) => RetinaNetOptions | null;
}

/** At most so many images are covered, evenly over the project's. */
const imagesCovered = 300;

const unasked = { phase: 'idle', key: '', data: null, done: 0, total: 0, problem: null } as const;
const noCoverage: CoverageState = { ...unasked, images: 0, ofImages: 0, results: [] };
const noFirstStep: FirstStepState = { ...unasked, text: '', firstStep: null, histogram: null };

/** What decides how anchors and boxes meet. */
export function coverageKey(config: TrainConfig): string {
  const { init, backbone, minSizePx, maxSizePx, anchorScale } = config;
  return JSON.stringify([init, backbone, minSizePx, maxSizePx, anchorScale]);
}

/** What decides where the first logits lie; prior, alpha and gamma follow from them. */
export function firstStepKey(config: TrainConfig): string {
  const { batch, shuffle, seed, augment } = config;
  return JSON.stringify([coverageKey(config), batch, shuffle, seed, augment]);
}

export function createBeforeTrainingStore(tools: BeforeTrainingTools) {
  const networkOf = createNetworkOf(tools);
  let covering = new AbortController();
  let looking = new AbortController();
  return create<BeforeTrainingState>()((set, get) => ({
    coverage: noCoverage,
    firstStep: noFirstStep,

    async cover(config, data) {
      const key = coverageKey(config);
      if (isAsked(get().coverage, key, data)) return;
      covering.abort();
      covering = new AbortController();
      const { signal } = covering;
      const images = evenlySpaced(data.train, imagesCovered);
      const asked = { ...noCoverage, phase: 'working', key, data } as const;
      set({ coverage: { ...asked, images: images.length, ofImages: data.train.length } });
      const tell = (changes: Partial<CoverageState>) => {
        if (!signal.aborted) set(({ coverage }) => ({ coverage: { ...coverage, ...changes } }));
      };
      try {
        const network = await networkOf(config, data.classes.length);
        const results: PlanCoverage[] = [];
        const onResult = (result: PlanCoverage) => {
          results.push(result);
          tell({ results: [...results] });
        };
        const task = { network, plans: plansToTry(config), images };
        await askCoverage(tools.startCoverage, task, { onResult, onProgress: tell }, signal);
        tell({ phase: 'ready' });
      } catch (error) {
        tell({ phase: 'failed', problem: toProblemData(error) });
      }
    },

    async lookAhead(config, data) {
      const key = firstStepKey(config);
      if (isAsked(get().firstStep, key, data)) return;
      looking.abort();
      looking = new AbortController();
      const { signal } = looking;
      set({ firstStep: { ...noFirstStep, phase: 'working', key, data, text: 'Waking the GPU' } });
      const tell = (changes: Partial<FirstStepState>) => {
        if (!signal.aborted) set(({ firstStep }) => ({ firstStep: { ...firstStep, ...changes } }));
      };
      const initName = tools.runs().find(({ id }) => id === config.init)?.name ?? config.init;
      const { train, classes } = data;
      const task = { config, train, classes, initName };
      try {
        const { firstStep } = await askWorker(tools, { type: 'first-step', task }, tell, signal);
        tell({ phase: 'ready', firstStep, histogram: decodeHistogram(firstStep.histogram) });
      } catch (error) {
        tell({ phase: 'failed', problem: toProblemData(error) });
      }
    },
    cancelLookAhead() {
      looking.abort();
      set({ firstStep: noFirstStep });
    },
    abandon() {
      covering.abort();
      looking.abort();
      set({ coverage: noCoverage, firstStep: noFirstStep });
    },
  }));
}

interface CoverageListener {
  onResult(result: PlanCoverage): void;
  onProgress(progress: { done: number; total: number }): void;
}

/** Resolves when every plan has its result. */
function askCoverage(
  startCoverage: StartCoverage,
  task: CoverageTask,
  { onResult, onProgress }: CoverageListener,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  let end = () => {};
  let left = task.plans.length;
  const answered = new Promise<void>((resolve, reject) => {
    const fail = ({ kind, message, remedy, detail }: ProblemData) =>
      reject(new Problem(kind, message, remedy, detail));
    end = startCoverage(task, {
      onBroken: fail,
      onNews(news) {
        if (news.type === 'progress') onProgress({ done: news.done, total: news.total });
        else if (news.type === 'failed') fail(news.problem);
        else {
          onResult(news.result);
          if (--left === 0) resolve();
        }
      },
    });
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  return answered.finally(() => end());
}

/** Asked already, and answered or being answered. */
function isAsked(question: Question, key: string, data: ProjectTrainingData): boolean {
  return question.key === key && question.data === data && question.phase !== 'failed';
}

/** The network that a run would have, before its anchors are scaled. A run's own is read from its checkpoint once. */
function createNetworkOf({ client, inspected }: BeforeTrainingTools) {
  const ofRuns = new Map<string, RetinaNetOptions>();
  return async ({ init, backbone }: TrainConfig, classCount: number): Promise<RetinaNetOptions> => {
    const source = parseInit(init);
    const own = async (): Promise<RetinaNetOptions> => {
      if (source.kind === 'random') return defaultNetworkOptions(backbone, classCount);
      const known = inspected(init) ?? ofRuns.get(init);
      if (known) return known;
      if (source.kind !== 'run') return (await client.request('weights.inspect', { source })).network;
      const { meta } = await client.request('runs.loadCheckpoint', { runId: source.runId });
      const network = meta.network as RetinaNetOptions;
      ofRuns.set(init, network);
      return network;
    };
    return { ...(await own()), foregroundClassCount: classCount };
  };
}

export const useBeforeTraining = createBeforeTrainingStore({
  client,
  startWorker,
  startCoverage,
  runs: () => useRuns.getState().runs,
  inspected(init) {
    const inspection = useStartFrom.getState().inspections[init];
    return inspection?.phase === 'ready' ? inspection.description.network : null;
  },
});

let guarding = false;

/** Lets go of a project's figures when it is closed. Only the first call does something. */
export function guardBeforeTraining(): void {
  if (guarding) return;
  guarding = true;
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path) useBeforeTraining.getState().abandon();
  });
}
