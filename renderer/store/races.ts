/**
 * The project's races as the screens see them: the list, the one that is under way in the worker, the one that is looked at. A
 * race and a run exclude each other: there is one GPU.
 */
import { create } from 'zustand';
import type { Client } from '../../shared/contract/requests.ts';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { allChanges } from '../../shared/training/changes.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { client } from '../bridge/client.ts';
import { addLeaveGuard } from '../bridge/leaveGuards.ts';
import { type StartWorker, startWorker } from '../worker/host.ts';
import type { DeviceReport, RaceTask } from '../worker/protocol.ts';
import { notify, reportProblem } from './notices.ts';
import { useProject } from './project.ts';
import { type Courses, RaceCourses } from './raceCourses.ts';
import { type LiveRace, RaceSession } from './raceSession.ts';
import type { RunHistory } from './runHistory.ts';
import { useRuns } from './runs.ts';
import { backboneOf } from './startFrom.ts';
import { useTraining } from './training.ts';
import { makeTask } from './trainingTask.ts';

export interface RacePlan {
  readonly order: RaceRecord['order'];
  readonly entries: readonly { readonly label: string; readonly config: TrainConfig }[];
  /** Each learning rate is chosen by trials of so many steps; null: all race with the one that is given. */
  readonly tuneSteps: number | null;
}

export interface RacesState {
  readonly phase: 'empty' | 'loading' | 'ready';
  /** Newest first. */
  readonly races: readonly RaceRecord[];
  /** Races whose file cannot be read. */
  readonly damaged: readonly ProblemData[];
  readonly live: LiveRace | null;
  /** `courses`: null while the logs are read. The live race's are in `live`. */
  readonly viewed: { readonly raceId: string; readonly courses: Courses | null } | null;
  /** Why the last race could not be started, or stopped by itself. */
  readonly problem: ProblemData | null;
  load(): Promise<void>;
  start(plan: RacePlan): Promise<void>;
  /** Goes on with every competitor that has not finished, from its newest checkpoint. */
  resumeRace(raceId: string): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
  view(raceId: string | null): Promise<void>;
  rename(raceId: string, name: string): Promise<void>;
  /** `withRuns`: its runs go too. */
  remove(raceId: string, withRuns: boolean): Promise<void>;
  loseDevice(): void;
  /** The project is being left. */
  abandon(): void;
}

export interface RaceTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly putRun: (run: RunRecord) => void;
  readonly loadRuns: () => Promise<void>;
  readonly runs: () => readonly RunRecord[];
  /** What the run's side of the house is told. */
  readonly training: {
    readonly isTraining: () => boolean;
    readonly setRacing: (runIds: readonly string[]) => void;
    readonly follow: (runId: string, history: RunHistory) => void;
    readonly setDevice: (device: DeviceReport) => void;
  };
}

type Set = (changes: Partial<RacesState>) => void;
type Get = () => RacesState;

export function createRacesStore(tools: RaceTools) {
  return create<RacesState>()((set, get) => {
    const conductor = new Conductor(tools, set, get);
    const { client } = tools;
    return {
      phase: 'empty',
      races: [],
      damaged: [],
      live: null,
      viewed: null,
      problem: null,
      async load() {
        if (get().phase === 'empty') set({ phase: 'loading' });
        try {
          const { races, problems } = await client.request('races.list', {});
          set({ races, damaged: problems, phase: 'ready' });
        } catch (error) {
          set({ phase: 'empty' });
          reportProblem(error);
        }
      },
      start: (plan) => conductor.start(plan),
      resumeRace: (raceId) => conductor.resume(raceId),
      pause: () => conductor.session?.wish('pause', ['running'], 'pausing'),
      resume: () => conductor.session?.wish('resume', ['paused', 'pausing'], 'running'),
      stop: () => conductor.session?.wish('stop', null, 'stopping'),
      view: (raceId) => view(tools, set, get, raceId),
      async rename(raceId, name) {
        try {
          set({ races: withRace(get().races, await client.request('races.update', { raceId, name })) });
        } catch (error) {
          reportProblem(error);
        }
      },
      async remove(raceId, withRuns) {
        try {
          await client.request('races.remove', { raceId, runs: withRuns });
          const { races, viewed } = get();
          set({
            races: races.filter(({ id }) => id !== raceId),
            viewed: viewed?.raceId === raceId ? null : viewed,
          });
          await tools.loadRuns();
        } catch (error) {
          reportProblem(error);
        }
      },
      loseDevice: () => conductor.session?.post({ type: 'lose-device' }),
      abandon() {
        conductor.letGo();
        set({ viewed: null, problem: null, races: [], damaged: [], phase: 'empty' });
      },
    };
  });
}

