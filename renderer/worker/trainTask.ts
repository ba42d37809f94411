/** A run in a worker: the data and the files come through the page, the device is this worker's. */
import { defaultNetworkOptions, type RetinaNetOptions } from '../../shared/detector/network.ts';
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import type { RunControl } from '../../shared/training/control.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { fillFrom } from '../../shared/training/initialise.ts';
import type { CheckpointMeta, Executor, RunFiles, TrainingData } from '../../shared/training/ports.ts';
import { type RunOptions, type RunOutcome, runTraining } from '../../shared/training/run.ts';
import { type InitSource, parseInit, startFrom } from '../../shared/training/startingPoint.ts';
import { type OpenedWeights, openWeights } from '../../shared/weights/model/openWeights.ts';
import type { Calls, Post } from './calls.ts';
import { type ObtainedDevice, orLost } from './device.ts';
import { createExecutor, networkOf } from './executor.ts';
import type { TrainTask } from './protocol.ts';

export interface TrainTools {
  readonly calls: Calls;
  readonly post: Post;
  readonly control: RunControl;
  readonly device: ObtainedDevice;
}

/** Resolves when the run has ended, and never where its device was lost: the page ends this worker then. */
export async function trainTask(task: TrainTask, tools: TrainTools): Promise<void> {
  tellOfLoss(tools);
  await trainRun(task, tools);
}

export function tellOfLoss({ post, device }: TrainTools): void {
  void device.lost.then((message) => post({ type: 'device-lost', message }));
}

/** A run from its preparation to its last message. Never rejects; the outcome is that of `runTraining`. */
export async function trainRun(
  task: TrainTask,
  tools: TrainTools,
  options: Pick<RunOptions, 'cacheBytes' | 'yieldToHost'> = { yieldToHost },
): Promise<RunOutcome> {
  const { post, device } = tools;
  let outcome: RunOutcome;
  try {
    outcome = await run(task, tools, options);
    if (outcome.status === 'failed') await orLost(device);
  } catch (error) {
    await orLost(device);
    outcome = await reportFailure(task, tools, toProblemData(error));
  }
  const { status, problem } = outcome;
  post({ type: 'train-ended', runId: task.runId, status, problem });
  return outcome;
}

async function run(
  task: TrainTask,
  tools: TrainTools,
  options: Pick<RunOptions, 'cacheBytes' | 'yieldToHost'>,
): Promise<RunOutcome> {
  const { post, calls, control } = tools;
  const { network, executor, ...start } = await prepare(task, tools);
  post({ type: 'phase', text: 'Reading the first images' });
  try {
    return await runTraining({
      ...options,
      runId: task.runId,
      config: task.config,
      network: { ...network },
      data: trainingData(task, calls),
      executor,
      files: runFiles(task.runId, tools),
      clock: () => performance.now(),
      control,
      ...start,
      onEvent: (event) => postEvent(task.runId, event, tools),
    });
  } finally {
    executor.dispose();
  }
}

interface Prepared {
  readonly network: RetinaNetOptions;
  readonly executor: Executor;
  readonly resume?: Checkpoint;
  /** Which weights it was filled from and how, for the log. */
  readonly origin?: readonly string[];
}

/** The network on the device, with the weights that the run starts from. What was read for them is let go of with this call. */
async function prepare(task: TrainTask, { post, calls, device }: TrainTools): Promise<Prepared> {
  const { config, classes } = task;
  post({ type: 'phase', text: task.resume ? 'Loading the checkpoint' : 'Preparing the network' });
  const resume = task.resume ? await loadCheckpoint(calls, task.runId) : undefined;
  if (resume) {
    const network = networkOf(resume.meta);
    return { network, executor: await createExecutor(network, config, device), resume };
  }
  const source = parseInit(config.init);
  if (source.kind === 'random') {
    const network = defaultNetworkOptions(config.backbone, classes.length);
    return { network, executor: await createExecutor(network, config, device) };
  }
  post({ type: 'phase', text: 'Reading the weights' });
  const { network, initial } = startFrom(await openInitial(calls, source, task.initName), classes);
  post({ type: 'phase', text: 'Preparing the network' });
  const executor = await createExecutor(network, config, device);
  return { network, executor, origin: fillFrom(initial, executor, { network, classes, config }) };
}

/** Nothing of a failure is told before it is known not to be a lost device, from which the run recovers. */
function postEvent(runId: string, event: RunEvent, { post, device }: TrainTools): void {
  if (event.event !== 'failed') post({ type: 'run-event', runId, event });
  else void orLost(device).then(() => post({ type: 'run-event', runId, event }));
}

function trainingData(task: TrainTask, calls: Calls): TrainingData {
  return {
    classes: task.classes,
    train: task.train,
    validation: task.validation,
    async pixels(imageId) {
      const { bytes } = await calls.call('images.pixels', { imageId });
      return bytes;
    },
  };
}

function runFiles(runId: string, { calls, device }: TrainTools): RunFiles {
  return {
    async append(events) {
      if (events.some(({ event }) => event === 'failed')) await orLost(device);
      await calls.call('runs.append', { runId, events: [...events] });
    },
    async saveCheckpoint(step, weights, state, meta) {
      const bytes = new Uint8Array(weights.length + state.length);
      bytes.set(weights);
      bytes.set(state, weights.length);
      const params = { runId, step, meta: { ...meta }, weightsLength: weights.length, bytes };
      return (await calls.call('runs.saveCheckpoint', params)).path;
    },
  };
}

/** The run's newest checkpoint; undefined where it has none yet and starts over. */
async function loadCheckpoint(calls: Calls, runId: string): Promise<Checkpoint | undefined> {
  try {
    const { bytes, weightsLength, meta } = await calls.call('runs.loadCheckpoint', { runId });
    return {
      weights: bytes.slice(0, weightsLength),
      state: bytes.slice(weightsLength),
      meta: meta as unknown as CheckpointMeta,
    };
  } catch (error) {
    if (error instanceof Problem && error.kind === 'not-found') return undefined;
    throw error;
  }
}

async function openInitial(
  calls: Calls,
  source: Exclude<InitSource, { kind: 'random' }>,
  name: string,
): Promise<OpenedWeights> {
  if (source.kind === 'run') {
    const { bytes, weightsLength, meta } = await calls.call('runs.loadCheckpoint', { runId: source.runId });
    return openWeights(bytes.subarray(0, weightsLength), name, meta);
  }
  const { bytes, meta, ...file } = await calls.call('weights.read', { source });
  return openWeights(bytes, file.name, meta);
}

async function reportFailure(
  { runId }: TrainTask,
  { post, calls }: TrainTools,
  problem: ProblemData,
): Promise<RunOutcome> {
  const { kind, message, remedy } = problem;
  const event: RunEvent = { event: 'failed', step: 0, kind, message, remedy };
  post({ type: 'run-event', runId, event });
  await calls.call('runs.append', { runId, events: [event] }).catch(() => {});
  return { status: 'failed', step: 0, checkpointStep: null, AP: null, AP50: null, problem };
}

/** A message to oneself comes after every message that is already waiting, without the 4 ms that nested timers wait. */
const channel = new MessageChannel();
const wakes: (() => void)[] = [];
channel.port1.onmessage = () => wakes.shift()?.();

function yieldToHost(): Promise<void> {
  return new Promise((resolve) => {
    wakes.push(resolve);
    channel.port2.postMessage(null);
  });
}
