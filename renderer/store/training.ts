/**
 * Training as the screens see it: the run that is under way in the worker, and the run that is looked at. Each run gets a
 * worker of its own, so that whatever it held on the GPU goes with it; a lost device ends the worker, and the run goes on from
 * its last checkpoint in a new one.
 */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { client } from '../bridge/client.ts';
import { addLeaveGuard } from '../bridge/leaveGuards.ts';
import { type StartWorker, startWorker, type WorkerHandle, type WorkerNews } from '../worker/host.ts';
import { automaticTries, mayTryAgain } from '../worker/lossPolicy.ts';
import type { DeviceReport, TrainTask } from '../worker/protocol.ts';
import { notify, reportProblem } from './notices.ts';
import { useProject } from './project.ts';
import { emptyHistory, type RunHistory, recordEvents } from './runHistory.ts';
import { useRuns } from './runs.ts';
import { makeTask } from './trainingTask.ts';

export type LivePhase = 'starting' | 'running' | 'pausing' | 'paused' | 'stopping' | 'recovering';

export interface LiveRun {
  readonly runId: string;
  readonly phase: LivePhase;
  /** What it is doing while there is no step to show: "Preparing the network". */
  readonly text: string;
  readonly config: TrainConfig;
  readonly history: RunHistory;
  /** When devices were lost, monotonic milliseconds. */
  readonly lossesMs: readonly number[];
}

export interface ViewedRun {
  readonly runId: string;
  /** Null while its log is read. The live run's history is in `live`. */
  readonly history: RunHistory | null;
}

export interface TrainingState {
  readonly live: LiveRun | null;
  readonly viewed: ViewedRun | null;
  /** What computes, or would: null until the first worker has said so. */
  readonly device: DeviceReport | null;
  /** The last run's failure to start, where there is no run to show it in. */
  readonly problem: ProblemData | null;
  /** Asks a worker what there is to compute on. */
  probe(): void;
  start(config: TrainConfig): Promise<void>;
  /** Goes on with a run that is not under way, from its newest checkpoint. */
  resumeRun(runId: string): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
  /** Looks at a run; null: at the form. */
  view(runId: string | null): Promise<void>;
  /** Destroys the GPU device under the run, to see that it recovers. */
  loseDevice(): void;
  /** Ends the worker where it stands: the project is being left. */
  abandon(): void;
}

export interface TrainingTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly putRun: (run: RunRecord) => void;
  readonly runs: () => readonly RunRecord[];
}

/** Screens are told of events this often at most; a fast step takes a few milliseconds. */
const flushEveryMs = 120;

