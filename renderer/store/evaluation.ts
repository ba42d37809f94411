/** Evaluation on demand as the screens see it: how good a run's checkpoint is on the images that a person has reviewed. */
import { create } from 'zustand';
import type { RequestResult } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import {
  type ClassMatch,
  type Evaluation,
  evaluationEvent,
  matchClasses,
} from '../../shared/training/evaluate.ts';
import type { EvaluationEvent } from '../../shared/training/events.ts';
import type { TrainingImage } from '../../shared/training/ports.ts';
import { client } from '../bridge/client.ts';
import { startWorker } from '../worker/host.ts';
import { startMetrics } from '../worker/metricsHost.ts';
import { type EvaluationSplit, evaluationsOf, withEvaluation } from './evaluationLog.ts';
import { type EvaluationJob, EvaluationSession, type SessionTools } from './evaluationSession.ts';
import { bestStep, type CheckpointChoice } from './predictionChoice.ts';
import { useProject } from './project.ts';
import { runMilestones } from './runEvents.ts';

export interface EvaluationTask {
  readonly runId: string;
  readonly split: EvaluationSplit;
  /** Null until it is known which checkpoint it is. */
  readonly step: number | null;
  readonly phase: 'preparing' | 'looking' | 'computing' | 'saving';
  /** Images, then classes. */
  readonly done: number;
  readonly total: number;
  /** Images that are not counted, and why. */
  readonly leftOut: readonly { readonly name: string; readonly problem: ProblemData }[];
  /** Classes of the project that the run does not know. */
  readonly unknown: readonly string[];
}

export interface EvaluationEnd extends EvaluationTask {
  readonly outcome: 'done' | 'cancelled' | 'failed';
  readonly problem: ProblemData | null;
}

export interface EvaluationsState {
  readonly task: EvaluationTask | null;
  /** How the last one ended; null while one is under way, and before the first. */
  readonly ended: EvaluationEnd | null;
  /** Evaluations by run, oldest first, of runs whose log has been read. */
  readonly logs: ReadonlyMap<string, readonly EvaluationEvent[]>;
  /** Resolves when it has ended, however. One at a time: another is not begun. */
  evaluate(run: RunRecord, choice: CheckpointChoice, split: EvaluationSplit): Promise<void>;
  /** Ends it where it stands. */
  cancel(): void;
  readLog(runId: string): Promise<void>;
  dismissEnded(): void;
  /** The project is being left. */
  abandon(): void;
}

type Set = (changes: Partial<EvaluationsState>) => void;
type Get = () => EvaluationsState;

export function createEvaluationsStore(tools: SessionTools) {
  return create<EvaluationsState>()((set, get) => {
    const conductor = new Conductor(tools, set, get);
    return {
      task: null,
      ended: null,
      logs: new Map(),
      evaluate: (run, choice, split) => conductor.evaluate(run, choice, split),
      cancel: () => conductor.cancel(),
      async readLog(runId) {
        const evaluations = await runMilestones(tools.client, runId).then(evaluationsOf, () => []);
        set({ logs: new Map(get().logs).set(runId, evaluations) });
      },
      dismissEnded: () => set({ ended: null }),
      abandon() {
        conductor.cancel();
        set({ ended: null, logs: new Map() });
      },
    };
  });
}

class Conductor {
  readonly #tools: SessionTools;
  readonly #set: Set;
  readonly #get: Get;
  /** Of the evaluation under way. */
  #abort: AbortController | null = null;

  constructor(tools: SessionTools, set: Set, get: Get) {
    this.#tools = tools;
    this.#set = set;
    this.#get = get;
  }

