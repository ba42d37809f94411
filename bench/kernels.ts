/**
 * Convolutions in every way the engine can compute them, beside stock tfjs and the device's own peak.
 * `node bench/kernels.ts [--cases r18@128x2,nano@160x2] [--kinds forward,input gradient,filter gradient] [--most N] [--turns N] [--software] [--as-gpu] [--json]`
 *
 * Of each kind those N shapes of a step (default 4) that it spends most on. Times are medians of turns (6) that all take one after the other;
 * an engine's kernel has everything with it that a step fuses into it, tfjs's is the convolution alone. `of peak`: of the multiply-adds
 * that the device makes in registers, measured in between. `--as-gpu`: on a software adapter, the ways in which a GPU may compute.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { EngineDevice } from '../shared/engine/device/engineDevice.ts';
import { copyProbe, multiplyAddProbe } from '../shared/engine/kernels/probe.ts';
import { lowerVariant, variantsOf } from '../shared/engine/tuner/trials.ts';
import { type BenchDevice, openBest } from './benchDevice.ts';
import { type Convolution, convolutionsOf, type Kind, kinds } from './kernelShapes.ts';
import { engineSide, registerStock, type Side, stockSide } from './kernelSides.ts';
import { stepCase } from './stepCases.ts';
import { aligned, text } from './stepTable.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    kinds: { type: 'string', default: Object.keys(kinds).join() },
    most: { type: 'string', default: '4' },
    turns: { type: 'string', default: '6' },
    software: { type: 'boolean', default: false },
    'as-gpu': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** A turn takes about this long, many times what asking the device costs. */
const turnMs = 10;

if (values.json) console.log = console.error; // what libraries say is no JSON
const on = await openBest(values.software);
const software = on.software && !values['as-gpu'];
const engine = new EngineDevice(on.device, { software, clock: () => performance.now() });
const wanted = values.kinds.split(',').map(kindNamed);
await registerStock(on);

const cases = [];
for (const name of (values.cases ?? defaultCases(on)).split(',')) {
  const kernels: KernelFigures[] = [];
  for (const each of convolutionsOf(stepCase(name), Number(values.most))) {
    if (!wanted.includes(each.kind)) continue;
    const figures = await measure(each);
    if (!values.json) console.log(tableOf(name, figures));
    kernels.push(figures);
  }
  cases.push({ case: name, kernels });
}
const copy = copyProbe(engine.facts);
const copySide = await engineSide('copy', [copy.call], engine);
const gigabytesPerSecond = copy.bytes / (await medians([copySide]))[0]! / 1e6;
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] };
if (values.json) {
  process.stdout.write(`${JSON.stringify({ adapter: on.name, gigabytesPerSecond, cases, ...machine })}\n`);
} else {
  const memory = `memory ${text(gigabytesPerSecond)} GB/s`;
  console.log(
    `${on.name}; ${memory}; ${machine.cores} cores of ${machine.cpu}, load ${machine.load?.toFixed(2)}`,
  );
}
await engine.dispose();
on.release();

interface VariantFigures {
  readonly variant: string;
  readonly ms: number;
  readonly gflops: number;
  readonly ofPeak: number;
  /** Stock tfjs's time by this. */
  readonly ratio: number;
}

interface KernelFigures extends Pick<Convolution, 'kind' | 'label' | 'count'> {
  readonly gflop: number;
  readonly peakGflops: number;
  readonly stockMs: number;
  /** The first is the default. */
  readonly variants: readonly VariantFigures[];
}

async function measure({ kind, label, op, flops, count }: Convolution): Promise<KernelFigures> {
  const probe = multiplyAddProbe(engine.facts);
  const sides = [await engineSide('peak', [probe], engine), stockSide(op)];
  for (const variant of variantsOf(op, engine.facts)) {
    sides.push(await engineSide(JSON.stringify(variant), lowerVariant(op, engine.facts, variant), engine));
  }
  const [probeMs, stockMs, ...variantMs] = await medians(sides);
  for (const side of sides) side.dispose();
  const peakGflops = probe.flops / probeMs! / 1e6;
  const variants = variantMs.map((ms, index) => {
    const gflops = flops / ms / 1e6;
    const variant = variantText(sides[index + 2]!.name);
    return { variant, ms, gflops, ofPeak: gflops / peakGflops, ratio: stockMs! / ms };
  });
  return { kind, label, count, gflop: flops / 1e9, peakGflops, stockMs: stockMs!, variants };
}

/** Milliseconds of each side, each first as often as the others. The first time, which compiles, does not count. */
async function medians(sides: readonly Side[]): Promise<number[]> {
  const runs = [];
  for (const side of sides) {
    await timed(side, 1);
    const times = Math.max(1, Math.round(turnMs / (await timed(side, 1))));
    runs.push({ side, times, ms: [] as number[] });
  }
  const turns = Number(values.turns);
  for (let turn = 0; turn < turns; turn++) {
    for (let place = 0; place < runs.length; place++) {
      const step = turn % 2 ? runs.length - place : place; // nobody always comes after the slowest
      const { side, times, ms } = runs[(turn + step) % runs.length]!;
      ms.push(await timed(side, times));
    }
  }
  return runs.map(({ ms }) => ms.sort((a, b) => a - b)[ms.length >> 1]!);
}

async function timed(side: Side, times: number): Promise<number> {
  const startMs = performance.now();
  await side.run(times);
  await on.device.queue.onSubmittedWorkDone();
  return (performance.now() - startMs) / times;
}

/** `{"kind":"registers","inputs":8}` as `registers inputs 8`. */
function variantText(json: string): string {
  const { kind, ...tile } = JSON.parse(json) as { kind: string } & Record<string, number>;
  return [kind, ...Object.entries(tile).map(([name, value]) => `${name} ${value}`)].join(' ');
}

function tableOf(
  name: string,
  { kind, label, count, gflop, peakGflops, stockMs, variants }: KernelFigures,
): string {
  const title = `${name}: ${kind} ${label}, ${text(gflop)} GFLOP, ${count} a step; peak ${text(peakGflops)} GFLOP/s`;
  const rows = variants.map(({ variant, ms, gflops, ofPeak, ratio }) => [
    variant,
    ...[ms, gflops, 100 * ofPeak, ratio].map(text),
  ]);
  const stock = [
    'stock tfjs',
    text(stockMs),
    text((gflop / stockMs) * 1e3),
    text((100e3 * gflop) / stockMs / peakGflops),
    '',
  ];
  return `${title}\n${aligned([['', 'ms', 'GFLOP/s', '% of peak', 'stock/this'], ...rows, stock])}\n`;
}

function defaultCases({ software }: BenchDevice): string {
  return software ? 'r18@128x2,nano@160x2' : 'r18@512x4,nano@512x4';
}

function kindNamed(name: string): Kind {
  if (name in kinds) return name as Kind;
  throw new Error(`There is no kind of convolution ${name}: ${Object.keys(kinds).join(', ')}.`);
}
