/** The run that is under way: kept true to its session, with what a loss or an end means for it. */
import type { RunRecord } from '../../shared/contract/schemas.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { allChanges, parseChange } from '../../shared/training/changes.ts';
import type { HotChange, TrainConfig } from '../../shared/training/config.ts';
import { goesOnWarning, mayTryAgain } from '../../shared/training/deviceLoss.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { TrainTask } from '../worker/protocol.ts';
import { notify, reportProblem } from './notices.ts';
import { type LivePhase, phaseAfter } from './phase.ts';
import { readRunEvents } from './runEvents.ts';
import { emptyHistory, type RunHistory, recordEvents } from './runHistory.ts';
import { type RunEnd, RunSession } from './runSession.ts';
import { backboneOf } from './startFrom.ts';
import { waitsProblem } from './trainingLoss.ts';
import type { GetTraining, LiveRun, SetTraining, TrainingTools } from './trainingState.ts';
import { makeTask } from './trainingTask.ts';

export class RunConductor {
  readonly #tools: TrainingTools;
  readonly #set: SetTraining;
  readonly #get: GetTraining;
  #session: RunSession | null = null;
  /** What the session began with; launched again it goes on from the newest checkpoint. */
  #task: TrainTask | null = null;

  constructor(tools: TrainingTools, set: SetTraining, get: GetTraining) {
    this.#tools = tools;
    this.#set = set;
    this.#get = get;
  }

  async start(config: TrainConfig): Promise<void> {
    if (this.#get().live) return;
    const { client, putRun } = this.#tools;
    this.#set({ problem: null });
    try {
      this.#requireFreeGpu();
      const { includeUnreviewed } = config;
      const { classIds, classes } = await client.request('training.data', { includeUnreviewed });
      const backbone = await backboneOf(config, this.#tools);
      const run = await client.request('runs.create', {
        config: { ...config, backbone },
        classIds,
        classNames: classes,
      });
      putRun(run);
      await this.#begin(run, false, emptyHistory);
    } catch (error) {
      this.#set({ problem: toProblemData(error) });
    }
  }

  async resumeRun(runId: string): Promise<void> {
    const { client, putRun, runs } = this.#tools;
    const run = runs().find(({ id }) => id === runId);
    if (this.#get().live || !run) return;
    try {
      const history = await readHistory(client, runId);
      putRun(await client.request('runs.update', { runId, status: 'running', problem: null }));
      await this.#begin(run, true, { ...history, failure: null, done: null });
    } catch (error) {
      reportProblem(error);
    }
  }

  async #begin(run: RunRecord, resume: boolean, history: RunHistory): Promise<void> {
    const { id: runId, config } = run;
    const { client, runs } = this.#tools;
    const data = await client.request('training.data', { includeUnreviewed: config.includeUnreviewed });
    const initName = runs().find(({ id }) => id === config.init)?.name ?? config.init;
    const live: LiveRun = {
      ...{ runId, phase: 'starting', text: 'Starting', config, history },
      ...{ asked: null, lossesMs: [] },
    };
    this.#set({ live, viewed: { runId, history: null }, problem: null });
    this.#task = makeTask(run, data, { resume, initName, changes: allChanges(history.changes) });
    this.#session = this.#newSession();
    this.#session.launch({ type: 'train', task: this.#task });
  }

  #requireFreeGpu(): void {
    if (this.#get().racing.length === 0) return;
    throw new Problem(
      'conflict',
      'A race is under way, and there is one GPU.',
      'Stop the race under Races, or wait until it has finished.',
    );
  }

  #newSession(): RunSession {
    return new RunSession(this.#tools, {
      onDevice: (device) => this.#set({ device }),
      onText: (text) => this.#patch({ text }),
      onEvents: (events) => this.#record(events.map(({ event }) => event)),
      onLost: (reason) => void this.#recover(reason),
      onRunEnded: (_runId, end, problem) => void this.#finish(end, problem),
      onBroken: (problem) => void this.#interrupt(problem),
    });
  }

