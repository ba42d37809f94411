/** `train`: a run without a screen, with the same loop, files and figures as behind one. */
import { setImmediate } from 'node:timers/promises';
import {
  defaultNetworkOptions,
  type RetinaNetOptions,
  withAnchorScale,
} from '../../../shared/detector/network.ts';
import { Problem } from '../../../shared/domain/problem.ts';
import type { Checkpoint } from '../../../shared/training/checkpoint.ts';
import type { TrainConfig } from '../../../shared/training/config.ts';
import { RunControl } from '../../../shared/training/control.ts';
import type { RunEvent } from '../../../shared/training/events.ts';
import { fillFrom, type WeightsSource } from '../../../shared/training/initialise.ts';
import type { Executor } from '../../../shared/training/ports.ts';
import { type RunOutcome, runTraining } from '../../../shared/training/run.ts';
import { formatInit, startFrom } from '../../../shared/training/startingPoint.ts';
import { requireTrainable } from '../../../shared/training/warnings.ts';
import { Runs } from '../../services/runs/runs.ts';
import type { ProjectStore } from '../../services/store/projectStore.ts';
import { openCompute } from '../compute.ts';
import type { Output } from '../output.ts';
import { type ClassedData, projectData, runFilesOf, withClassesOf } from '../runFiles.ts';
import { withProject } from '../session.ts';
import { configOf, requireResumable, resumedConfigOf, type TrainOptions } from '../trainOptions.ts';
import { describeEvent, describeStep } from '../trainReport.ts';
import { findRun, findWeights, loadRunCheckpoint } from '../weights.ts';

export async function train(project: string, options: TrainOptions, output: Output): Promise<void> {
  // A slip in the options is told before anything is opened.
  const config = options.resume === undefined ? configOf(options) : null;
  if (!config) requireResumable(options);
  const outcome = await withProject(project, async (store) => {
    const plan = config
      ? await planNew(store, config, options.backbone !== undefined)
      : await planResumed(store, options);
    return carryOut(store, plan, output);
  });
  if (outcome.problem) {
    const { kind, message, remedy, detail } = outcome.problem;
    throw new Problem(kind, message, remedy, detail);
  }
}

interface Plan {
  readonly config: TrainConfig;
  readonly network: RetinaNetOptions;
  readonly data: ClassedData;
  /** The run that goes on; null: a new one. */
  readonly runId: string | null;
  readonly resume?: Checkpoint;
  readonly initial?: WeightsSource;
}

async function planNew(store: ProjectStore, config: TrainConfig, backboneGiven: boolean): Promise<Plan> {
  const data = projectData(store, config.includeUnreviewed);
  requireTrainable(data);
  const classCount = data.classes.length;
  if (config.init === 'random') {
    const network = withAnchorScale(defaultNetworkOptions(config.backbone, classCount), config.anchorScale);
    return { config, network, data, runId: null };
  }
  const weights = await findWeights(config.init, store);
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

async function planResumed(store: ProjectStore, options: TrainOptions): Promise<Plan> {
  const run = findRun(store, options.resume!);
  const config = resumedConfigOf(run.config, options);
  const data = withClassesOf(projectData(store, config.includeUnreviewed), run);
  const resume = await loadRunCheckpoint(store, run);
  const network = resume.meta.network as unknown as RetinaNetOptions;
  return { config, network, data, runId: run.id, resume };
}

async function carryOut(store: ProjectStore, plan: Plan, output: Output): Promise<RunOutcome> {
  const compute = await openCompute(output);
  try {
    const executor = await compute.createExecutor(plan.network, plan.config);
    try {
      const { network, config, data } = plan;
      const origin =
        plan.initial && fillFrom(plan.initial, executor, { network, config, classes: data.classes });
      return await trainOn(executor, origin, store, plan, output);
    } finally {
      executor.dispose();
    }
  } finally {
    compute.release();
  }
}

async function trainOn(
  executor: Executor,
  origin: readonly string[] | undefined,
  store: ProjectStore,
  { config, network, data, resume, runId: resumedId }: Plan,
  output: Output,
): Promise<RunOutcome> {
  const runs = new Runs(store);
  const { id: runId } = resumedId
    ? await runs.update(resumedId, { status: 'running', problem: null })
    : await runs.create({ config, classIds: [...data.classIds], classNames: [...data.classes] });
  const control = new RunControl();
  const release = stopOnInterrupt(control, output);
  try {
    const outcome = await runTraining({
      ...{ runId, config, data, executor, control, resume, origin },
      network: { ...network },
      files: runFilesOf(runs, runId),
      clock: () => performance.now(),
      yieldToHost: () => setImmediate(),
      onEvent: reporter(config.steps, output),
    });
    await runs.update(runId, { status: statusOf(outcome), problem: outcome.problem });
    return outcome;
  } finally {
    release();
  }
}

function statusOf({ status }: RunOutcome): 'done' | 'stopped' | 'failed' {
  return status === 'finished' ? 'done' : status;
}

/** The first Ctrl+C ends the run after its step, with a checkpoint; the second ends the process. */
function stopOnInterrupt(control: RunControl, output: Output): () => void {
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
