/** The race that is under way: kept true to its worker, taken up again from its checkpoints where the device is lost. */
import type { Client } from '../../shared/contract/requests.ts';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { goesOnWarning, mayTryAgain } from '../../shared/training/deviceLoss.ts';
import type { StartWorker } from '../worker/host.ts';
import type { DeviceReport, RaceTask, ToWorker, TrainTask } from '../worker/protocol.ts';
import { type LivePhase, phaseAfter } from './phase.ts';
import type { Courses, RaceCourses } from './raceCourses.ts';
import type { RunHistory } from './runHistory.ts';
import { type OwnedEvent, type RaceUpdate, type RunEnd, RunSession } from './runSession.ts';
import { waitsProblem } from './trainingLoss.ts';

export interface LiveRace {
  readonly raceId: string;
  readonly phase: LivePhase;
  /** What it is doing while there is no step to show. */
  readonly text: string;
  /** Of every competitor, those that had finished before too. At most a second old. */
  readonly courses: Courses;
  /** Competitors whose run has ended in this sitting. */
  readonly ends: ReadonlyMap<string, RunEnd>;
  /** When devices were lost, monotonic milliseconds. */
  readonly lossesMs: readonly number[];
}

export interface RaceSessionTools {
  readonly client: Pick<Client, 'request'>;
  readonly startWorker: StartWorker;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly putRun: (run: RunRecord) => void;
}

export interface RaceSessionListener {
  onChange(live: LiveRace): void;
  onHistory(runId: string, history: RunHistory): void;
  onDevice(device: DeviceReport): void;
  onRace(race: RaceRecord): void;
  /** It is under way no longer. `problem`: why it stopped by itself. */
  onEnded(live: LiveRace, problem: ProblemData | null): void;
}

/** Table and curves are reckoned anew this often: with six long logs it is some work. */
const coursesEveryMs = 1000;

export class RaceSession {
  readonly #tools: RaceSessionTools;
  readonly #listener: RaceSessionListener;
  readonly #session: RunSession;
  readonly #logs: RaceCourses;
  #task: RaceTask;
  #live: LiveRace;
  #coursesTimer: ReturnType<typeof setTimeout> | null = null;
  #isOver = false;

