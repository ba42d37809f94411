/**
 * The filter's gradient as a product of matrices, [taps x inputs, pixels] by [pixels, outputs]: a workgroup keeps a few pixels of its
 * rows and columns in workgroup memory, and each of its threads 8 x 8 sums in registers.
 */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp, ConvShape } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { BoundTensor } from '../kernel.ts';
import { type DeviceFacts, unroll } from '../wgsl.ts';
import type { Partials, SumsWriter } from './filterGradientPixels.ts';
import { lowerTiles } from './filterGradientTiles.ts';

export interface WorkgroupTile {
  readonly kind: 'workgroup';
  /** Of the filter seen as a matrix of [taps x inputs, outputs]; multiples of 8. */
  readonly rows: number;
  readonly columns: number;
  /** Pixels in workgroup memory at a time. */
  readonly depth: number;
}

/** Sums of a thread along a row and a column of the tile. */
const perThread = 8;

const tiles = [
  [64, 64, 16],
  [128, 64, 16],
  [128, 128, 8],
  [64, 128, 16],
  [128, 32, 16],
  [64, 64, 8],
  [64, 32, 16],
] as const;

/** Those that the device has room for, and of which the filter fills more than half. */
export function workgroupTiles({ conv }: ConvFilterGradientOp, facts: DeviceFacts): WorkgroupTile[] {
  const filterRows = conv.kernelSize ** 2 * strideOf(conv.inChannels);
  const filterColumns = strideOf(conv.outChannels);
  return tiles
    .map(([rows, columns, depth]): WorkgroupTile => ({ kind: 'workgroup', rows, columns, depth }))
    .filter((tile) => threadsOf(tile) <= facts.maxInvocationsPerWorkgroup)
    .filter((tile) => memoryBytes(tile) <= facts.maxWorkgroupStorageBytes)
    .filter(({ rows, columns }) => rows < 2 * filterRows && columns < 2 * filterColumns);
}

/** Floats of rows and columns, and of each pixel where it lies. */
function memoryBytes({ rows, columns, depth }: WorkgroupTile): number {
  return depth * ((rows + columns) * 4 + 24);
}

function threadsOf({ rows, columns }: WorkgroupTile): number {
  return (rows / perThread) * (columns / perThread);
}

export function lowerWorkgroup(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  tile: WorkgroupTile,
): { main: KernelCall; partials: Partials | null } {
  return lowerTiles(op, facts, { ...tile, threads: threadsOf(tile) }, (x, dy, sums) =>
    workgroupSource(op.conv, tile, x, dy, sums),
  );
}

function workgroupSource(
  conv: ConvShape,
  tile: WorkgroupTile,
  x: BoundTensor,
  dy: BoundTensor,
  sums: SumsWriter,
): string {
  const { rows, columns, depth } = tile;
  const threads = threadsOf(tile);
  const [rowFours, columnFours] = [rows / 4, columns / 4];
  return `
var<workgroup> xs: array<vec4<f32>, ${depth * rowFours}>;
var<workgroup> ys: array<vec4<f32>, ${depth * columnFours}>;
${declarePlaces(conv, depth)}
@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread: u32, @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>) {
  let group = id.y * count.x + id.x + g.first;
  if (group >= g.groups) { return; }
  ${findPart}
  let tileRow = thread / ${columns / perThread}u;
  let tileColumn = thread % ${columns / perThread}u;
  ${unroll(8, (row) => `var a${row}_0 = vec4<f32>(); var a${row}_1 = vec4<f32>();`)}
  ${sums.bias ? 'var b0 = vec4<f32>(); var b1 = vec4<f32>();' : ''}
  for (var first = part * units / g.parts; first < last; first += ${depth}) {
    if (thread < ${depth}u) { place(thread, first + i32(thread), last); }
    workgroupBarrier();
    for (var i = thread; i < ${depth * rowFours}u; i += ${threads}u) {
      let at = i / ${rowFours}u;
      let row = rowTile * ${rowFours} + i32(i % ${rowFours}u);
      ${readInput(conv, x)}
      xs[i] = value;
    }
    for (var i = thread; i < ${depth * columnFours}u; i += ${threads}u) {
      let at = i / ${columnFours}u;
      let column = columnTile * ${columnFours} + i32(i % ${columnFours}u);
      ${readGradient(dy)}
      ys[i] = value;
    }
    workgroupBarrier();
    for (var at = 0u; at < ${depth}u; at++) {
      let x0 = xs[at * ${rowFours}u + tileRow];
      let x1 = xs[at * ${rowFours}u + ${rowFours / 2}u + tileRow];
      let y0 = ys[at * ${columnFours}u + tileColumn];
      let y1 = ys[at * ${columnFours}u + ${columnFours / 2}u + tileColumn];
      ${unroll(8, (row) => {
        const value = `vec4<f32>(x${row >> 2}.${'xyzw'[row & 3]})`;
        return `a${row}_0 = fma(${value}, y0, a${row}_0); a${row}_1 = fma(${value}, y1, a${row}_1);`;
      })}
      ${sums.bias ? 'b0 += y0; b1 += y1;' : ''}
    }
  }
  let row = rowTile * ${rowFours} + i32(tileRow);
  let column = columnTile * ${columnFours} + i32(tileColumn);
  let rowsEnd = g.filterFours / g.outFours;
  ${unroll(8, (index) =>
    unroll(2, (half) => {
      const at = `4 * (row + ${(index >> 2) * (rowFours / 2)}) + ${index & 3}`;
      const out = `column + ${(half * columnFours) / 2}`;
      return `if (${at} < rowsEnd && ${out} < g.outFours) { ${sums.filter(`(${at}) * g.outFours + ${out}`, out, `a${index}_${half}`)} }`;
    }),
  )}
  ${
    sums.bias
      ? unroll(2, (half) => {
          const out = `column + ${(half * columnFours) / 2}`;
          return `if (rowTile == 0 && tileRow == 0u && ${out} < g.outFours) { ${sums.bias!(out, `b${half}`)} }`;
        })
      : ''
  }
}
`;
}

