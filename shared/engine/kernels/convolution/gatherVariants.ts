/** The ways to compute a convolution or its input gradient, and which of them to take untried. */
import type { KernelCall } from '../../plan/call.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { DeviceFacts } from '../wgsl.ts';
import type { Gather } from './gather.ts';
import { lowerMatrix, matrixVariants } from './gatherMatrix.ts';
import { lowerRegisters, type RegistersVariant, registersCost } from './gatherRegisters.ts';
import {
  lowerSubgroups,
  type SubgroupsVariant,
  subgroupsTile,
  subgroupsVariants,
} from './gatherSubgroups.ts';
import {
  dispatchOf,
  lowerWorkgroup,
  sharedBytes,
  threadsOf,
  type WorkgroupVariant,
  workgroupsOf,
} from './gatherWorkgroup.ts';
import type { MatrixTile } from './matrixUnits.ts';

export type ConvVariant = RegistersVariant | WorkgroupVariant | SubgroupsVariant | MatrixTile;

/** Candidates for the tuner; the first is the default. The last is of the other kind, so that the clock may say we are wrong. */
export function variantsOf(gather: Gather, facts: DeviceFacts): ConvVariant[] {
  const [registers, workgroup] = [registersVariants(gather), workgroupVariants(gather, facts)];
  const subgroups = subgroupsVariants(gather, facts);
  if (facts.software) return [...subgroups, ...registers, workgroup[0]!];
  const [first, ...others] = workgroup;
  return [first!, ...matrixVariants(gather, facts), ...others, ...subgroups, registers[0]!];
}

/** What was chosen for a smaller frame may be more workgroups here than a device takes: then another way is gone. */
export function lowerGather(gather: Gather, facts: DeviceFacts, variant?: ConvVariant): KernelCall[] {
  const variants = [...(variant ? [variant] : []), ...variantsOf(gather, facts)];
  const chosen = variants.find((each) => isDispatchable(gather, each, facts))!;
  switch (chosen.kind) {
    case 'registers':
      return [lowerRegisters(gather, facts, chosen)];
    case 'workgroup':
      return [lowerWorkgroup(gather, chosen)];
    case 'subgroups':
      return lowerSubgroups(gather, facts, chosen);
    case 'matrix':
      return [lowerMatrix(gather, chosen)];
  }
}

/** Registers' workgroups are folded into two dimensions, tiles are not. */
function isDispatchable(gather: Gather, variant: ConvVariant, facts: DeviceFacts): boolean {
  if (variant.kind === 'registers') return true;
  const tile = variant.kind === 'subgroups' ? subgroupsTile(variant) : variant;
  return dispatchOf(gather, tile).workgroups.every((count) => count <= facts.maxWorkgroupsPerDimension);
}

type TileShape = readonly [rows: number, pixels: number, channels: number];

/** Rows of taps that are longer, or tiles that are larger, take a compiler longer than they save. */
function tileShapes(kernelSize: number, stride: number): readonly TileShape[] {
  if (kernelSize > 3) return [[1, 8, 4]];
  if (kernelSize > 1) {
    return [
      [2, 4, 4],
      [2, 8, 4],
    ];
  }
  if (stride > 1) return [[1, 4, 4]];
  return [
    [1, 8, 8],
    [1, 8, 4],
  ];
}

function registersVariants(gather: Gather): RegistersVariant[] {
  const { kernelSize, stride } = gather.conv;
  const variants = tileShapes(kernelSize, stride).map(
    ([rows, pixels, channels]) => ({ kind: 'registers', rows, pixels, channels }) as const,
  );
  return variants.sort((a, b) => registersCost(gather, a) - registersCost(gather, b));
}

/** From the one that reads least for each product to the one that keeps most of a GPU busy. */
const tiles: [rows: number, columns: number, threadRows: number, threadColumns: number][] = [
  [128, 128, 8, 8],
  [128, 64, 8, 8],
  [64, 64, 8, 8],
  [64, 64, 4, 8],
  [64, 32, 4, 8],
  [32, 32, 4, 4],
];

/** Some for each of the processors of a GPU of middling size. */
const enoughWorkgroups = 192;

function workgroupVariants(gather: Gather, facts: DeviceFacts): WorkgroupVariant[] {
  const channels = Math.max(32, strideOf(gather.target.tensor.channels));
  const variants = tiles
    .map(
      ([rows, columns, threadRows, threadColumns]) =>
        ({ kind: 'workgroup', rows, columns, depth: 16, threadRows, threadColumns }) as const,
    )
    .filter(
      (each) =>
        each.columns < 2 * channels &&
        threadsOf(each) <= facts.maxInvocationsPerWorkgroup &&
        sharedBytes(each) <= facts.maxWorkgroupStorageBytes,
    );
  const enough = variants.findIndex((each) => workgroupsOf(gather, each) >= enoughWorkgroups);
  const first = enough < 0 ? variants.length - 1 : enough;
  return [variants[first]!, ...variants.toSpliced(first, 1)];
}
