/** A run in a worker: the data and the files come through the page, the device is this worker's. */
import { Problem, type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import type { RunControl } from '../../shared/training/control.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import type { CheckpointMeta, RunFiles, TrainingData } from '../../shared/training/ports.ts';
import { type RunOptions, type RunOutcome, runTraining } from '../../shared/training/run.ts';
import type { Calls } from './calls.ts';
import { orLost } from './device.ts';
import { createExecutor, networkOf } from './executor.ts';
import { type Prepared, type PrepareTools, prepareStart } from './prepare.ts';
import type { TrainTask } from './protocol.ts';

export interface TrainTools extends PrepareTools {
  readonly control: RunControl;
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
  options: Pick<RunOptions, 'cacheBytes' | 'yieldToHost' | 'oneAtATime'> = { yieldToHost },
): Promise<RunOutcome> {
  const { post, device } = tools;
  const { runId } = task;
  const files = runFiles(runId, tools);
  let outcome: RunOutcome;
  try {
    const onEvent = (event: RunEvent) => postEvent(runId, event, tools);
    outcome = await run(task, tools, { ...options, files, onEvent });
    if (outcome.status === 'failed') await orLost(device);
  } catch (error) {
    await orLost(device);
    outcome = await reportFailure(task, tools, toProblemData(error));
  }
  const { status, problem } = outcome;
  post({ type: 'train-ended', runId, status, problem });
  return outcome;
}

/** The run from its preparation to its end, with what is kept of it and who is told of it. */
export async function run(
  task: TrainTask,
  tools: TrainTools,
  options: Pick<RunOptions, 'cacheBytes' | 'yieldToHost' | 'oneAtATime' | 'files' | 'onEvent'>,
): Promise<RunOutcome> {
  const { post, calls, control } = tools;
  const { network, executor, ...start } = await prepare(task, tools);
  post({ type: 'phase', text: 'Reading the first images' });
  try {
    return await runTraining({
      ...options,
      runId: task.runId,
      config: task.config,
      changes: task.changes,
      network: { ...network },
      data: trainingData(task, calls),
      executor,
      onPhase: (text) => post({ type: 'phase', text }),
      clock: () => performance.now(),
      control,
      ...start,
    });
  } finally {
    executor.dispose();
  }
}

/** The network on the device as the run starts or goes on. */
async function prepare(task: TrainTask, tools: TrainTools): Promise<Prepared & { resume?: Checkpoint }> {
  if (!task.resume) return prepareStart(task, tools);
  tools.post({ type: 'phase', text: 'Loading the checkpoint' });
  const resume = await loadCheckpoint(tools.calls, task.runId);
  if (!resume) return prepareStart(task, tools);
  const network = networkOf(resume.meta);
  return { network, executor: await createExecutor(network, task.config, tools), resume };
}

/** Nothing of a failure is told before it is known not to be a lost device, from which the run recovers. */
function postEvent(runId: string, event: RunEvent, { post, device }: TrainTools): void {
  if (event.event !== 'failed') post({ type: 'run-event', runId, event });
  else void orLost(device).then(() => post({ type: 'run-event', runId, event }));
}

export function trainingData(
  task: Pick<TrainTask, 'classes' | 'train' | 'validation'>,
  calls: Calls,
): TrainingData {
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

export function yieldToHost(): Promise<void> {
  return new Promise((resolve) => {
    wakes.push(resolve);
    channel.port2.postMessage(null);
  });
}
