/** A race in a worker: several runs on this worker's one device, in turns or step by step. */
import { runRace } from '../../shared/race/runRace.ts';
import type { YieldToHost } from '../../shared/training/ports.ts';
import type { RaceTask } from './protocol.ts';
import { type TrainTools, tellOfLoss, trainRun, yieldToHost } from './trainTask.ts';

/** What the images at the network's scale may take in memory, all competitors together. */
const cacheBytes = 768 * 1024 * 1024;

/** Resolves when every run has ended, and never where the device was lost: the page ends this worker then. */
export async function raceTask(task: RaceTask, tools: TrainTools): Promise<void> {
  tellOfLoss(tools);
  const share = task.order === 'turns' ? cacheBytes : cacheBytes / task.entries.length;
  const competitors = task.entries.map((entry) => ({
    key: entry.runId,
    start: (pass: YieldToHost) => trainRun(entry, tools, { yieldToHost: pass, cacheBytes: share }),
  }));
  const shouldStop = () => tools.control.wish === 'stop';
  await runRace(competitors, { order: task.order, yieldToHost, shouldStop });
  tools.post({ type: 'race-ended', problem: null });
}
