/** The real detector goes on from a checkpoint as if nothing had happened, to the last bit of every weight. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defaultNetworkOptions } from '../../shared/detector/network.ts';
import type { Checkpoint } from '../../shared/training/checkpoint.ts';
import { defaultTrainConfig, type TrainConfig } from '../../shared/training/config.ts';
import { RunControl } from '../../shared/training/control.ts';
import { runTraining } from '../../shared/training/run.ts';
import { type Bench, openBench } from './sampleData.ts';

const config: TrainConfig = {
  ...defaultTrainConfig,
  steps: 8,
  minSizePx: 96,
  maxSizePx: 96,
  warmupSteps: 3,
  evaluateEvery: 0,
};

let bench: Bench;

beforeAll(async () => {
  bench = await openBench(12);
});
afterAll(() => bench?.close());

/** Trains until `stopAt` and returns the last checkpoint. */
async function trainTo(stopAt: number, resume?: Checkpoint): Promise<Checkpoint> {
  const data = { ...bench.data(5), validation: [] };
  const network = defaultNetworkOptions('nano', data.classes.length);
  const executor = await bench.createExecutor(network, config);
  const control = new RunControl();
  const saved: Checkpoint[] = [];
  const outcome = await runTraining({
    ...{ runId: 'resume', config, data, executor, control, resume, network: { ...network } },
    files: {
      append: async () => {},
      saveCheckpoint: async (step, weights, state, meta) => {
        saved.push({ weights, state, meta: JSON.parse(JSON.stringify(meta)) });
        return `step-${step}`;
      },
    },
    clock: () => performance.now(),
    yieldToHost: () => setImmediate(),
    onEvent: (event) => {
      if (event.event === 'step' && event.step === stopAt) control.stop();
    },
  });
  executor.dispose();
  expect(outcome.problem).toBeNull();
  return saved.at(-1)!;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

it('has the same weights after 8 steps as after a stop in between and the rest', async () => {
  const whole = await trainTo(8);
  const half = await trainTo(4);
  const resumed = await trainTo(8, half);
  // Two more were under way.
  expect(half.meta.step).toBe(6);
  expect(resumed.meta.step).toBe(8);
  expect(sha256(half.weights)).not.toBe(sha256(whole.weights));
  expect(sha256(resumed.weights)).toBe(sha256(whole.weights));
  expect(sha256(resumed.state)).toBe(sha256(whole.state));
});
