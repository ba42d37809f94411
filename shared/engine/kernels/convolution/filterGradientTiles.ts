/** What the ways have in common in which a workgroup has a tile of the filter, and the pixels of a part. */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import { type BoundTensor, Kernel } from '../kernel.ts';
import type { DeviceFacts } from '../wgsl.ts';
import {
  bindSums,
  filterFlops,
  filterLabel,
  type Partials,
  type SumsWriter,
  sharedMembers,
  sharedValues,
  sharePixels,
  unitsOf,
} from './filterGradientPixels.ts';

/** Of the filter seen as a matrix of [taps x inputs, outputs]. */
export interface FilterTile {
  readonly rows: number;
  readonly columns: number;
  /** Of a workgroup. */
  readonly threads: number;
  /** Pixels that are read at a time. */
  readonly depth: number;
}

/** Threads with so many sums in registers hide little latency by themselves: so many times as many of them as keep a device busy. */
const wavesWanted = 4;

/** @param source the kernel's text, whose uniforms `g` are `sharedMembers` and the counts of workgroups and tiles */
export function lowerTiles(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  { rows, columns, threads, depth }: FilterTile,
  source: (x: BoundTensor, dy: BoundTensor, sums: SumsWriter) => string,
): { main: KernelCall; partials: Partials | null } {
  const rowTiles = Math.ceil((op.conv.kernelSize ** 2 * strideOf(op.conv.inChannels)) / rows);
  const columnTiles = Math.ceil(strideOf(op.conv.outChannels) / columns);
  const units = unitsOf(op, 1);
  const shared = sharePixels(op, facts, (rowTiles * columnTiles * threads) / wavesWanted, units, 8 * depth);
  const groups = rowTiles * columnTiles * shared.parts;

  const kernel = new Kernel();
  const x = kernel.tensor('x', op.x, 'read');
  const dy = kernel.tensor('dy', op.dy, 'read');
  const sums = bindSums(kernel, op, shared, 'part');
  const values = [...sharedValues(op, shared, units), groups, rowTiles, columnTiles];
  kernel.uniforms(`${sharedMembers(op)}, groups: u32, rowTiles: i32, columnTiles: i32, first: u32`, [
    ...values,
    0,
  ]);
  const across = Math.min(groups, facts.maxWorkgroupsPerDimension);
  const dispatched = [across, Math.ceil(groups / across), 1] as const;
  const code = source(x, dy, sums);
  const main = kernel.call(filterLabel(op), code, dispatched, filterFlops(op), values.length);
  return { main, partials: shared.partials };
}
