/** Opens spoilt files of weights and reads every tensor: nothing but tensors and Problems may come of it, soon, within the file. */
import { Problem } from '../../shared/domain/problem.ts';
import { readTensorFile } from '../../shared/weights/tensorFile.ts';
import { type FuzzFormat, mutatedFile } from './mutate.ts';

export interface FuzzReport {
  readonly cases: number;
  readonly accepted: number;
  /** Refusals by what was said, names and numbers left out; the most frequent first. */
  readonly refusals: Readonly<Record<string, number>>;
  /** In time of the processor, which other work on the machine does not lengthen. */
  readonly slowest: { readonly milliseconds: number; readonly index: number };
  /** Calls of anything a file named. */
  readonly executions: number;
  readonly faults: readonly FuzzFault[];
}

export interface FuzzFault {
  readonly index: number;
  readonly fault: string;
}

const limitMs = 2000;
const allowedKinds = ['damaged', 'bad-input', 'forbidden', 'newer-version', 'not-finite'];
/** What lies around the file in memory; as floats of any width, values no seed and no mutation holds. */
const guardByte = 0xb7;
const guardBytes = 4096;
const leaks = [new Float32Array(new Uint8Array(4).fill(guardByte).buffer)[0]!, ...doubledAndHalved()];

export function runFuzz(format: FuzzFormat, seed: number, count: number, first = 0): FuzzReport {
  const refusals = new Map<string, number>();
  const faults: FuzzFault[] = [];
  let accepted = 0;
  let slowest = { milliseconds: 0, index: -1 };
  const executions = countExecutions(() => {
    for (let index = first; index < first + count; index++) {
      const bytes = guarded(mutatedFile(format, seed, index), index);
      const start = process.cpuUsage();
      const refusal = outcome(bytes, (fault) => faults.push({ index, fault }));
      const { user, system } = process.cpuUsage(start);
      const milliseconds = (user + system) / 1000;
      if (milliseconds > slowest.milliseconds) slowest = { milliseconds, index };
      if (milliseconds > limitMs) faults.push({ index, fault: `took ${Math.round(milliseconds)} ms` });
      if (refusal === null) accepted++;
      else refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
    }
  });
  const sorted = [...refusals].sort((a, b) => b[1] - a[1]);
  return { cases: count, accepted, refusals: Object.fromEntries(sorted), slowest, executions, faults };
}

/** What was said, or null where every tensor was read. */
function outcome(bytes: Uint8Array, fault: (text: string) => void): string | null {
  try {
    for (const { name, shape, dtype, read } of readTensorFile(bytes, 'FILE').tensors) {
      const problem = wrongWith(read(), shape, bytes);
      if (problem) fault(`tensor ${name} (${dtype}) ${problem}`);
    }
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) {
      fault(`threw ${error instanceof Error ? error.stack : String(error)}`);
      return 'no Problem';
    }
    if (!allowedKinds.includes(error.kind)) fault(`was refused as ${error.kind}: ${error.message}`);
    if (!error.message.endsWith('.') || !error.remedy.endsWith('.'))
      fault(`gave no sentence: ${error.message}`);
    return generalised(error);
  }
}

function wrongWith(values: Float32Array, shape: readonly number[], bytes: Uint8Array): string | null {
  const count = shape.reduce((product, side) => product * side, 1);
  if (values.length !== count) return `has ${values.length} values for the shape [${shape}]`;
  const begin = values.byteOffset - bytes.byteOffset;
  if (values.buffer === bytes.buffer && (begin < 0 || begin + values.byteLength > bytes.byteLength)) {
    return 'is a view that leaves the file';
  }
  if (values.some((value) => !Number.isFinite(value))) return 'holds what is not finite';
  return values.some((value) => leaks.includes(value)) ? 'was read from outside the file' : null;
}

/** The file in the middle of a larger buffer, at an address of any alignment. */
function guarded(file: Uint8Array, index: number): Uint8Array {
  const start = guardBytes + (index % 3 === 0 ? 0 : index % 8);
  const memory = new Uint8Array(start + file.length + guardBytes).fill(guardByte);
  memory.set(file, start);
  return memory.subarray(start, start + file.length);
}

function generalised({ kind, message }: Problem): string {
  const text = message
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/\[[-\d, ]*\]/g, '[…]')
    .replace(/names \S+,/, 'names …,')
    .replace(/0x[0-9a-f]+/, 'N')
    .replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, 'N');
  return `${kind}: ${text.length > 140 ? `${text.slice(0, 139)}…` : text}`;
}

/** How often anything was called that a file may name, or that would run a text, while `run` ran. */
function countExecutions(run: () => void): number {
  let count = 0;
  const scope = globalThis as unknown as Record<string, unknown>;
  const trapped = ['eval', 'Function', 'boxwrightCanary'];
  const before = trapped.map((name) => scope[name]);
  for (const name of trapped) scope[name] = () => count++;
  const prototype = Object.getOwnPropertyNames(Object.prototype).length;
  try {
    run();
  } finally {
    trapped.forEach((name, index) => {
      scope[name] = before[index];
    });
  }
  // A name such as __proto__ must not reach what all objects share either.
  return count + Math.abs(Object.getOwnPropertyNames(Object.prototype).length - prototype);
}

function doubledAndHalved(): number[] {
  const guard = new Uint8Array(8).fill(guardByte);
  const bits = new Uint16Array(guard.buffer)[0]!;
  const half = -(1 + (bits & 1023) / 1024) * 2 ** (((bits >> 10) & 31) - 15);
  const brain = new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
  return [Math.fround(new Float64Array(guard.buffer)[0]!), half, brain].filter((value) => value !== 0);
}
