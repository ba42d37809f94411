/** The step's figures, for people and for programs. */
import type { Measured } from './stepMeasure.ts';
import type { KernelTime } from './stepSides.ts';

/** A side of a case, milliseconds and counts of a step. */
export interface SideFigures extends Omit<Measured, 'ms'> {
  /** Null: only JavaScript was timed. */
  readonly stepMs: number | null;
  readonly jsMs: number;
}

export interface CaseFigures {
  readonly name: string;
  /** Of the step's convolutions, the same for all sides. */
  readonly gflop: number;
  readonly torchMs: number | null;
  readonly sides: readonly SideFigures[];
}

/** One line of JSON: what the terminal's contract promises, and behind it whatever else was measured. */
export function contractLine(adapter: string, machine: object, cases: readonly CaseFigures[]): object {
  return { adapter, cases: cases.map(contractCase), ...machine };
}

function contractCase({ name, gflop, torchMs, sides }: CaseFigures) {
  const of = (side: SideFigures['side']) => sides.find((each) => each.side === side);
  const [stock, engine] = [of('stock'), of('engine')];
  return {
    case: name,
    stockMs: rounded(stock?.stepMs),
    engineMs: rounded(engine?.stepMs),
    ratio: rounded(ratio(stock, engine)),
    dispatches: rounded(engine?.dispatches),
    jsMs: rounded(engine?.jsMs),
    peakMb: rounded(engine?.peakMb),
    referenceMs: rounded(of('reference')?.stepMs),
    torchMs,
    gflop: rounded(gflop),
    sides: sides.map((each) => ({ ...each, gflops: rounded(speed(gflop, each)) })),
  };
}

export function tableOf({ name, gflop, torchMs, sides }: CaseFigures): string {
  const stock = sides.find(({ side }) => side === 'stock');
  const heads = [
    '',
    'step ms',
    'stock/this',
    'GFLOP/s',
    'dispatches',
    'submits',
    'buffers+',
    'JS ms',
    'peak MB',
  ];
  const rows = sides.map((each) => [
    each.side,
    ...[each.stepMs, ratio(stock, each), speed(gflop, each), each.dispatches].map(text),
    ...[each.submits, each.buffers, each.jsMs, each.peakMb].map(text),
  ]);
  const torch = torchMs === null ? [] : [['PyTorch', text(torchMs)]];
  const kernels = sides.flatMap((each) => (each.kernels.length > 0 ? [kernelTable(each.kernels)] : []));
  const title = `${name}: ${text(gflop)} GFLOP of convolutions a step`;
  return [title, aligned([heads, ...rows, ...torch]), ...kernels, ''].join('\n');
}

function kernelTable(kernels: readonly KernelTime[]): string {
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  const heads = ['kernel', 'dispatches', 'ms', '%', 'GFLOP/s'];
  const heavy = kernels.filter(({ ms }) => ms >= 0.01 * total);
  const light = kernels.filter(({ ms }) => ms < 0.01 * total);
  const sum = (what: 'dispatches' | 'ms' | 'flops') => light.reduce((all, each) => all + each[what], 0);
  const others = { label: 'others', dispatches: sum('dispatches'), ms: sum('ms'), flops: sum('flops') };
  const rows = [...heavy.sort((a, b) => b.ms - a.ms), others].map(({ label, dispatches, ms, flops }) => [
    label,
    String(dispatches),
    text(ms),
    text((100 * ms) / total),
    flops > 0 ? text(flops / ms / 1e6) : '',
  ]);
  return aligned([heads, ...rows]);
}

function ratio(stock: SideFigures | undefined, other: SideFigures | undefined): number | null {
  return stock?.stepMs && other?.stepMs ? stock.stepMs / other.stepMs : null;
}

function speed(gflop: number, { stepMs }: SideFigures): number | null {
  return stepMs === null ? null : (gflop / stepMs) * 1e3;
}

function rounded(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value.toPrecision(5));
}

export function text(value: number | null): string {
  if (value === null) return '';
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** The first column to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column ? cell.padStart(widths[column]!) : cell.padEnd(widths[0]!))).join('  ');
  return rows.map(line).join('\n');
}
