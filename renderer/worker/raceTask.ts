/** A race in a worker: several runs on this worker's one device, in turns or step by step, and what is found out before them. */
import type { RequestParams } from '../../shared/contract/requests.ts';
import { strategies } from '../../shared/loss/strategies.ts';
import { runRace } from '../../shared/race/runRace.ts';
import { forgottenFiles, trialFactors, tuneLearningRate } from '../../shared/race/tuneLearningRate.ts';
import type { TrainConfig } from '../../shared/training/config.ts';
import type { RunEvent } from '../../shared/training/events.ts';
import { measureFirstStep } from '../../shared/training/measureFirstStep.ts';
import type { YieldToHost } from '../../shared/training/ports.ts';
import { orLost } from './device.ts';
import { prepareStart } from './prepare.ts';
import type { RaceTask, TrainTask } from './protocol.ts';
import { run, type TrainTools, tellOfLoss, trainingData, trainRun, yieldToHost } from './trainTask.ts';

/** What the images at the network's scale may take in memory, all competitors together. */
const cacheBytes = 768 * 1024 * 1024;

/** Resolves when every run has ended, and never where the device was lost: the page ends this worker then. */
export async function raceTask(task: RaceTask, tools: TrainTools): Promise<void> {
  const { order } = task;
  tellOfLoss(tools);
  const shouldStop = () => tools.control.wish === 'stop';
  try {
    if (task.measureFirstStep) await measure(task, tools);
    const entries: TrainTask[] = [];
    for (const entry of task.entries) entries.push(await tuned(entry, task, tools));
    const share = order === 'turns' ? cacheBytes : cacheBytes / entries.length;
    const competitors = entries.map((entry) => ({
      key: entry.runId,
      start: (pass: YieldToHost) =>
        trainRun(entry, tools, {
          ...{ yieldToHost: pass, cacheBytes: share },
          oneAtATime: order === 'interleaved',
        }),
    }));
    await runRace(competitors, { order, yieldToHost, shouldStop });
    tools.post({ type: 'race-ended', problem: null });
  } catch (error) {
    await orLost(tools.device);
    throw error;
  }
}

/** Where the logits lie before the first step. All competitors start from the same weights, but for their prior, which can be reckoned with. */
async function measure(task: RaceTask, tools: TrainTools): Promise<void> {
  const [entry] = task.entries;
  if (!entry) return;
  const { executor } = await prepareStart(entry, tools);
  try {
    tools.post({ type: 'phase', text: 'Looking at the first images' });
    const firstStep = await measureFirstStep(executor, entry.config, trainingData(entry, tools.calls));
    await update({ raceId: task.raceId, firstStep }, null, tools);
  } finally {
    executor.dispose();
  }
}

/** The competitor with the learning rate that its trials chose, where it is to have any. */
async function tuned(entry: TrainTask, { raceId, tune }: RaceTask, tools: TrainTools): Promise<TrainTask> {
  const { runId, config } = entry;
  if (!tune?.runIds.includes(runId)) return entry;
  let count = 0;
  const found = await tuneLearningRate({
    config,
    steps: tune.steps,
    run: (trialConfig) => {
      const { label } = strategies[config.loss];
      const text = `${label}: trying the learning rate ${trialConfig.learningRate} (${++count} of ${trialFactors.length})`;
      return trial({ ...entry, config: trialConfig }, tools, text);
    },
    shouldStop: () => tools.control.wish === 'stop',
  });
  if (!found) return entry;
  const { learningRate, trials } = found;
  await update({ raceId, tuned: { runId, learningRate, trials } }, { runId, learningRate }, tools);
  return { ...entry, config: { ...config, learningRate } };
}

/** A run that nobody keeps. */
async function trial(entry: TrainTask, tools: TrainTools, text: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => {
    events.push(event);
    if (event.event === 'start') tools.post({ type: 'phase', text });
  };
  const { status } = await run(entry, tools, { yieldToHost, files: forgottenFiles, onEvent });
  if (status === 'failed') await orLost(tools.device);
  return events;
}

async function update(
  params: RequestParams<'races.update'>,
  tuned: { runId: string; learningRate: TrainConfig['learningRate'] } | null,
  { calls, post }: TrainTools,
): Promise<void> {
  post({ type: 'race-updated', race: await calls.call('races.update', params), tuned });
}
