/** One sitting of a race: what has to be found out before the first step, then every run that has not ended. */
import { setImmediate } from 'node:timers/promises';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { firstStepRows } from '../../shared/race/firstStepFigures.ts';
import { runRace } from '../../shared/race/runRace.ts';
import { competitorNames } from '../../shared/race/strategyList.ts';
import { forgottenFiles, tuneLearningRate } from '../../shared/race/tuneLearningRate.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import { RunControl } from '../../shared/training/control.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { measureFirstStep } from '../../shared/training/measureFirstStep.ts';
import { runTraining } from '../../shared/training/run.ts';
import type { Races } from '../services/races/races.ts';
import type { Runs } from '../services/runs/runs.ts';
import type { ProjectStore } from '../services/store/projectStore.ts';
import { carryOut, type Plan, planResumed, stopOnInterrupt, withExecutor } from './commands/train.ts';
import type { Compute } from './compute.ts';
import type { Output } from './output.ts';
import { describeFirstStep, describeTrial } from './raceReport.ts';
import { withClassesOf } from './runFiles.ts';
import { describeEvent, describeStep } from './trainReport.ts';

/** What images at the network's scale may take in memory, all that race at once together. */
const cacheBytes = 512 * 1024 * 1024;

export interface RaceTools {
  readonly store: ProjectStore;
  readonly runs: Runs;
  readonly races: Races;
  readonly compute: Compute;
  readonly output: Output;
  /** What a competitor without a checkpoint starts from. */
  fresh(): Promise<Plan>;
}

export class RaceSitting {
  readonly #tools: RaceTools;
  #race: RaceRecord;
  readonly #names: ReadonlyMap<string, string>;
  /** One wish for all: whoever is stopped, the race is. */
  readonly #control = new RunControl();

  constructor(tools: RaceTools, race: RaceRecord) {
    this.#tools = tools;
    this.#race = race;
    const runs = tools.races.runsOf(race);
    const names = competitorNames(runs.map(({ config }) => config));
    this.#names = new Map(runs.map(({ id }, index) => [id, names[index]!]));
  }

