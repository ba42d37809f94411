/** Sides taking the same step, timed and counted. */
import { setTimeout } from 'node:timers/promises';
import { Problem } from '../shared/domain/problem.ts';
import { deviceFacts } from '../shared/engine/device/engineDevice.ts';
import type { Batch } from '../shared/loss/executor.ts';
import { type BenchDevice, openNull } from './benchDevice.ts';
import type { Counted, Meter } from './meter.ts';
import { randomBatch, type StepCase } from './stepCases.ts';
import { planStep } from './stepPlan.ts';
import { type KernelTime, openSide, type Side, type SideName } from './stepSides.ts';

/** Milliseconds (median) and counts of a step. */
export interface Measured {
  readonly side: SideName;
  readonly ms: number;
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
  readonly bindGroups: number;
  /** Bytes of buffers alive at once, at most, in MiB; null where the null backend has too few and nobody planned. */
  readonly peakMb: number | null;
  /** Of the first step. */
  readonly loss: number;
  readonly kernels: readonly KernelTime[];
}

/** How often the sides take turns, and how many steps a turn has; before that so many steps for what is compiled and tried out. */
export interface Pace {
  readonly warmUp: number;
  readonly turns: number;
  readonly steps: number;
}

interface Run {
  readonly side: Side;
  readonly counted: Counted;
  readonly before: Counted;
  readonly loss: number;
  readonly ms: number[];
}

/** The sides in turn on one device, each first as often as the others. */
export async function measureSteps(
  of: StepCase,
  on: BenchDevice,
  names: readonly SideName[],
  { warmUp, turns, steps }: Pace,
  meter: Meter,
): Promise<Measured[]> {
  const batch = randomBatch(of);
  const account = (name: SideName) => meter.account(`${of.name} of ${of.sidePx} px on ${on.name}: ${name}`);
  const runs: Run[] = [];
  try {
    for (const name of names) {
      const counted = account(name);
      const side = await openSide(name, of, on);
      const run = { side, counted, before: { ...counted }, loss: Number.NaN, ms: [] };
      runs.push(run);
      run.loss = await side.steps(batch, 1);
      if (on.isFull()) throw new Error(`${on.name} has not enough memory for ${of.name}.`);
      if (warmUp > 1) await side.steps(batch, warmUp - 1);
      Object.assign(run.before, counted);
    }
    if (!on.isNull) requireEqualLosses(runs);
    for (let turn = 0; turn < turns; turn++) {
      for (let place = 0; place < runs.length; place++) {
        const { side, ms } = runs[(turn + place) % runs.length]!;
        account(side.name);
        const startMs = performance.now();
        await side.steps(batch, steps);
        ms.push((performance.now() - startMs) / steps);
      }
    }
    const measured: Measured[] = [];
    for (const run of runs) measured.push(await figuresOf(run, turns * steps, on, batch));
    return measured;
  } finally {
    for (const { side } of runs) side.dispose();
  }
}

async function figuresOf(
  { side, counted, before, loss, ms }: Run,
  steps: number,
  on: BenchDevice,
  batch: Batch,
): Promise<Measured> {
  const perStep = (what: keyof Counted) => (counted[what] - before[what]) / steps;
  const figures = {
    ...{ side: side.name, loss, ms: median(ms), peakMb: counted.peakBytes / 2 ** 20 },
    ...{ dispatches: perStep('dispatches'), submits: perStep('submits') },
    ...{ buffers: perStep('buffers'), bindGroups: perStep('bindGroups') },
  };
  return { ...figures, kernels: on.isNull ? [] : await side.kernels(batch) };
}

/**
 * A side on a null backend of its own. That has 512 MiB: for what does not fit there, JavaScript is timed and dispatches are counted on
 * frames of 64 px, for which they are the same but for the matching of anchors and a few choices by size. The engine's dispatches and
 * memory are then those of its plan; tfjs's memory is unknown.
 */
export async function measureScript(
  of: StepCase,
  name: SideName,
  pace: Pace,
  meter: Meter,
): Promise<Measured> {
  const on = await openNull();
  try {
    const [measured] = await measureSteps(of, on, [name], pace, meter);
    return measured!;
  } catch (error) {
    await setTimeout(10); // the device tells of its want in a callback of its own
    const isFull = on.isFull() || (error instanceof Problem && error.kind === 'out-of-memory');
    if (of.sidePx === 64 || !isFull) throw error;
  } finally {
    on.release();
  }
  const small = await measureScript({ ...of, sidePx: 64 }, name, pace, meter);
  if (name !== 'engine') return { ...small, peakMb: null };
  const { dispatches, bytes } = planStep(of, deviceFacts(on.device, false));
  return { ...small, dispatches, peakMb: bytes / 2 ** 20 };
}

/** Who computes something else is not to be compared. */
function requireEqualLosses(runs: readonly Run[]): void {
  const [first] = runs;
  for (const { side, loss } of runs) {
    if (Math.abs(loss - first!.loss) <= 1e-3 * Math.abs(first!.loss)) continue;
    throw new Error(
      `The first loss of ${side.name} is ${loss}, that of ${first!.side.name} ${first!.loss}: they do not compute the same.`,
    );
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