/** Where the pixels of a slice lie, and `place`, which writes it down. */
export function declarePlaces({ stride, padding }: ConvShape, depth: number): string {
  return `
// Of each pixel: row and column of its first tap in x, x's first row of the image, dy's row, or -1 for none; height and width of x.
var<workgroup> places: array<vec4<i32>, ${depth}>;
var<workgroup> sizes: array<vec2<i32>, ${depth}>;

fn place(at: u32, unit: i32, last: i32) {
  var level = 0;
  var begin = 0;
  while (level < g.levelCount - 1 && unit >= g.levels[2 * level + 1].w) {
    begin = g.levels[2 * level + 1].w;
    level++;
  }
  let inLevel = g.levels[2 * level];
  let outLevel = g.levels[2 * level + 1];
  let pixel = unit - begin;
  let row = pixel / outLevel.z;
  let image = row / outLevel.y;
  let sy = (row - image * outLevel.y) * ${stride} - ${padding};
  let sx = (pixel - row * outLevel.z) * ${stride} - ${padding};
  places[at] = vec4<i32>(sy, sx, inLevel.x + image * inLevel.y * inLevel.z, select(-1, outLevel.x + pixel, unit < last));
  sizes[at] = inLevel.yz;
}`;
}

/** A workgroup's tile, its part of the pixels, and the last of them. */
export const findPart = `var rest = i32(group);
  let columnTile = rest % g.columnTiles; rest = rest / g.columnTiles;
  let rowTile = rest % g.rowTiles;
  let part = rest / g.rowTiles;
  let units = g.levels[2 * g.levelCount - 1].w;
  let last = (part + 1) * units / g.parts;`;

/** Statements: `value`, what the slice's pixel `at` has in the filter's `row`, in fours. */
export function readInput({ kernelSize }: ConvShape, x: BoundTensor): string {
  return `let tap = row / g.inFours;
      let sy = places[at].x + tap / ${kernelSize};
      let sx = places[at].y + tap % ${kernelSize};
      var value = vec4<f32>();
      if (places[at].w >= 0 && tap < ${kernelSize ** 2} && sy >= 0 && sy < sizes[at].x && sx >= 0 && sx < sizes[at].y) {
        let word = (places[at].z + sy * sizes[at].y + sx) * g.inFours + row - tap * g.inFours;
        value = ${x.load('word')};
      }`;
}

/** Statements: `value`, what the slice's pixel `at` has in the filter's `column`, in fours. */
export function readGradient(dy: BoundTensor): string {
  return `var value = vec4<f32>();
      if (places[at].w >= 0 && column < g.outFours) {
        let word = places[at].w * g.outFours + column;
        value = ${dy.load('word')};
      }`;
}