export function createTrainingStore(tools: TrainingTools) {
  return create<TrainingState>()((set, get) => {
    let worker: WorkerHandle | null = null;
    let task: TrainTask | null = null;
    let queue: RunEvent[] = [];
    let flushTimer: ReturnType<typeof setTimeout> | null = null;

    const patchLive = (changes: Partial<LiveRun>) => {
      const { live } = get();
      if (live) set({ live: { ...live, ...changes } });
    };

    function flush() {
      if (flushTimer) clearTimeout(flushTimer);
      flushTimer = null;
      const { live } = get();
      if (!live || queue.length === 0) return;
      const events = queue;
      queue = [];
      patchLive({ history: recordEvents(live.history, events), phase: phaseAfter(live.phase, events) });
    }

    function launch(next: TrainTask) {
      task = next;
      worker?.end();
      worker = tools.startWorker(tools.client, { onNews: hear, onBroken: (problem) => void fail(problem) });
      worker.post({ type: 'train', task: next });
    }

    function hear(news: WorkerNews) {
      switch (news.type) {
        case 'device':
          set({ device: news.device });
          return;
        case 'phase':
          patchLive({ text: news.text });
          return;
        case 'run-event':
          queue.push(news.event);
          flushTimer ??= setTimeout(flush, flushEveryMs);
          return;
        case 'device-lost':
          void recover(news.message);
          return;
        case 'train-ended':
          void finish(news.status, news.problem);
          return;
        case 'predicted':
        case 'predict-ended':
          return;
        default:
          news satisfies never;
      }
    }

    function letGo() {
      flush();
      worker?.end();
      worker = null;
      task = null;
      queue = [];
      const { live, viewed } = get();
      const keep =
        live && viewed?.runId === live.runId ? { runId: live.runId, history: live.history } : viewed;
      set({ live: null, viewed: keep });
    }

    async function finish(status: 'finished' | 'stopped' | 'failed', problem: ProblemData | null) {
      const { live } = get();
      letGo();
      if (!live) return;
      const run = { runId: live.runId, problem };
      await update({ ...run, status: status === 'finished' ? 'done' : status });
      if (status === 'finished')
        notify(`The run has finished its ${live.config.steps} steps.`, { tone: 'success' });
    }

    /** The worker broke under the run: it waits at its last checkpoint for a person. */
    async function fail(problem: ProblemData) {
      const { live } = get();
      letGo();
      if (live) await update({ runId: live.runId, status: 'interrupted', problem: toProblemData(problem) });
    }

    async function recover(reason: string) {
      flush();
      const { live } = get();
      if (!live || !task) return;
      const lossesMs = [...live.lossesMs, tools.now()];
      worker?.end();
      worker = null;
      queue = [];
      const step = live.history.checkpointStep;
      const from = step === null ? 'its start' : `step ${step}`;
      if (!mayTryAgain(lossesMs, tools.now())) {
        letGo();
        const problem = deviceGone(lossesMs.length, from, reason);
        await update({ runId: live.runId, status: 'paused', problem });
        return;
      }
      patchLive({ phase: 'recovering', text: `The GPU stopped. Going on from ${from}`, lossesMs });
      const event: RunEvent = {
        event: 'warning',
        step: step ?? 0,
        message: `The GPU stopped (${reason}). The run goes on from ${from}.`,
        remedy: `If it stops more than ${automaticTries} times in five minutes the run will wait for you.`,
        images: [],
      };
      try {
        await tools.client.request('runs.append', { runId: live.runId, events: [event] });
        patchLive({ history: recordEvents(live.history, [event]) });
        if (task) launch({ ...task, resume: true });
      } catch (error) {
        await fail(toProblemData(error));
      }
    }

    async function update(changes: {
      runId: string;
      status: RunRecord['status'];
      problem: ProblemData | null;
    }) {
      try {
        tools.putRun(await tools.client.request('runs.update', changes));
      } catch (error) {
        reportProblem(error);
      }
    }

    async function begin(run: RunRecord, resume: boolean, history: RunHistory) {
      const { includeUnreviewed, init } = run.config;
      const data = await tools.client.request('training.data', { includeUnreviewed });
      const initName = tools.runs().find(({ id }) => id === init)?.name ?? init;
      const text = resume ? 'Starting again' : 'Starting';
      set({
        live: { runId: run.id, phase: 'starting', text, config: run.config, history, lossesMs: [] },
        viewed: { runId: run.id, history: null },
        problem: null,
      });
      launch(makeTask(run, data, { resume, initName }));
    }

    return {
      live: null,
      viewed: null,
      device: null,
      problem: null,

      probe() {
        if (get().device || worker) return;
        const prober = tools.startWorker(tools.client, {
          onNews(news) {
            if (news.type !== 'device') return;
            set({ device: get().device ?? news.device });
            prober.end();
          },
          onBroken: () => prober.end(),
        });
        prober.post({ type: 'probe' });
      },
      async start(config) {
        if (get().live) return;
        set({ problem: null });
        try {
          const { classIds, classes } = await tools.client.request('training.data', {
            includeUnreviewed: config.includeUnreviewed,
          });
          const run = await tools.client.request('runs.create', { config, classIds, classNames: classes });
          tools.putRun(run);
          await begin(run, false, emptyHistory);
        } catch (error) {
          set({ problem: toProblemData(error) });
        }
      },
      async resumeRun(runId) {
        const run = tools.runs().find(({ id }) => id === runId);
        if (get().live || !run) return;
        try {
          const history = recordEvents(emptyHistory, await tools.client.request('runs.events', { runId }));
          tools.putRun(
            await tools.client.request('runs.update', { runId, status: 'running', problem: null }),
          );
          await begin(run, true, { ...history, failure: null, done: null });
        } catch (error) {
          reportProblem(error);
        }
      },
      pause() {
        if (get().live?.phase !== 'running') return;
        worker?.post({ type: 'pause' });
        patchLive({ phase: 'pausing' });
      },
      resume() {
        const phase = get().live?.phase;
        if (phase !== 'paused' && phase !== 'pausing') return;
        worker?.post({ type: 'resume' });
        patchLive({ phase: 'running' });
      },
      stop() {
        if (!get().live) return;
        worker?.post({ type: 'stop' });
        patchLive({ phase: 'stopping' });
      },
      async view(runId) {
        if (runId === null) return set({ viewed: null });
        if (get().live?.runId === runId) return set({ viewed: { runId, history: null } });
        if (get().viewed?.runId === runId) return;
        set({ viewed: { runId, history: null } });
        try {
          const events = await tools.client.request('runs.events', { runId });
          if (get().viewed?.runId === runId && get().live?.runId !== runId) {
            set({ viewed: { runId, history: recordEvents(emptyHistory, events) } });
          }
        } catch (error) {
          if (get().viewed?.runId === runId) set({ viewed: null });
          reportProblem(error);
        }
      },
      loseDevice: () => worker?.post({ type: 'lose-device' }),
      abandon() {
        letGo();
        set({ viewed: null, problem: null });
      },
    };
  });
}

/** `stopping` stays until the run has ended; a wish that the run has answered becomes what it is. */
export function phaseAfter(phase: LivePhase, events: readonly RunEvent[]): LivePhase {
  if (phase === 'stopping') return phase;
  return events.reduce<LivePhase>((current, { event }) => {
    if (event === 'paused') return 'paused';
    if (event === 'resumed') return 'running';
    if (event === 'start' || event === 'step') return current === 'pausing' ? current : 'running';
    return current;
  }, phase);
}

function deviceGone(losses: number, from: string, reason: string): ProblemData {
  return {
    kind: 'device-lost',
    message: `The GPU stopped ${losses} times in five minutes, so the run waits. It can go on from ${from}.`,
    remedy:
      'Close other programs that use the GPU, then press Resume. If it happens again, train with a smaller batch or image side.',
    detail: reason,
  };
}

export const useTraining = createTrainingStore({
  client,
  startWorker,
  now: () => performance.now(),
  putRun: (run) => useRuns.getState().put(run),
  runs: () => useRuns.getState().runs,
});

let guarding = false;

/** Asks before a page is left that is training, and lets go of a run whose project is closed. Only the first call does something. */
export function guardTraining(): void {
  if (guarding) return;
  guarding = true;
  addLeaveGuard(() =>
    useTraining.getState().live
      ? 'A run is training. It stops when you leave, and can be resumed from its last checkpoint.'
      : null,
  );
  useProject.subscribe((state, before) => {
    if (state.project?.path !== before.project?.path && before.project) useTraining.getState().abandon();
  });
}

/** The history of the run that is looked at: live where it is under way. */
export function viewedHistory(state: Pick<TrainingState, 'live' | 'viewed'>): RunHistory | null {
  if (!state.viewed) return null;
  return state.live?.runId === state.viewed.runId ? state.live.history : state.viewed.history;
}