/** Starts races and keeps the live one true to its session. */
class Conductor {
  readonly #tools: RaceTools;
  readonly #set: Set;
  readonly #get: Get;
  session: RaceSession | null = null;

  constructor(tools: RaceTools, set: Set, get: Get) {
    this.#tools = tools;
    this.#set = set;
    this.#get = get;
  }

  async start({ order, entries, tuneSteps }: RacePlan): Promise<void> {
    if (this.#get().live) return;
    const { client, loadRuns } = this.#tools;
    this.#set({ problem: null });
    try {
      this.#requireFreeGpu();
      const { includeUnreviewed } = entries[0]!.config;
      const data = await client.request('training.data', { includeUnreviewed });
      const backbone = await backboneOf(entries[0]!.config, this.#tools);
      const race = await client.request('races.create', {
        order,
        classIds: data.classIds,
        classNames: data.classes,
        entries: entries.map(({ label, config }) => ({ label, config: { ...config, backbone } })),
      });
      this.#set({ races: withRace(this.#get().races, race) });
      await loadRuns();
      await this.#begin(race, tuneSteps);
    } catch (error) {
      this.#set({ problem: toProblemData(error) });
    }
  }

  async resume(raceId: string): Promise<void> {
    const race = this.#get().races.find(({ id }) => id === raceId);
    if (this.#get().live || !race) return;
    try {
      this.#requireFreeGpu();
      await this.#begin(race, stepsOfTrials(race));
    } catch (error) {
      reportProblem(error);
    }
  }

  async #begin(race: RaceRecord, tuneSteps: number | null): Promise<void> {
    const { client, runs } = this.#tools;
    const own = runsOf(race, runs());
    const includeUnreviewed = own[0]?.config.includeUnreviewed ?? false;
    const data = await client.request('training.data', { includeUnreviewed });
    const initName = runs().find(({ id }) => id === own[0]?.config.init)?.name ?? own[0]?.config.init ?? '';
    const left = own.filter(({ status }) => status !== 'done');
    const ids = own.map(({ id }) => id);
    const logs = await new RaceCourses().read(client, ids);
    const untuned = race.entries.filter(({ trials }) => trials.length === 0).map(({ runId }) => runId);
    const task: RaceTask = {
      raceId: race.id,
      order: race.order,
      entries: left.map((run) =>
        makeTask(run, data, {
          resume: run.checkpointStep !== null,
          initName,
          changes: allChanges(logs.historyOf(run.id).changes),
        }),
      ),
      tune:
        tuneSteps === null
          ? null
          : {
              steps: tuneSteps,
              runIds: left.filter(({ id, step }) => step === 0 && untuned.includes(id)).map(({ id }) => id),
            },
      measureFirstStep: race.firstStep === null,
    };
    this.#set({ viewed: { raceId: race.id, courses: null }, problem: null });
    this.#tools.training.setRacing(ids);
    this.session = new RaceSession(this.#tools, task, logs, {
      onChange: (live) => this.#set({ live }),
      onHistory: (runId, history) => this.#tools.training.follow(runId, history),
      onDevice: (device) => this.#tools.training.setDevice(device),
      onRace: (changed) => this.#set({ races: withRace(this.#get().races, changed) }),
      onEnded: (live, problem) => this.#finish(live, problem),
    });
    this.session.launch();
  }

  #requireFreeGpu(): void {
    if (!this.#tools.training.isTraining()) return;
    throw new Problem(
      'conflict',
      'A run is training, and there is one GPU.',
      'Stop the run, or wait until it has finished; then start the race.',
    );
  }

  /** The race is no longer under way here; where it is looked at it stays in sight. */
  letGo(): void {
    this.session?.end();
    this.session = null;
    const { live, viewed } = this.#get();
    this.#tools.training.setRacing([]);
    const isViewed = live !== null && viewed?.raceId === live.raceId;
    this.#set({ live: null, viewed: isViewed ? { raceId: live.raceId, courses: live.courses } : viewed });
  }

  #finish(live: LiveRace, problem: ProblemData | null): void {
    this.letGo();
    this.#set({ problem });
    const ends = [...live.ends.values()];
    if (!problem && ends.length > 0 && ends.every((end) => end === 'finished')) {
      notify('The race has finished.', { tone: 'success' });
    }
  }
}