  /** Until all have ended, or Ctrl+C has ended them. Resolves to the race as it is then. */
  async hold(tuneSteps: number | null): Promise<RaceRecord> {
    const release = stopOnInterrupt(this.#control, this.#tools.output);
    try {
      if (!this.#race.firstStep) await this.#measureFirstStep();
      if (tuneSteps !== null) for (const run of this.#untuned()) await this.#tune(run, tuneSteps);
      await this.#run();
      return this.#race;
    } finally {
      release();
    }
  }

  async #measureFirstStep(): Promise<void> {
    const { compute, races, output } = this.#tools;
    const plan = await this.#tools.fresh();
    const firstStep = await withExecutor(compute, plan, (executor) =>
      measureFirstStep(executor, plan.config, plan.data, {
        onProgress: (done, total) => output.progress(() => `first step: batch ${done} of ${total}`),
      }),
    );
    this.#race = await races.update(this.#race.id, { firstStep });
    for (const line of describeFirstStep(firstStepRows(firstStep))) output.say(line);
  }

  #untuned(): RunRecord[] {
    const runs = this.#tools.races.runsOf(this.#race);
    return runs.filter((run, index) => run.step === 0 && this.#race.entries[index]!.trials.length === 0);
  }

  /** By short runs that are not kept. Where it is stopped on the way, nothing is. */
  async #tune(run: RunRecord, steps: number): Promise<void> {
    const { races, output } = this.#tools;
    const name = this.#names.get(run.id)!;
    const tuned = await tuneLearningRate({
      ...{ config: run.config, steps },
      run: (config) => this.#tryOut(run, config),
      onTrial: (trial) => {
        output.event({ strategy: name, runId: run.id, event: 'trial', ...trial });
        output.say(`${name}: ${describeTrial(trial)}`);
      },
      shouldStop: () => this.#isStopped,
    });
    if (tuned) this.#race = await races.update(this.#race.id, { tuned: { runId: run.id, ...tuned } });
  }

  async #tryOut(run: RunRecord, config: TrainConfig): Promise<RunEvent[]> {
    const { compute, output } = this.#tools;
    const name = this.#names.get(run.id)!;
    const plan = { ...(await this.#planOf(run)), config };
    const events: RunEvent[] = [];
    await withExecutor(compute, plan, (executor) =>
      runTraining({
        ...{ runId: run.id, config, data: plan.data, executor, control: this.#control },
        ...{ files: forgottenFiles, cacheBytes, clock: () => performance.now() },
        network: { ...plan.network },
        yieldToHost: () => setImmediate(),
        onEvent: (event) => {
          events.push(event);
          if (event.event !== 'step') return;
          output.progress(
            () => `${name}, rate ${config.learningRate}: ${describeStep(event, config.steps, null)}`,
          );
        },
      }),
    );
    return events;
  }

  async #run(): Promise<void> {
    const { compute, races, runs } = this.#tools;
    const { order } = this.#race;
    const racing = races.runsOf(this.#race).filter((run) => !hasEnded(run));
    const share = order === 'turns' ? cacheBytes : cacheBytes / racing.length;
    const progress = new Progress(racing);
    const competitors = racing.map((run) => ({
      key: run.id,
      start: async (yieldToHost: () => Promise<void>) =>
        carryOut(compute, runs, await this.#planOf(run), {
          ...{ control: this.#control, yieldToHost, cacheBytes: share },
          onEvent: (event) => this.#tell(run, event, progress),
        }),
    }));
    const outcomes = await runRace(competitors, {
      ...{ order, yieldToHost: () => setImmediate(), shouldStop: () => this.#isStopped },
    });
    for (const [runId, outcome] of outcomes) {
      // Who could not even begin has nobody else to write it down.
      const { problem } = outcome ?? {};
      if (problem) await runs.update(runId, { status: 'failed', problem });
    }
  }

  async #planOf(run: RunRecord): Promise<Plan> {
    if (run.checkpointStep !== null) return planResumed(this.#tools.store, run.id);
    const fresh = await this.#tools.fresh();
    return { ...fresh, config: run.config, data: withClassesOf(fresh.data, run), runId: run.id };
  }

  #tell(run: RunRecord, event: RunEvent, progress: Progress): void {
    const { output } = this.#tools;
    const name = this.#names.get(run.id)!;
    output.event({ strategy: name, runId: run.id, ...event });
    if (event.event === 'step') {
      const secondsLeft = progress.secondsLeftAfter(event.stepMs);
      output.progress(() => `${name}: ${describeStep(event, run.config.steps, secondsLeft)}`);
      return;
    }
    const line = event.event === 'failed' ? `${event.message}\n→ ${event.remedy}` : describeEvent(event);
    if (line !== null) output.say(`${name}: ${line}`);
  }

  get #isStopped(): boolean {
    return this.#control.wish === 'stop';
  }
}

/** What was not finite would not be so again. */
function hasEnded({ status, problem }: RunRecord): boolean {
  return status === 'done' || (status === 'failed' && problem?.kind === 'not-finite');
}

/** How long the rest of the race takes, by the mean of its steps. */
class Progress {
  #stepsLeft: number;
  #steps = 0;
  #ms = 0;

  constructor(racing: readonly RunRecord[]) {
    this.#stepsLeft = racing.reduce(
      (sum, { config, checkpointStep }) => sum + config.steps - (checkpointStep ?? 0),
      0,
    );
  }

  secondsLeftAfter(stepMs: number): number {
    this.#stepsLeft--;
    this.#steps++;
    this.#ms += stepMs;
    return (this.#stepsLeft * this.#ms) / this.#steps / 1000;
  }
}
