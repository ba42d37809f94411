/**
 * The filter's gradient as a product of matrices, [taps x inputs, pixels] by [pixels, outputs], on the units for products of small ones
 * (`matrixUnits`). Slices are read as `filterGradientWorkgroup` reads them. The bias gradient is summed up from what was read, in f32.
 */
import type { KernelCall } from '../../plan/call.ts';
import type { ConvFilterGradientOp } from '../../plan/ops.ts';
import { strideOf } from '../../plan/tensor.ts';
import type { BoundTensor } from '../kernel.ts';
import { type DeviceFacts, unroll } from '../wgsl.ts';
import type { Partials, SumsWriter } from './filterGradientPixels.ts';
import { lowerTiles } from './filterGradientTiles.ts';
import { declarePlaces, findPart, readGradient, readInput } from './filterGradientWorkgroup.ts';
import {
  beginPatch,
  declareSums,
  eachPass,
  eachSum,
  enableMatrices,
  type MatrixTile,
  matrixTiles,
  meet,
  multiplySlices,
  placeParameters,
  putFour,
  Scale,
  type Slice,
  sliceStride,
  storeBlocks,
  sumArguments,
  sumParameters,
  threadsOf,
} from './matrixUnits.ts';

/** Candidates for the tuner; none where the device has no such units. */
export function filterMatrixTiles({ conv }: ConvFilterGradientOp, facts: DeviceFacts): MatrixTile[] {
  return matrixTiles(conv.kernelSize ** 2 * strideOf(conv.inChannels), strideOf(conv.outChannels), facts);
}

export function lowerFilterMatrix(
  op: ConvFilterGradientOp,
  facts: DeviceFacts,
  tile: MatrixTile,
): { main: KernelCall; partials: Partials | null } {
  const { main, partials } = lowerTiles(op, facts, { ...tile, threads: threadsOf(tile) }, (x, dy, sums) =>
    matrixSource(op, tile, x, dy, sums),
  );
  return { main: { ...main, code: `${enableMatrices(tile)}\n${main.code}` }, partials };
}

function matrixSource(
  op: ConvFilterGradientOp,
  tile: MatrixTile,
  x: BoundTensor,
  dy: BoundTensor,
  sums: SumsWriter,
): string {
  const { shape, rows, columns, depth } = tile;
  const threads = threadsOf(tile);
  const [xs, ys] = [sliceOf(tile, 'xs', rows), sliceOf(tile, 'ys', columns)];
  const inputs = loadsOf(tile, 'x', rows, readInput(op.conv, x));
  const gradients = loadsOf(tile, 'y', columns, readGradient(dy));
  const scaleOf = (loads: Loads, { tensor }: ConvFilterGradientOp['x']) =>
    shape.component === 'f16' && tensor.storage === 'f32' ? new Scale(loads.name) : null;
  const scaleX = scaleOf(inputs, op.x);
  const scaleY = scaleOf(gradients, op.dy);
  const scales = [scaleX, scaleY].filter((scale) => scale !== null);
  return `
var<workgroup> xs: array<${shape.component}, ${depth * xs.stride}>;
var<workgroup> ys: array<${shape.component}, ${depth * ys.stride}>;
${declareSums(tile)}
${unroll(scales.length, (at) => scales[at]!.declaration)}
${declarePlaces(op.conv, depth)}
${storeSums(tile, sums)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, ${placeParameters}) {
  let group = id.y * count.x + id.x + g.first;
  if (group >= g.groups) { return; }
  ${findPart}
  let firstRow = rowTile * ${rows / 4};
  let firstColumn = columnTile * ${columns / 4};
  ${eachPass(tile)} {
    ${beginPatch(tile)}
    ${unroll(scales.length, (at) => scales[at]!.begin)}
    var bias = vec4<f32>();
    for (var first = part * units / g.parts; first < last; first += ${depth}) {
      for (var at = thread; at < ${depth}u; at += ${threads}u) { place(at, first + i32(at), last); }
      workgroupBarrier();
      ${inputs.load('row', 'firstRow')}
      ${gradients.load('column', 'firstColumn')}
      ${scaleX?.look(inputs.values) ?? ''}
      ${scaleY?.look(gradients.values) ?? ''}
      ${unroll(gradients.values.length, (l) => `bias += y${l};`)}
      ${scales.length > 0 ? meet(tile, scales) : ''}
      ${inputs.put(xs, scaleX)}
      ${gradients.put(ys, scaleY)}
      workgroupBarrier();
      ${multiplySlices(tile, xs, ys)}
    }
    ${storeBlocks(tile, (block) => `storeSums(${sumArguments(block, scales)}, rowTile * ${rows}, firstColumn, part);`)}
    ${sums.bias ? storeBias(tile, sums.bias) : ''}
  }
}
`;
}