async function view({ client, runs }: RaceTools, set: Set, get: Get, raceId: string | null): Promise<void> {
  if (raceId === null) return set({ viewed: null });
  const race = get().races.find(({ id }) => id === raceId);
  if (!race || get().viewed?.raceId === raceId) return;
  set({ viewed: { raceId, courses: null }, problem: null });
  if (get().live?.raceId === raceId) return;
  const isStillWanted = () => get().viewed?.raceId === raceId && get().live?.raceId !== raceId;
  try {
    const ids = runsOf(race, runs()).map(({ id }) => id);
    const logs = await new RaceCourses().read(client, ids);
    if (isStillWanted()) set({ viewed: { raceId, courses: logs.courses() } });
  } catch (error) {
    if (isStillWanted()) set({ viewed: null });
    reportProblem(error);
  }
}

/** In the race's order; without those that have been deleted. */
export function runsOf(race: RaceRecord, runs: readonly RunRecord[]): RunRecord[] {
  return race.entries.flatMap(({ runId }) => runs.find(({ id }) => id === runId) ?? []);
}

/** The race that a run takes part in. */
export function raceOf(races: readonly RaceRecord[], runId: string): RaceRecord | null {
  return races.find(({ entries }) => entries.some((entry) => entry.runId === runId)) ?? null;
}

/** How long a race's trials are, where it has any: those that are still to come are as long. */
function stepsOfTrials(race: RaceRecord): number | null {
  return race.entries.flatMap(({ trials }) => trials)[0]?.steps ?? null;
}

function withRace(races: readonly RaceRecord[], race: RaceRecord): RaceRecord[] {
  const others = races.filter(({ id }) => id !== race.id);
  return [...others, race].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

/** The courses of the race that is looked at: live where it is under way. */
export function viewedCourses({ live, viewed }: Pick<RacesState, 'live' | 'viewed'>): Courses | null {
  if (!viewed) return null;
  return live?.raceId === viewed.raceId ? live.courses : viewed.courses;
}

export const useRaces = createRacesStore({
  client,
  startWorker,
  now: () => performance.now(),
  putRun: (run) => useRuns.getState().put(run),
  loadRuns: () => useRuns.getState().load(),
  runs: () => useRuns.getState().runs,
  training: {
    isTraining: () => useTraining.getState().live !== null,
    setRacing: (runIds) => useTraining.getState().setRacing(runIds),
    follow: (runId, history) => useTraining.getState().follow(runId, history),
    setDevice: (device) => useTraining.setState({ device }),
  },
});

let following = false;

/** Loads the races of the open project, asks before a page is left that races, lets go of a closed project's. Only the first call does something. */
export function followRaces(): void {
  if (following) return;
  following = true;
  addLeaveGuard(() =>
    useRaces.getState().live
      ? 'A race is under way. It stops when you leave, and can be resumed from its last checkpoints.'
      : null,
  );
  if (useProject.getState().project) void useRaces.getState().load();
  useProject.subscribe((state, before) => {
    if (state.project?.path === before.project?.path) return;
    if (before.project) useRaces.getState().abandon();
    if (state.project) void useRaces.getState().load();
  });
}