  constructor(tools: RaceSessionTools, task: RaceTask, logs: RaceCourses, listener: RaceSessionListener) {
    this.#tools = tools;
    this.#listener = listener;
    this.#logs = logs;
    this.#task = task;
    this.#live = {
      ...{ raceId: task.raceId, phase: 'starting', text: 'Starting', courses: logs.courses() },
      ...{ ends: new Map(), lossesMs: [] },
    };
    this.#session = new RunSession(tools, {
      onDevice: (device) => listener.onDevice(device),
      onText: (text) => this.#patch({ text }),
      onEvents: (events) => this.#record(events),
      onLost: (reason) => void this.#recover(reason),
      onRunEnded: (runId, end, problem) => void this.#endRun(runId, end, problem),
      onRaceUpdated: (news) => this.#takeOver(news),
      onRaceEnded: (problem) => this.#over(problem),
      onBroken: (problem) => void this.#interrupt('interrupted', toProblemData(problem)),
    });
  }

  launch(): void {
    this.#session.launch({ type: 'race', task: this.#task });
    this.#listener.onChange(this.#live);
  }

  wish(type: 'pause' | 'resume' | 'stop', from: readonly LivePhase[] | null, phase: LivePhase): void {
    if (from && !from.includes(this.#live.phase)) return;
    this.#session.post({ type });
    this.#patch({ phase });
  }

  post(message: ToWorker): void {
    this.#session.post(message);
  }

  /** Ends it where it stands, without a word to anybody. */
  end(): void {
    this.#session.end();
    if (this.#coursesTimer) this.#publish();
    this.#isOver = true;
  }

  /** Competitors whose run has not ended yet. */
  #racing(): readonly TrainTask[] {
    return this.#task.entries.filter(({ runId }) => !this.#live.ends.has(runId));
  }

  /** Of these, those that do not still wait for their turn. */
  #begun(): readonly TrainTask[] {
    return this.#racing().filter(({ runId }) => this.#logs.historyOf(runId).start !== null);
  }

  #record(owned: readonly OwnedEvent[]): void {
    this.#logs.add(owned);
    for (const runId of new Set(owned.map((each) => each.runId))) {
      this.#listener.onHistory(runId, this.#logs.historyOf(runId));
    }
    for (const { runId, event } of owned) {
      if (event.event === 'start') void this.#update(runId, 'running', null);
    }
    this.#coursesTimer ??= setTimeout(() => this.#publish(), coursesEveryMs);
    const events = owned.map(({ event }) => event);
    this.#patch({ phase: phaseAfter(this.#live.phase, events) });
  }

  #publish(): void {
    if (this.#coursesTimer) clearTimeout(this.#coursesTimer);
    this.#coursesTimer = null;
    this.#patch({ courses: this.#logs.courses() });
  }

  async #endRun(runId: string, end: RunEnd, problem: ProblemData | null): Promise<void> {
    this.#patch({ ends: new Map(this.#live.ends).set(runId, end) });
    this.#publish();
    await this.#update(runId, end === 'finished' ? 'done' : end, problem);
  }

  /** What was found out before the first step must not be looked for again in a new worker. */
  #takeOver({ race, tuned }: RaceUpdate): void {
    const { tune, entries } = this.#task;
    this.#task = {
      ...this.#task,
      entries: entries.map((entry) =>
        entry.runId === tuned?.runId
          ? { ...entry, config: { ...entry.config, learningRate: tuned.learningRate } }
          : entry,
      ),
      measureFirstStep: race.firstStep === null,
      tune: tune && { ...tune, runIds: tune.runIds.filter((runId) => runId !== tuned?.runId) },
    };
    this.#listener.onRace(race);
  }

  async #recover(reason: string): Promise<void> {
    const { client, now } = this.#tools;
    const lossesMs = [...this.#live.lossesMs, now()];
    const racing = this.#racing();
    const stepOf = ({ runId }: TrainTask) => this.#logs.historyOf(runId).checkpointStep;
    if (!mayTryAgain(lossesMs, now())) {
      const newest = Math.max(0, ...racing.map((entry) => stepOf(entry) ?? 0));
      await this.#interrupt('paused', waitsProblem(lossesMs.length, newest || null, reason));
      return;
    }
    const warnings = this.#begun().map((entry) => ({
      runId: entry.runId,
      event: goesOnWarning(stepOf(entry), reason),
    }));
    this.#patch({
      phase: 'recovering',
      text: `The GPU stopped (${reason}); the race is taken up again`,
      lossesMs,
    });
    try {
      for (const { runId, event } of warnings) {
        await client.request('runs.append', { runId, events: [event] });
      }
    } catch (error) {
      await this.#interrupt('interrupted', toProblemData(error));
      return;
    }
    // The race may have been let go of while the host wrote.
    if (this.#isOver) return;
    this.#record(warnings);
    const entries = racing.map((entry) => ({ ...entry, resume: stepOf(entry) !== null }));
    this.#task = { ...this.#task, entries };
    this.#session.launch({ type: 'race', task: this.#task });
  }

  /** Every run that has begun waits at its last checkpoint for a person. */
  async #interrupt(status: 'interrupted' | 'paused', problem: ProblemData): Promise<void> {
    const begun = this.#begun();
    this.#over(problem);
    for (const { runId } of begun) await this.#update(runId, status, problem);
  }

  #over(problem: ProblemData | null): void {
    if (this.#isOver) return;
    this.end();
    this.#listener.onEnded(this.#live, problem);
  }

  #patch(changes: Partial<LiveRace>): void {
    if (this.#isOver) return;
    this.#live = { ...this.#live, ...changes };
    this.#listener.onChange(this.#live);
  }

  async #update(runId: string, status: RunRecord['status'], problem: ProblemData | null): Promise<void> {
    const { client, putRun } = this.#tools;
    await client.request('runs.update', { runId, status, problem }).then(putRun, () => {});
  }
}
