/**
 * What the statistics cost: steps of the same training with all of them and with none, in turn, on one device.
 * `node bench/statistics.ts [STEPS] [--software]` takes so many steps of each (default 30) on this machine's GPU, or on the software
 * adapter, and prints one JSON document. `ratio` is the median over pairs of neighbouring steps, `cpuRatio` compares the least
 * CPU time of each: on a software adapter that is the whole step, and what else the machine is doing shows least in it.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { obtainDevice } from '../electron/terminal/device.ts';
import { defaultNetworkOptions } from '../shared/detector/network.ts';
import { RandomStream } from '../shared/domain/random.ts';
import type { Batch, StepSettings } from '../shared/loss/executor.ts';
import { registerWebGPU } from '../shared/reference/backend.ts';
import { createReferenceExecutor } from '../shared/reference/executor.ts';
import { defaultTrainConfig } from '../shared/training/config.ts';
import { snapshotInterval } from '../shared/training/stepEvents.ts';

const warmUp = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { software: { type: 'boolean', default: false } },
});
const settings: StepSettings = { ...defaultTrainConfig, draw: { seed: 1, step: 1 } };
const pairs = Number(positionals[0] ?? 30);
const device = await obtainDevice({ preferSoftware: values.software });
const watch = await registerWebGPU(device.device, device.adapterInfo);
const cases = [];
for (const classCount of [3, 80]) cases.push(await compare({ sidePx: 160, batch: 2, classCount }));
console.log(
  JSON.stringify({
    adapter: device.name,
    pairs,
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
  const batch = randomBatch(of);
  const interval = snapshotInterval(defaultTrainConfig, of.classCount);
  const run = async (side: 'none' | 'all') => {
    const executor = await createReferenceExecutor({
      ...{ network: defaultNetworkOptions('nano', of.classCount), boxLoss: 'l1', prior: 0.01, seed: 1 },
      ...{ adapter: device.name, software: device.software, watch },
    });
    return { executor, taken: 0, ms: [] as number[], cpuMs: [] as number[], side };
  };
  const runs = [await run('none'), await run('all')] as const;
  const step = async (which: (typeof runs)[number]) => {
    const snapshot = which.side === 'all' && ++which.taken % interval === 0;
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
    await which.executor.step(batch, { ...settings, statistics: which.side, snapshot });
    const { user, system } = process.cpuUsage(startCpu);
    which.ms.push(performance.now() - startMs);
    which.cpuMs.push((user + system) / 1000);
  };
  for (let pair = 0; pair < pairs + warmUp; pair++) {
    // Each goes first as often as the other.
    for (const which of pair % 2 === 0 ? runs : [runs[1], runs[0]]) await step(which);
  }
  for (const { executor } of runs) executor.dispose();
  const [none, all] = [taken(runs[0]), taken(runs[1])];
  return {
    ...of,
    snapshotEvery: interval,
    noneMs: round(median(none.ms)),
    allMs: round(median(all.ms)),
    ratio: round(median(all.ms.map((each, i) => each / none.ms[i]!))),
    cpuRatio: round(Math.min(...all.cpuMs) / Math.min(...none.cpuMs)),
  };
}

/** What was measured after the first steps, in which everything is compiled. */
function taken({ ms, cpuMs }: { readonly ms: readonly number[]; readonly cpuMs: readonly number[] }) {
  return { ms: ms.slice(warmUp), cpuMs: cpuMs.slice(warmUp) };
}

function randomBatch({ sidePx, batch, classCount }: Case): Batch {
  const random = new RandomStream('bench statistics');
  const targets = Array.from({ length: batch }, (_, image) => {
    const boxes = Array.from({ length: 8 }, () => {
      const [x, y, size] = [
        random.between(0, sidePx - 50),
        random.between(0, sidePx - 50),
        random.between(12, 50),
      ];
      return [x, y, x + size, y + size];
    });
    return {
      ...{ imageId: `${image}`, heightPx: sidePx, widthPx: sidePx },
      ...{ originalHeightPx: sidePx, originalWidthPx: sidePx, ignoreBoxes: new Float32Array() },
      boxes: Float32Array.from(boxes.flat()),
      classIndices: Int32Array.from(boxes, () => random.integer(classCount)),
    };
  });
  const images = Float32Array.from({ length: batch * sidePx * sidePx * 3 }, () => random.between(-2, 2));
  return { images, batch, paddedHeight: sidePx, paddedWidth: sidePx, targets };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
