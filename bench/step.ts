/**
 * A training step as stock tfjs, our reference and the engine take it: the same network, weights and batch, in turn, on one device.
 * `node bench/step.ts [--cases r18@128x2,nano@160x2] [--sides stock,reference,engine] [--steps N] [--software] [--null] [--torch FILE] [--json]`
 *
 * Step times are medians of N turns on this machine's best adapter (`--software`: on SwiftShader). On a GPU a turn is several steps as
 * training takes them: the next is asked for before the last is read, where a side can do that. Dispatches, submits and memory are counted
 * at WebGPU itself. JavaScript is timed on Dawn's null backend, where a step is nothing else; `--null` does that alone. `--torch`: the lines
 * that torch_baseline.py printed, whose times then stand beside.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { buildRetinaNet } from '../shared/detector/network.ts';
import { type BenchDevice, openBest } from './benchDevice.ts';
import { type Meter, meterWebGPU } from './meter.ts';
import { type StepCase, stepCase } from './stepCases.ts';
import { stepFlops } from './stepFlops.ts';
import { measureScript, measureSteps, type Pace } from './stepMeasure.ts';
import { type SideName, sideNames } from './stepSides.ts';
import { type CaseFigures, contractLine, type SideFigures, tableOf } from './stepTable.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    sides: { type: 'string', default: sideNames.join() },
    steps: { type: 'string' },
    software: { type: 'boolean', default: false },
    null: { type: 'boolean', default: false },
    torch: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

if (values.json) console.log = console.error; // what libraries say is no JSON
const names = values.sides.split(',').map(sideName);
const real = values.null ? null : await openBest(values.software);
const adapter = real?.name ?? 'null backend';
const meter = meterWebGPU();
const cases: CaseFigures[] = [];
for (const name of (values.cases ?? defaultCases(real)).split(',')) {
  const of = stepCase(name);
  const gflop = stepFlops(buildRetinaNet(of.network), of.sidePx, of.batch) / 1e9;
  const figures = { name, gflop, torchMs: torchMs(of), sides: await measureCase(of, real, meter) };
  cases.push(figures);
  if (!values.json) console.log(tableOf(figures));
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] };
if (values.json) process.stdout.write(`${JSON.stringify(contractLine(adapter, machine, cases))}\n`);
else console.log(`${adapter}; ${machine.cores} cores of ${machine.cpu}, load ${machine.load?.toFixed(2)}`);
real?.release();

async function measureCase(of: StepCase, real: BenchDevice | null, meter: Meter): Promise<SideFigures[]> {
  const script = [];
  for (const side of names)
    script.push(await measureScript(of, side, { warmUp: 3, turns: 15, steps: 1 }, meter));
  const computed = real && (await measureSteps(of, real, names, pace(real), meter));
  return script.map((each, index) => {
    const taken = computed?.[index];
    return { ...(taken ?? each), stepMs: taken?.ms ?? null, jsMs: each.ms };
  });
}

function pace({ software }: BenchDevice): Pace {
  const turns = values.steps ? Number(values.steps) : null;
  return software ? { warmUp: 1, turns: turns ?? 3, steps: 1 } : { warmUp: 5, turns: turns ?? 10, steps: 5 };
}

function sideName(name: string): SideName {
  const side = sideNames.find((each) => each === name);
  if (!side) throw new Error(`There is no side ${name}: it is one of ${sideNames.join(', ')}.`);
  return side;
}

/** What a device computes in bearable time. */
function defaultCases(real: BenchDevice | null): string {
  if (!real) return 'r18@512x1,r18@512x4,r18@800x1';
  return real.software ? 'nano@160x2,r18@128x2' : 'nano@160x2,r18@128x2,r18@512x1,r18@512x4';
}

type TorchLine = Record<'backbone' | 'side' | 'batch' | 'precision', unknown> & { step_ms_median: number };

/** PyTorch's median in full precision for the same network, frame and batch. */
function torchMs({ name }: StepCase): number | null {
  if (!values.torch) return null;
  const lines = readFileSync(values.torch, 'utf8').split('\n').filter(Boolean);
  const same = lines
    .map((line) => JSON.parse(line) as TorchLine)
    .find(
      ({ backbone, side, batch, precision }) =>
        `${backbone}@${side}x${batch} ${precision}` === `${name} fp32`,
    );
  return same?.step_ms_median ?? null;
}