  wish(type: 'pause' | 'resume' | 'stop', from: readonly LivePhase[] | null, phase: LivePhase): void {
    const { live } = this.#get();
    if (!live || (from && !from.includes(live.phase))) return;
    this.#session?.post({ type });
    this.#patch({ phase });
  }

  change(change: HotChange): void {
    const { live } = this.#get();
    if (!live || live.phase === 'stopping') return;
    try {
      const asked = parseChange({ ...live.asked, ...change });
      this.#session?.post({ type: 'change', change });
      this.#patch({ asked });
    } catch (error) {
      reportProblem(error);
    }
  }

  loseDevice(): void {
    this.#session?.post({ type: 'lose-device' });
  }

  /** The run is no longer under way here; where it is looked at it stays in sight. */
  letGo(): void {
    this.#session?.end();
    this.#session = null;
    this.#task = null;
    const { live, viewed } = this.#get();
    const isViewed = live !== null && viewed?.runId === live.runId;
    this.#set({ live: null, viewed: isViewed ? { runId: live.runId, history: live.history } : viewed });
  }

  async #finish(end: RunEnd, problem: ProblemData | null): Promise<void> {
    const { live } = this.#get();
    this.letGo();
    if (!live) return;
    await this.#update(live.runId, end === 'finished' ? 'done' : end, problem);
    if (end === 'finished')
      notify(`The run has finished its ${live.config.steps} steps.`, { tone: 'success' });
  }

  /** The worker itself broke: the run waits at its last checkpoint for a person. */
  async #interrupt(problem: ProblemData): Promise<void> {
    const { live } = this.#get();
    this.letGo();
    if (live) await this.#update(live.runId, 'interrupted', toProblemData(problem));
  }

  async #recover(reason: string): Promise<void> {
    const { client, now } = this.#tools;
    const { live } = this.#get();
    const session = this.#session;
    if (!live || !session) return;
    const lossesMs = [...live.lossesMs, now()];
    const step = live.history.checkpointStep;
    if (!mayTryAgain(lossesMs, now())) {
      this.letGo();
      await this.#update(live.runId, 'paused', waitsProblem(lossesMs.length, step, reason));
      return;
    }
    const warning = goesOnWarning(step, reason);
    this.#patch({ phase: 'recovering', text: warning.message, lossesMs });
    try {
      await client.request('runs.append', { runId: live.runId, events: [warning] });
    } catch (error) {
      await this.#interrupt(toProblemData(error));
      return;
    }
    // The run may have been let go of while the host wrote.
    if (this.#session !== session) return;
    this.#record([warning]);
    this.#relaunch(session);
  }

  /** In a new worker, which is told the changes that the log holds and those that it does not hold yet. */
  #relaunch(session: RunSession): void {
    const { live } = this.#get();
    if (!live || !this.#task) return;
    const resume = live.history.checkpointStep !== null;
    session.launch({
      type: 'train',
      task: { ...this.#task, resume, changes: allChanges(live.history.changes) },
    });
    if (live.asked) session.post({ type: 'change', change: live.asked });
  }

  #record(events: readonly RunEvent[]): void {
    const { live } = this.#get();
    if (!live) return;
    const isTaken = events.some((event) => event.event === 'control' && !event.replayed);
    this.#patch({
      history: recordEvents(live.history, events),
      phase: phaseAfter(live.phase, events),
      ...(isTaken && { asked: null }),
    });
  }

  #patch(changes: Partial<LiveRun>): void {
    const { live } = this.#get();
    if (live) this.#set({ live: { ...live, ...changes } });
  }

  async #update(runId: string, status: RunRecord['status'], problem: ProblemData | null): Promise<void> {
    try {
      this.#tools.putRun(await this.#tools.client.request('runs.update', { runId, status, problem }));
    } catch (error) {
      reportProblem(error);
    }
  }
}

export async function readHistory(client: TrainingTools['client'], runId: string): Promise<RunHistory> {
  let history = emptyHistory;
  await readRunEvents(client, runId, (events) => {
    history = recordEvents(history, events);
  });
  return history;
}