  async evaluate(run: RunRecord, choice: CheckpointChoice, split: EvaluationSplit): Promise<void> {
    if (this.#get().task) return;
    const abort = new AbortController();
    this.#abort = abort;
    const counts = { done: 0, total: 0, leftOut: [], unknown: [] };
    this.#set({ task: { runId: run.id, split, step: null, phase: 'preparing', ...counts }, ended: null });
    try {
      const event = await this.#measure(run, choice, split, abort.signal);
      this.#patch({ phase: 'saving' });
      await this.#tools.client.request('runs.append', { runId: run.id, events: [event] });
      const { logs } = this.#get();
      this.#set({ logs: new Map(logs).set(run.id, withEvaluation(logs.get(run.id) ?? [], event)) });
      this.#end('done', null);
    } catch (error) {
      // After an abort there may be another evaluation by now.
      if (!abort.signal.aborted) this.#end('failed', toProblemData(error));
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.#end('cancelled', null);
  }

  async #measure(
    run: RunRecord,
    choice: CheckpointChoice,
    split: EvaluationSplit,
    signal: AbortSignal,
  ): Promise<EvaluationEvent> {
    const { client } = this.#tools;
    const step = await this.#stepOf(run, choice);
    const data = await client.request('training.data', {});
    signal.throwIfAborted();
    const images = imagesOf(data, split);
    const columnOf = data.classIds.map((id) => run.classIds.indexOf(id));
    const match = matchClasses(data.classes, columnOf);
    requireSomething(images, match, split);
    this.#patch({ step, phase: 'looking', total: images.length, unknown: match.unknown });
    const evaluation = await this.#runSession({ runId: run.id, step, images, match }, signal);
    return { ...evaluationEvent(step, split, evaluation), onDemand: true };
  }

  #runSession(job: EvaluationJob, signal: AbortSignal): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      const session = new EvaluationSession(this.#tools, job, {
        onLooked: (done) => this.#patch({ done }),
        onLeftOut: ({ name }, problem) => {
          const { task } = this.#get();
          this.#patch({ leftOut: [...(task?.leftOut ?? []), { name, problem }] });
        },
        onFigures: (done, total) => this.#patch({ phase: 'computing', done, total }),
        onEvaluated: resolve,
        onFailed: ({ kind, message, remedy, detail }) => reject(new Problem(kind, message, remedy, detail)),
      });
      signal.addEventListener('abort', () => {
        session.end();
        reject(signal.reason);
      });
    });
  }

  async #stepOf({ id: runId, checkpointStep }: RunRecord, choice: CheckpointChoice): Promise<number> {
    const newest = checkpointStep ?? 0;
    if (choice === 'newest') return newest;
    return bestStep(await runMilestones(this.#tools.client, runId)) ?? newest;
  }

  #patch(changes: Partial<EvaluationTask>): void {
    const { task } = this.#get();
    if (task) this.#set({ task: { ...task, ...changes } });
  }

  #end(outcome: EvaluationEnd['outcome'], problem: ProblemData | null): void {
    const { task } = this.#get();
    if (task) this.#set({ task: null, ended: { ...task, outcome, problem } });
    this.#abort = null;
  }
}

function imagesOf(
  { train, validation }: RequestResult<'training.data'>,
  split: EvaluationSplit,
): TrainingImage[] {
  return split === 'val' ? validation : [...train, ...validation];
}

function requireSomething(images: readonly TrainingImage[], match: ClassMatch, split: EvaluationSplit): void {
  if (images.length === 0) {
    const which =
      split === 'val' ? 'No reviewed image is set aside for validation.' : 'No image is reviewed.';
    throw new Problem('bad-input', which, 'Review some images in Label first.');
  }
  if (match.names.length === 0) {
    throw new Problem(
      'bad-input',
      'The project no longer has any of the classes that this run learned.',
      'Train a new run with the classes that the project has now.',
    );
  }
}

export const useEvaluations = createEvaluationsStore({ client, startWorker, startMetrics });

let guarding = false;

/** Lets go of a project's evaluations when it is closed. Only the first call does something. */
export function guardEvaluations(): void {
  if (guarding) return;
  guarding = true;
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path) useEvaluations.getState().abandon();
  });
}
