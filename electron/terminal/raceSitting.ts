/** One sitting of a race: what has to be found out before the first step, then every run that has not ended. */
import { setImmediate } from 'node:timers/promises';
import type { RaceRecord, RunRecord } from '../../shared/contract/schemas.ts';
import { Problem } from '../../shared/domain/problem.ts';
import { firstStepRows } from '../../shared/race/firstStepFigures.ts';
import { runRace } from '../../shared/race/runRace.ts';
import { competitorNames } from '../../shared/race/strategyList.ts';
import { forgottenFiles, tuneLearningRate } from '../../shared/race/tuneLearningRate.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { RunControl } from '../../shared/training/control.ts';
import { goesOnWarning } from '../../shared/training/deviceLoss.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { measureFirstStep } from '../../shared/training/measureFirstStep.ts';
import { type RunOutcome, runTraining } from '../../shared/training/run.ts';
import type { Races } from '../services/races/races.ts';
import type { Runs } from '../services/runs/runs.ts';
import type { ProjectStore } from '../services/store/projectStore.ts';
import {
  type Company,
  carryOut,
  orLost,
  type Plan,
  phaseTeller,
  planResumed,
  withExecutor,
} from './commands/train.ts';
import type { Compute } from './compute.ts';
import type { Output } from './output.ts';
import { describeFirstStep, describeTrial } from './raceReport.ts';
import { withClassesOf } from './runFiles.ts';
import { type ComputeOptions, computedAs } from './trainOptions.ts';
import { describeEvent, describeStep } from './trainReport.ts';

/** What images at the network's scale may take in memory, all that race at once together. */
const cacheBytes = 512 * 1024 * 1024;

export interface RaceTools {
  readonly store: ProjectStore;
  readonly runs: Runs;
  readonly races: Races;
  readonly compute: Compute;
  readonly output: Output;
  /** One wish for all: whoever is stopped, the race is. */
  readonly control: RunControl;
  /** What of the command line may differ from what the race began with. */
  readonly options: ComputeOptions;
  /** A device was lost in the sitting before. */
  readonly isAgain: boolean;
  /** What a competitor without a checkpoint starts from. */
  fresh(): Promise<Plan>;
}

export class RaceSitting {
  readonly #tools: RaceTools;
  #race: RaceRecord;
  readonly #names: ReadonlyMap<string, string>;
  #loss: Problem | null = null;

  constructor(tools: RaceTools, race: RaceRecord) {
    this.#tools = tools;
    this.#race = race;
    const runs = tools.races.runsOf(race);
    const names = competitorNames(runs.map(({ config }) => config));
    this.#names = new Map(runs.map(({ id }, index) => [id, names[index]!]));
  }

  /** As it is by now. */
  get race(): RaceRecord {
    return this.#race;
  }

  /** Until all have ended, or Ctrl+C has ended them. Throws `device-lost`: another sitting goes on from there. */
  async hold(tuneSteps: number | null): Promise<void> {
    if (!this.#race.firstStep) await this.#measureFirstStep();
    if (tuneSteps !== null) for (const run of this.#untuned()) await this.#tune(run, tuneSteps);
    await this.#run();
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
    const outcome = await withExecutor(compute, plan, (executor) =>
      runTraining({
        ...{ runId: run.id, config, data: plan.data, executor, control: this.#tools.control },
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
    orLost(outcome);
    return events;
  }

  async #run(): Promise<void> {
    const { control, races, runs, output } = this.#tools;
    const { order } = this.#race;
    const racing = races.runsOf(this.#race).filter((run) => !hasEnded(run));
    const share = order === 'turns' ? cacheBytes : cacheBytes / racing.length;
    const progress = new Progress(racing);
    const competitors = racing.map((run) => ({
      key: run.id,
      start: (yieldToHost: () => Promise<void>) =>
        this.#start(run, {
          ...{ control, yieldToHost, cacheBytes: share, onPhase: phaseTeller(output) },
          oneAtATime: order === 'interleaved',
          onEvent: (event) => this.#tell(run, event, progress),
        }),
    }));
    const outcomes = await runRace(competitors, {
      ...{ order, yieldToHost: () => setImmediate() },
      shouldStop: () => this.#isStopped || this.#loss !== null,
    });
    for (const [runId, outcome] of outcomes) {
      // Who could not even begin has nobody else to write it down.
      const { problem } = outcome ?? {};
      if (problem) await runs.update(runId, { status: 'failed', problem });
    }
    if (this.#loss) throw this.#loss;
  }

  async #start(run: RunRecord, company: Company): Promise<RunOutcome> {
    const { compute, runs, isAgain } = this.#tools;
    const { problem, checkpointStep } = run;
    if (isAgain && problem?.kind === 'device-lost') {
      await runs.append(run.id, [goesOnWarning(checkpointStep, problem.detail)]);
    }
    try {
      return orLost(await carryOut(compute, runs, await this.#planOf(run), company));
    } catch (error) {
      if (error instanceof Problem && error.kind === 'device-lost') this.#loss = error;
      throw error;
    }
  }

  async #planOf(run: RunRecord): Promise<Plan> {
    const { store, options } = this.#tools;
    if (run.checkpointStep !== null) return planResumed(store, run.id, options);
    const fresh = await this.#tools.fresh();
    const data = withClassesOf(fresh.data, run);
    return { ...fresh, config: computedAs(run.config, options), data, runId: run.id };
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
    return this.#tools.control.wish === 'stop';
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