function sliceOf(tile: MatrixTile, name: string, length: number): Slice {
  return { name, along: 'rows', stride: sliceStride(tile, length) };
}

/** What a thread reads of a slice, four numbers each. */
interface Loads {
  readonly name: string;
  readonly values: readonly string[];
  load(place: string, first: string): string;
  put(slice: Slice, scale: Scale | null): string;
}

/** `read`: statements that find `value` by the pixel `at` and the place along the slice's rows. */
function loadsOf(tile: MatrixTile, name: string, length: number, read: string): Loads {
  const threads = threadsOf(tile);
  const fours = length / 4;
  const all = tile.depth * fours;
  const values = Array.from({ length: Math.ceil(all / threads) }, (_, l) => `${name}${l}`);
  const within = (l: number, text: string) =>
    (l + 1) * threads <= all ? `{ ${text} }` : `if (thread + ${l * threads}u < ${all}u) { ${text} }`;
  const atOf = (l: number) => `let at = (thread + ${l * threads}u) / ${fours}u;`;
  return {
    name,
    values,
    load: (place, first) =>
      unroll(
        values.length,
        (l) => `
      var ${values[l]} = vec4<f32>();
      ${within(
        l,
        `${atOf(l)}
        let ${place} = ${first} + i32(thread + ${l * threads}u) % ${fours};
        ${read}
        ${values[l]} = value;`,
      )}`,
      ),
    put: (slice, scale) =>
      unroll(values.length, (l) => {
        const place = `at * ${slice.stride}u + (thread + ${l * threads}u) % ${fours}u * 4u`;
        const value = scale ? `${values[l]} * ${scale.up}` : values[l]!;
        return within(l, `${atOf(l)}\n${putFour(tile, slice.name, place, value)}`);
      }),
  };
}

function storeSums(tile: MatrixTile, sums: SumsWriter): string {
  return `
fn storeSums(${sumParameters}, firstOfRows: i32, firstColumn: i32, part: i32) {
  let rowsEnd = g.filterFours / g.outFours;
  ${eachSum(
    tile,
    `
    let filterRow = firstOfRows + row;
    let column = firstColumn + four;
    if (filterRow < rowsEnd && column < g.outFours) { ${sums.filter('filterRow * g.outFours + column', 'column', 'sum')} }`,
  )}
}`;
}

/** Every thread has read some pixels of one four of columns: added up in a fixed order. */
function storeBias(tile: MatrixTile, store: NonNullable<SumsWriter['bias']>): string {
  const fours = tile.columns / 4;
  const lanes = [0, 1, 2, 3].map((lane) => `sums[other * 4u + ${lane}u]`);
  return `
    if (begun == 0u && rowTile == 0) {
      ${unroll(4, (lane) => `sums[thread * 4u + ${lane}u] = bias[${lane}];`)}
      workgroupBarrier();
      let column = firstColumn + i32(thread);
      if (thread < ${fours}u && column < g.outFours) {
        var total = vec4<f32>();
        for (var other = thread; other < ${threadsOf(tile)}u; other += ${fours}u) { total += vec4<f32>(${lanes.join(', ')}); }
        ${store('column', 'total')}
      }
      workgroupBarrier();
    }`;
}
