/** `train`: a run without a screen, with the same loop, files and figures as behind one. */
import { setImmediate } from 'node:timers/promises';
import {
  defaultNetworkOptions,
  type RetinaNetOptions,
  withAnchorScale,
} from '../../../shared/detector/network.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import { changesOf } from '../../../shared/training/changes.ts';
import { type Checkpoint, dataFingerprint } from '../../../shared/training/checkpoint.ts';
import type { HotChange, TrainConfig } from '../../../shared/training/config.ts';
import { RunControl } from '../../../shared/training/control.ts';
import { goesOnWarning } from '../../../shared/training/deviceLoss.ts';
import type { RunEvent, TimedChange } from '../../../shared/training/events.ts';
import { fillFrom, type WeightsSource } from '../../../shared/training/initialise.ts';
import type { Clock, Executor } from '../../../shared/training/ports.ts';
import { type RunOptions, type RunOutcome, runTraining } from '../../../shared/training/run.ts';
import { formatInit, type InitSource, parseInit, startFrom } from '../../../shared/training/startingPoint.ts';
import { requireTrainable } from '../../../shared/training/warnings.ts';
import { Runs } from '../../services/runs/runs.ts';
import type { ProjectStore } from '../../services/store/projectStore.ts';
import { type Compute, openCompute } from '../compute.ts';
import type { Output } from '../output.ts';
import { type ClassedData, projectData, runFilesOf, withClassesOf } from '../runFiles.ts';
import { withProject } from '../session.ts';
import { throughLosses } from '../sittings.ts';
import {
  changeOf,
  computedAs,
  configOf,
  requireOwnSettings,
  resumedConfigOf,
  type TrainOptions,
} from '../trainOptions.ts';
import { describeEvent, describeStep } from '../trainReport.ts';
import { findRun, findWeights, loadRunCheckpoint } from '../weights.ts';

export async function train(
  project: string,
  options: TrainOptions,
  output: Output,
  surroundings: Surroundings = {
    open: () => openCompute(output, options.experimental),
    clock: () => performance.now(),
  },
): Promise<void> {
  // A slip in the options is told before anything is opened.
  const plan = plannerOf(options, output);
  const outcome = await withProject(project, async (store) =>
    watched(store, await plan(store), output, surroundings),
  );
  if (outcome.problem) {
    const { kind, message, remedy, detail } = outcome.problem;
    throw new Problem(kind, message, remedy, detail);
  }
}

function plannerOf(options: TrainOptions, output: Output): (store: ProjectStore) => Promise<Plan> {
  const { resume, replay } = options;
  if (resume !== undefined) {
    requireOwnSettings(options, 'resume');
    return (store) => planResumed(store, resume, options);
  }
  if (replay !== undefined) {
    requireOwnSettings(options, 'replay');
    return (store) => planReplayed(store, replay, options, output);
  }
  const config = configOf(options);
  return (store) => planNew(store, config, options.backbone !== undefined);
}

export interface Plan {
  readonly config: TrainConfig;
  readonly network: RetinaNetOptions;
  readonly data: ClassedData;
  /** The run that goes on; null: a new one. */
  readonly runId: string | null;
  readonly resume?: Checkpoint;
  readonly initial?: WeightsSource;
  /** `RunOptions.changes` */
  readonly changes?: readonly TimedChange[];
  /** What a person changes of the run that goes on, from its first step on. */
  readonly byHand?: HotChange;
}

export async function planNew(
  store: ProjectStore,
  config: TrainConfig,
  backboneGiven: boolean,
): Promise<Plan> {
  const data = projectData(store, config.includeUnreviewed);
  requireTrainable(data);
  const classCount = data.classes.length;
  const source = parseInit(config.init);
  if (source.kind === 'random') {
    const network = withAnchorScale(defaultNetworkOptions(config.backbone, classCount), config.anchorScale);
    return { config, network, data, runId: null };
  }
  const weights = await findWeights(nameOf(source), store);
  const { network, initial } = startFrom(weights, data.classes);
  if (backboneGiven && config.backbone !== network.backbone) {
    throw new Problem(
      'bad-input',
      `${initial.name} has the backbone ${network.backbone}, not ${config.backbone}.`,
      'Leave out --backbone, or start from random weights.',
    );
  }
  const ofThese = { ...config, backbone: network.backbone, init: formatInit(weights.source) };
  return {
    config: ofThese,
    network: withAnchorScale(network, config.anchorScale),
    data,
    runId: null,
    initial,
  };
}

export async function planResumed(
  store: ProjectStore,
  what: string,
  options: TrainOptions = {},
): Promise<Plan> {
  const run = findRun(store, what);
  const config = resumedConfigOf(run.config, options);
  const data = withClassesOf(projectData(store, config.includeUnreviewed), run);
  const resume = await loadRunCheckpoint(store, run);
  const network = resume.meta.network as unknown as RetinaNetOptions;
  const changes = changesOf(await new Runs(store).milestones(run.id));
  return { config, network, data, runId: run.id, resume, changes, byHand: changeOf(options) };
}

/** A new run as that one: its settings, where it started, and its changes at their steps. */
async function planReplayed(
  store: ProjectStore,
  what: string,
  options: TrainOptions,
  output: Output,
): Promise<Plan> {
  const run = findRun(store, what);
  const plan = await planNew(store, computedAs(run.config, options), false);
  const data = withClassesOf(plan.data, run);
  const before = await loadRunCheckpoint(store, run).catch(() => null);
  if (before?.meta.dataFingerprint && before.meta.dataFingerprint !== dataFingerprint(data)) {
    output.warn(`The labels have changed since ${run.id} was trained.`, 'Its steps will come out otherwise.');
  }
  if (before && before.meta.config.steps !== run.config.steps) {
    output.warn(
      `${run.id} went on with another number of steps than its ${run.config.steps}.`,
      'Only those until then come out the same, where the learning rate falls with the steps.',
    );
  }
  return { ...plan, data, changes: changesOf(await new Runs(store).milestones(run.id)) };
}

