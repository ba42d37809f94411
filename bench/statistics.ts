/**
 * What the statistics cost: steps of the same training without any, with each class's balance, and with the histogram of logits too, in
 * turn, on one device. `node bench/statistics.ts [STEPS] [--software]` takes so many steps of each (default 30) on this machine's GPU, or
 * on the software adapter, and prints one JSON document. With many classes a run counts its logits in some steps only (`countedShare`):
 * the ratios are of steps as a run takes them. `ratio` is the median over neighbouring steps; `cpuRatio` compares sums of CPU time, what
 * snapshots cost and their lines in the log included: on a software adapter that is the whole step.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { obtainDevice } from '../electron/terminal/device.ts';
import { defaultNetworkOptions } from '../shared/detector/network.ts';
import type { Batch, Executor } from '../shared/loss/executor.ts';
import { registerWebGPU } from '../shared/reference/backend.ts';
import { createReferenceExecutor } from '../shared/reference/executor.ts';
import { defaultTrainConfig } from '../shared/training/config.ts';
import { snapshotInterval, statisticsEvent } from '../shared/training/stepEvents.ts';
import { randomBatch } from './stepCases.ts';

const warmUp = 2;
const levels = ['none', 'balance', 'all'] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { software: { type: 'boolean', default: false } },
});
// Whole snapshots, so that what one costs is in the sums.
const rounds =
  Math.ceil(Number(positionals[0] ?? 30) / defaultTrainConfig.statisticsEvery) *
  defaultTrainConfig.statisticsEvery;
const device = await obtainDevice({ preferSoftware: values.software });
const watch = await registerWebGPU(device.device, device.adapterInfo);
const cases = [];
for (const classCount of [3, 80]) cases.push(await compare({ sidePx: 160, batch: 2, classCount }));
console.log(
  JSON.stringify({
    adapter: device.name,
    rounds,
    cases,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    load: loadavg()[0],
  }),
);
device.release();

interface Case {
  readonly sidePx: number;
  readonly batch: number;
  readonly classCount: number;
}

async function compare(of: Case) {
  const batch = randomBatch({ ...of, network: defaultNetworkOptions('nano', of.classCount) });
  const interval = snapshotInterval(defaultTrainConfig, of.classCount);
  const runs = await Promise.all(levels.map((statistics) => newRun(statistics, of.classCount)));
  for (let round = 0; round < rounds + warmUp; round++) {
    // Each goes first as often as the others.
    for (let place = 0; place < runs.length; place++) await step(runs[(round + place) % runs.length]!, batch);
  }
  for (const { executor } of runs) executor.dispose();
  const [none, balance, all] = runs.map(({ ms, cpuMs }) => ({
    ms: ms.slice(warmUp), // shaders are compiled in the first steps
    cpuMs: cpuMs.slice(warmUp),
  })) as [Taken, Taken, Taken];
  const countedShare = defaultTrainConfig.statisticsEvery / interval;
  const mixed = (ratio: (of: Taken) => number) =>
    rounded(countedShare * ratio(all) + (1 - countedShare) * ratio(balance));
  return {
    ...of,
    countedShare,
    noneMs: rounded(median(none.ms)),
    allMs: rounded(median(all.ms)),
    ratio: mixed(({ ms }) => median(ms.map((each, i) => each / none.ms[i]!))),
    cpuRatio: mixed(({ cpuMs }) => sum(cpuMs) / sum(none.cpuMs)),
  };
}

interface Taken {
  readonly ms: number[];
  readonly cpuMs: number[];
}

interface Run extends Taken {
  readonly executor: Executor;
  readonly statistics: (typeof levels)[number];
  readonly classNames: readonly string[];
}

async function newRun(statistics: Run['statistics'], classCount: number): Promise<Run> {
  const executor = await createReferenceExecutor({
    ...{ network: defaultNetworkOptions('nano', classCount), boxLoss: 'l1', prior: 0.01, seed: 1 },
    ...{ adapter: device.name, software: device.software, watch },
  });
  const classNames = Array.from({ length: classCount }, (_, index) => `class ${index}`);
  return { executor, statistics, classNames, ms: [], cpuMs: [] };
}

async function step({ executor, statistics, classNames, ms, cpuMs }: Run, batch: Batch): Promise<void> {
  const snapshot = statistics === 'all' && (ms.length + 1) % defaultTrainConfig.statisticsEvery === 0;
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  const report = await executor.step(batch, { ...defaultTrainConfig, statistics, snapshot });
  if (report.snapshot) JSON.stringify(statisticsEvent(report.snapshot, ms.length, classNames));
  const { user, system } = process.cpuUsage(startCpu);
  ms.push(performance.now() - startMs);
  cpuMs.push((user + system) / 1000);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
