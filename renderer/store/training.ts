/**
 * Training as the screens see it: the run that is under way in the worker, and the run that is looked at. A lost device ends
 * the worker, and the run goes on from its last checkpoint in a new one.
 */
import { create } from 'zustand';
import { client } from '../bridge/client.ts';
import { addLeaveGuard } from '../bridge/leaveGuards.ts';
import { startWorker } from '../worker/host.ts';
import { reportProblem } from './notices.ts';
import { useProject } from './project.ts';
import { RunConductor, readHistory } from './runConductor.ts';
import type { RunHistory } from './runHistory.ts';
import { useRuns } from './runs.ts';
import type { GetTraining, SetTraining, TrainingState, TrainingTools } from './trainingState.ts';

export function createTrainingStore(tools: TrainingTools) {
  return create<TrainingState>()((set, get) => {
    const conductor = new RunConductor(tools, set, get);
    return {
      live: null,
      viewed: null,
      racing: [],
      device: null,
      problem: null,
      probe: () => probe(tools, set, get),
      start: (config) => conductor.start(config),
      resumeRun: (runId) => conductor.resumeRun(runId),
      pause: () => conductor.wish('pause', ['running'], 'pausing'),
      resume: () => conductor.wish('resume', ['paused', 'pausing'], 'running'),
      stop: () => conductor.wish('stop', null, 'stopping'),
      change: (change) => conductor.change(change),
      view: (runId) => view(tools, set, get, runId),
      follow(runId, history) {
        if (get().viewed?.runId === runId) set({ viewed: { runId, history } });
      },
      setRacing: (racing) => set({ racing }),
      loseDevice: () => conductor.loseDevice(),
      abandon() {
        conductor.letGo();
        set({ viewed: null, problem: null });
      },
    };
  });
}

function probe({ client, startWorker }: TrainingTools, set: SetTraining, get: GetTraining): void {
  if (get().device || get().live) return;
  const prober = startWorker(client, {
    onNews(news) {
      if (news.type !== 'device') return;
      set({ device: get().device ?? news.device });
      prober.end();
    },
    onBroken: () => prober.end(),
  });
  prober.post({ type: 'probe' });
}

async function view(
  { client }: TrainingTools,
  set: SetTraining,
  get: GetTraining,
  runId: string | null,
): Promise<void> {
  const { live, viewed } = get();
  if (runId === null) return set({ viewed: null });
  if (viewed?.runId === runId && live?.runId !== runId) return;
  set({ viewed: { runId, history: null } });
  if (live?.runId === runId) return;
  const isStillWanted = () => get().viewed?.runId === runId && get().live?.runId !== runId;
  try {
    const history = await readHistory(client, runId);
    if (isStillWanted()) set({ viewed: { runId, history } });
  } catch (error) {
    if (isStillWanted()) set({ viewed: null });
    reportProblem(error);
  }
}

/** The history of the run that is looked at: live where it is under way. */
export function viewedHistory(state: Pick<TrainingState, 'live' | 'viewed'>): RunHistory | null {
  if (!state.viewed) return null;
  return state.live?.runId === state.viewed.runId ? state.live.history : state.viewed.history;
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