/** As a person names it. */
function nameOf(source: Exclude<InitSource, { kind: 'random' }>): string {
  if (source.kind === 'file') return source.path;
  return source.kind === 'run' ? source.runId : source.id;
}

/** What a run is computed on, and by which time. */
export interface Surroundings {
  open(): Promise<Compute>;
  readonly clock: Clock;
}

/** One run, told as it goes, from one device to the next where one is lost. */
async function watched(
  store: ProjectStore,
  plan: Plan,
  output: Output,
  { open, clock }: Surroundings,
): Promise<RunOutcome> {
  const control = new RunControl();
  control.change(plan.byHand ?? {});
  const release = stopOnInterrupt(control, output);
  const tell = reporter(plan.config.steps, output);
  const runs = new Runs(store);
  let runId: string | null = null;
  const company: Company = {
    ...{ control, yieldToHost: () => setImmediate(), onPhase: phaseTeller(output) },
    onEvent: (event) => {
      if (event.event === 'start') ({ runId } = event);
      tell(event);
    },
  };
  try {
    return await throughLosses({
      ...{ open, clock, output },
      sit: async (compute) => {
        const next = runId === null ? plan : await planAgain(store, runs, plan, runId);
        return orLost(await carryOut(compute, runs, next, company));
      },
      wayOn: () => `boxwright train ${store.path} --resume ${runId}`,
      shouldStop: () => control.wish === 'stop',
    });
  } finally {
    release();
  }
}

/** The plan of a run that was broken off: from its checkpoint where there is one, else from its start. */
async function planAgain(store: ProjectStore, runs: Runs, plan: Plan, runId: string): Promise<Plan> {
  const { checkpointStep, problem } = findRun(store, runId);
  await runs.append(runId, [goesOnWarning(checkpointStep, problem?.detail ?? '')]);
  if (checkpointStep !== null) return { ...(await planResumed(store, runId)), config: plan.config };
  return { ...plan, runId, changes: changesOf(await runs.milestones(runId)) };
}

/** Throws what a lost device left. */
export function orLost(outcome: RunOutcome): RunOutcome {
  const { problem } = outcome;
  if (problem?.kind !== 'device-lost') return outcome;
  throw new Problem(problem.kind, problem.message, problem.remedy, problem.detail);
}

/** What a run is told from outside while it goes. */
export type Company = Pick<
  RunOptions,
  'control' | 'yieldToHost' | 'onEvent' | 'onPhase' | 'cacheBytes' | 'oneAtATime'
>;

/** The plan's run on a network of its own, from its first event to its row's last change. */
export function carryOut(compute: Compute, runs: Runs, plan: Plan, company: Company): Promise<RunOutcome> {
  return withExecutor(compute, plan, (executor, origin) => trainOn(executor, origin, runs, plan, company));
}

/** The plan's network with the weights that its run starts from, unless it goes on from a checkpoint. */
export async function withExecutor<T>(
  compute: Compute,
  { network, config, data, initial }: Plan,
  work: (executor: Executor, origin: readonly string[] | undefined) => Promise<T>,
): Promise<T> {
  const executor = await compute.createExecutor(network, config);
  try {
    const origin = initial && fillFrom(initial, executor, { network, config, classes: data.classes });
    return await work(executor, origin);
  } finally {
    executor.dispose();
  }
}

async function trainOn(
  executor: Executor,
  origin: readonly string[] | undefined,
  runs: Runs,
  { config, network, data, resume, changes, runId: resumedId }: Plan,
  company: Company,
): Promise<RunOutcome> {
  const { id: runId } = resumedId
    ? await runs.update(resumedId, { status: 'running', problem: null })
    : await runs.create({ config, classIds: [...data.classIds], classNames: [...data.classes] });
  const outcome = await runTraining({
    ...{ runId, config, data, executor, resume, origin, changes, ...company },
    network: { ...network },
    files: runFilesOf(runs, runId),
    clock: () => performance.now(),
  });
  await runs.update(runId, { status: statusOf(outcome), problem: outcome.problem });
  return outcome;
}

function statusOf({ status }: RunOutcome): 'done' | 'stopped' | 'failed' {
  return status === 'finished' ? 'done' : status;
}

/** What takes its time before the first step. */
export function phaseTeller(output: Output): (sentence: string) => void {
  return (sentence) => output.progress(() => `${sentence}…`, 0);
}

/** The first Ctrl+C ends the run after its step, with a checkpoint; the second ends the process. */
export function stopOnInterrupt(control: RunControl, output: Output): () => void {
  const onSignal = () => {
    if (control.wish === 'stop') process.exit(130);
    control.stop();
    output.warn('Stopping after this step, with a checkpoint.', 'Press Ctrl+C again to leave at once.');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}

function reporter(steps: number, output: Output): (event: RunEvent) => void {
  let stepMs: number | null = null;
  return (event) => {
    output.event(event);
    if (event.event === 'step') {
      // A running mean: the first step compiles kernels and says nothing about the others.
      stepMs = stepMs === null || event.step <= 2 ? event.stepMs : 0.9 * stepMs + 0.1 * event.stepMs;
      const secondsLeft = ((steps - event.step) * stepMs) / 1000;
      output.progress(() => describeStep(event, steps, secondsLeft));
      return;
    }
    const line = describeEvent(event);
    if (line !== null) output.say(line);
  };
}
