/**
 * Convolutions on the units for products of small matrices that newer GPUs have. The tiles are those of `gatherWorkgroup`; here a
 * subgroup multiplies blocks of them at once, sums kept in f32.
 *
 * A tile is cut into patches, one for each subgroup of the size that the kernel was laid out for. How large subgroups are is known
 * only on the device: where there are fewer of them than patches, the workgroup goes through its sums again for the rest; where there
 * are more, some wait.
 *
 * Halves as components. What is stored in halves is multiplied as it is, filters are rounded. What is stored in f32 (gradients, often far
 * below the smallest half) is scaled on its way into the slice, so that the largest number that the workgroup has seen is near
 * the largest half, and the sums are scaled with it: a power of two, so nothing is rounded by it, and what is lost is 2^-29 of that
 * largest number at most.
 */
import { type KernelCall, words } from '../../plan/call.ts';
import { type DeviceFacts, declareUniforms, foursOf, type MatrixShape, store4, unroll } from '../wgsl.ts';
import { bindGather, channelVectors, epilogue, filterStrides, type Gather } from './gather.ts';
import { dispatchOf, loadPixels, locatePixel, pixelLoads, type SliceLayout } from './gatherWorkgroup.ts';
import { gatherFlops, levelStruct, phaseStride, phaseTaps, pickLevel, shapeLabel } from './geometry.ts';

/** A workgroup's tile is `rows` x `columns`, a subgroup's patch of it `patchRows` x `patchColumns`; `depth` of a slice. */
export interface MatrixVariant {
  readonly kind: 'matrix';
  readonly shape: MatrixShape;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly patchRows: number;
  readonly patchColumns: number;
  /** Threads of a subgroup that the workgroup is laid out for. */
  readonly subgroup: number;
}

type Tile = Pick<MatrixVariant, 'rows' | 'columns' | 'patchRows' | 'patchColumns'>;

/** From the one that keeps most of a GPU busy to the one that reads least for each product. */
const tiles: readonly Tile[] = [
  { rows: 64, columns: 64, patchRows: 32, patchColumns: 32 },
  { rows: 128, columns: 64, patchRows: 32, patchColumns: 32 },
  { rows: 128, columns: 128, patchRows: 64, patchColumns: 32 },
  { rows: 64, columns: 32, patchRows: 32, patchColumns: 16 },
  { rows: 32, columns: 32, patchRows: 16, patchColumns: 16 },
];

/** Numbers of a slice's depth: 64 bytes of a pixel. */
const depths = { f16: 32, f32: 16 };

const bytes = { f16: 2, f32: 4 };

/** Behind every row of a slice, so that rows begin in different banks. */
const skewBytes = 16;

/** Those that most GPUs have. */
const commonSubgroups = [32, 64, 16];

/** For the tuner: the largest product of each kind in tiles of every size, others in one. None where the device has no such units. */
export function matrixVariants(gather: Gather, facts: DeviceFacts): MatrixVariant[] {
  return (['f16', 'f32'] as const).flatMap((component) => {
    const shapes = facts.matrices
      .filter((shape) => shape.component === component && shape.result === 'f32')
      .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
    return shapes.flatMap((shape, index) => {
      const fitting = laidOut(shape, facts).filter((each) => fits(each, gather, facts));
      return index === 0 ? fitting : fitting.slice(0, 1);
    });
  });
}

function laidOut(shape: MatrixShape, { subgroups }: DeviceFacts): MatrixVariant[] {
  if (!subgroups) return [];
  const common = commonSubgroups.filter((size) => size >= subgroups.min && size <= subgroups.max);
  const sizes = common.length > 0 ? common : [subgroups.max];
  const depth = depths[shape.component];
  return tiles.flatMap((tile) =>
    sizes.map((subgroup): MatrixVariant => ({ kind: 'matrix', shape, ...tile, depth, subgroup })),
  );
}

function fits(variant: MatrixVariant, gather: Gather, facts: DeviceFacts): boolean {
  const { shape, rows, columns, depth, patchRows, patchColumns } = variant;
  const threads = matrixThreads(variant);
  const channels = Math.max(32, foursOf(gather.target) * 4);
  return (
    patchRows % shape.m === 0 &&
    patchColumns % shape.n === 0 &&
    depth % shape.k === 0 &&
    columns < 2 * channels &&
    // What the device asks of every kernel with matrices, and what `loadPixels` does.
    threads % facts.subgroups!.max === 0 &&
    (rows * depth) % (4 * threads) === 0 &&
    threads <= facts.maxInvocationsPerWorkgroup &&
    matrixSharedBytes(variant) <= facts.maxWorkgroupStorageBytes
  );
}

export function matrixThreads(variant: MatrixVariant): number {
  return patchesOf(variant) * variant.subgroup;
}

function patchesOf({ rows, columns, patchRows, patchColumns }: Tile): number {
  return (rows / patchRows) * (columns / patchColumns);
}

/** Of both slices, of one row of blocks of every patch, and of the largest number seen. */
function matrixSharedBytes(variant: MatrixVariant): number {
  const { shape, rows, columns, depth, patchColumns } = variant;
  const skew = skewBytes / bytes[shape.component];
  const [own, turned] = [depth * (columns + skew), columns * (depth + skew)];
  const slices = rows * (depth + skew) + Math.max(own, turned);
  return slices * bytes[shape.component] + patchesOf(variant) * shape.m * patchColumns * 4 + 16;
}

export function lowerMatrix(gather: Gather, variant: MatrixVariant): KernelCall {
  const { target, conv, backward } = gather;
  const { bindings, declarations } = bindGather(gather, false);
  const { table, workgroups } = dispatchOf(gather, variant);
  return {
    label: `conv${backward ? ' dx' : ''} ${shapeLabel(conv)}`,
    code: [
      'enable subgroups;\nenable chromium_experimental_subgroup_matrix;',
      variant.shape.component === 'f16' ? 'enable f16;' : '',
      declarations,
      levelStruct,
      declareUniforms(bindings.length, 'g', `levels: array<Level, ${target.levels.length}>, first: i32`),
      matrixSource(layOut(gather, variant)),
    ].join('\n'),
    bindings,
    uniforms: words([...table, 0]),
    workgroups,
    sliceWord: table.length,
    flops: gatherFlops(gather),
  };
}

/** What the text of a kernel depends on. */
interface Layout extends MatrixVariant, SliceLayout {
  readonly rows: number;
  readonly patches: number;
  /** Patches side by side. */
  readonly across: number;
  /** Numbers from one row of a slice to the next. */
  readonly pixelStride: number;
  readonly weightStride: number;
  /** Fours of a row of weights as they are read: columns forward, depth backward. */
  readonly weightFours: number;
  /** Whether what is read is scaled on its way into halves. */
  readonly scaled: boolean;
}

function layOut(gather: Gather, variant: MatrixVariant): Layout {
  const { shape, columns, depth, patchColumns } = variant;
  const skew = skewBytes / bytes[shape.component];
  const weightRow = gather.backward ? depth : columns;
  return {
    ...variant,
    gather,
    threads: matrixThreads(variant),
    patches: patchesOf(variant),
    across: columns / patchColumns,
    deep: depth / 4,
    phases: phaseStride(gather),
    sourceFours: foursOf(gather.source),
    pixelStride: depth + skew,
    weightStride: weightRow + skew,
    weightFours: weightRow / 4,
    scaled: shape.component === 'f16' && gather.source.tensor.storage === 'f32',
  };
}

function matrixSource(layout: Layout): string {
  const { gather, shape, threads, rows, columns, depth, deep, patches, across, sourceFours, scaled } = layout;
  const { pixelStride, weightStride, patchRows, patchColumns } = layout;
  const weightRows = gather.backward ? columns : depth;
  return `
var<workgroup> pixels: array<${shape.component}, ${rows * pixelStride}>;
var<workgroup> weights: array<${shape.component}, ${weightRows * weightStride}>;
var<workgroup> sums: array<f32, ${patches * shape.m * patchColumns}>;
${scaled ? 'var<workgroup> largest: atomic<u32>;' : ''}
${storeSums(layout)}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  let tile = i32(group.x) + g.first;
  ${pickLevel(gather, 'tile')}
  ${phaseTaps(gather, 'i32(group.z)')}
  let row = (tile - grid.x) * ${rows};
  let column = i32(group.y) * ${columns / 4};
  let rowsOfLevel = grid.y * grid.z * grid.w;
  let fours = tapsY * tapsX * ${sourceFours};
  let own = i32(thread) % ${deep};
  ${unroll(pixelLoads(layout), (l) => locatePixel(layout, l))}
  let steps = (fours + ${deep - 1}) / ${deep};
  for (var begun = 0u; begun < ${patches}u; begun += subgroups) {
    let patchAt = begun + subgroup;
    let patchRow = patchAt / ${across}u * ${patchRows}u;
    let patchColumn = patchAt % ${across}u * ${patchColumns}u;
    ${eachBlock(layout, (i, j) => `var a${i}_${j} = subgroup_matrix_result<f32, ${shape.n}, ${shape.m}>();`)}
    ${scaled ? `var exponent = ${leastExponent}u;` : ''}
    for (var step = 0; step <= steps; step++) {
      ${loadPixels(layout)}
      ${loadWeights(layout)}
      ${scaled ? lookForLargest(layout) : ''}
      if (step > 0 && patchAt < ${patches}u) {
        ${multiply(layout)}
      }
      ${scaled ? rescale(layout) : 'workgroupBarrier();'}
      ${storeSlices(layout)}
      workgroupBarrier();
    }
    ${unroll(patchRows / shape.m, (i) => storeBlocks(layout, i))}
  }
}`;
}

function eachBlock(
  { shape, patchRows, patchColumns }: Layout,
  line: (i: number, j: number) => string,
): string {
  return unroll(patchRows / shape.m, (i) => unroll(patchColumns / shape.n, (j) => line(i, j)));
}

/** Of a thread for one slice, four along the weights' rows each. */
function weightLoads({ gather, columns, depth, weightFours, threads }: Layout): {
  count: number;
  all: number;
} {
  const all = (gather.backward ? columns : depth) * weightFours;
  return { count: Math.ceil(all / threads), all };
}

/** As they lie: forward a row of the slice is a source channel's weights, backward those of a channel of the target. */
function loadWeights(layout: Layout): string {
  const { gather, depth, deep, threads, phases, sourceFours, weightFours } = layout;
  const targetFours = foursOf(gather.target);
  const filter = filterStrides(gather);
  return unroll(weightLoads(layout).count, (l) => {
    const element = `let e${l} = i32(thread) + ${l * threads};`;
    if (!gather.backward) {
      return `${element}
      let k${l} = min(step * ${depth} + e${l} / ${weightFours}, fours * 4 - 1);
      let weight${l} = w[k${l} * ${targetFours} + min(column + e${l} % ${weightFours}, ${targetFours - 1})];`;
    }
    return `${element}
      let q${l} = min(step * ${deep} + e${l} % ${deep}, fours - 1);
      let c${l} = min(column * 4 + e${l} / ${deep}, ${targetFours * 4 - 1});
      let t${l} = q${l} / ${sourceFours};
      let filterTap${l} = (firstY + t${l} / tapsX * ${phases}) * ${gather.conv.kernelSize} + firstX + t${l} % tapsX * ${phases};
      let weight${l} = w[filterTap${l} * ${filter.tap / 4} + c${l} * ${filter.row / 4} + q${l} % ${sourceFours}];`;
  });
}

function storeSlices(layout: Layout): string {
  const { shape, deep, threads, pixelStride, weightStride, weightFours, scaled } = layout;
  const { count, all } = weightLoads(layout);
  const four = (into: string, at: string, value: string) => `
      let ${into}At = ${at};
      let ${into}Four = vec4<${shape.component}>(${value});
      ${unroll(4, (lane) => `${into}[${into}At + ${lane}] = ${into}Four[${lane}];`)}`;
  const pixels = unroll(pixelLoads(layout), (l) => {
    const at = `(i32(thread) / ${deep} + ${(l * threads) / deep}) * ${pixelStride} + own * 4`;
    return `{ ${four('pixels', at, scaled ? `pixel${l} * up` : `pixel${l}`)} }`;
  });
  const weights = unroll(count, (l) => {
    const stored = four(
      'weights',
      `e${l} / ${weightFours} * ${weightStride} + e${l} % ${weightFours} * 4`,
      `weight${l}`,
    );
    return (l + 1) * threads <= all ? `{ ${stored} }` : `if (e${l} < ${all}) { ${stored} }`;
  });
  return `${pixels}\n${weights}`;
}

function multiply(layout: Layout): string {
  const { gather, shape, depth, patchRows, patchColumns, pixelStride, weightStride } = layout;
  const { component, m, n, k } = shape;
  const right = (j: number) =>
    gather.backward
      ? `col_major>(&weights, (patchColumn + ${j * n}u) * ${weightStride}u + k, ${weightStride}u)`
      : `row_major>(&weights, k * ${weightStride}u + patchColumn + ${j * n}u, ${weightStride}u)`;
  return `for (var k = 0u; k < ${depth}u; k += ${k}u) {
          ${unroll(
            patchRows / m,
            (i) =>
              `let left${i} = subgroupMatrixLoad<subgroup_matrix_left<${component}, ${k}, ${m}>, row_major>(&pixels, (patchRow + ${i * m}u) * ${pixelStride}u + k, ${pixelStride}u);`,
          )}
          ${unroll(
            patchColumns / n,
            (j) =>
              `let right${j} = subgroupMatrixLoad<subgroup_matrix_right<${component}, ${n}, ${k}>, ${right(j)};`,
          )}
          ${eachBlock(layout, (i, j) => `a${i}_${j} = subgroupMatrixMultiplyAccumulate(left${i}, right${j}, a${i}_${j});`)}
        }`;
}

/** Exponents as they stand in a float's bits. From this one on, the powers of two below are ordinary numbers. */
const leastExponent = 15;

/** That of 2^14: what the largest number is scaled to is below 2^15, which a half holds. */
const halfExponent = 127 + 14;

/** Back to the size of what was read; no number where that was none. */
const unscaled = `bitcast<f32>(select((exponent - ${halfExponent - 127}u) << 23u, 0x7fc00000u, exponent == 255u))`;

/** Of all that the workgroup has read by now. */
function lookForLargest(layout: Layout): string {
  return `
      var most = vec4<u32>();
      ${unroll(pixelLoads(layout), (l) => `most = max(most, bitcast<vec4<u32>>(pixel${l}) & vec4<u32>(0x7fffffffu));`)}
      let highest = subgroupMax(max(max(most.x, most.y), max(most.z, most.w)) >> 23u);
      if (subgroupElect()) { atomicMax(&largest, highest); }`;
}

/** A barrier. Behind it `up` is what is read is multiplied with, and what was summed up so far is as if it had been, too. */
function rescale(layout: Layout): string {
  return `
      let seen = max(workgroupUniformLoad(&largest), ${leastExponent}u);
      if (seen > exponent) {
        let down = bitcast<f32>((127u - min(seen - exponent, 127u)) << 23u);
        ${eachBlock(layout, (i, j) => `a${i}_${j} = subgroupMatrixScalarMultiply(a${i}_${j}, down);`)}
        exponent = seen;
      }
      let up = bitcast<f32>((${127 + halfExponent}u - exponent) << 23u);`;
}

/** The `i`th row of blocks of all patches that were computed, through workgroup memory, for no thread knows which sums it has. */
function storeBlocks({ shape, patches, patchColumns, scaled }: Layout, i: number): string {
  const stores = unroll(
    patchColumns / shape.n,
    (j) =>
      `subgroupMatrixStore<row_major>(&sums, subgroup * ${shape.m * patchColumns}u + ${j * shape.n}u, a${i}_${j}, ${patchColumns}u);`,
  );
  return `
    if (patchAt < ${patches}u) {
      ${stores}
    }
    workgroupBarrier();
    storeSums(thread, begun, min(subgroups, ${patches}u - begun), row + ${i * shape.m}, column, rowsOfLevel, grid, to, vec2<i32>(phaseY, phaseX)${scaled ? `, ${unscaled}` : ''});
    workgroupBarrier();`;
}

/** Rows of sums of `count` patches, from patch `begun`, each with what is fused into the layer. */
function storeSums(layout: Layout): string {
  const { gather, shape, threads, patchRows, patchColumns, across, phases, scaled } = layout;
  const fours = foursOf(gather.target);
  const wide = patchColumns / 4;
  const lanes = [0, 1, 2, 3].map((lane) => `sums[e * 4u + ${lane}u]`);
  return `
fn storeSums(thread: u32, begun: u32, count: u32, row: i32, column: i32, rowsOfLevel: i32, grid: vec4<i32>, to: vec4<i32>, phase: vec2<i32>${scaled ? ', unscaled: f32' : ''}) {
  for (var e = thread; e < count * ${shape.m * wide}u; e += ${threads}u) {
    let patchAt = begun + e / ${shape.m * wide}u;
    let r = row + i32(patchAt / ${across}u * ${patchRows}u + e / ${wide}u % ${shape.m}u);
    let channel = column + i32(patchAt % ${across}u * ${wide}u + e % ${wide}u);
    let y = r / grid.w % grid.z * ${phases} + phase.x;
    let x = r % grid.w * ${phases} + phase.y;
    if ((r < rowsOfLevel) & (y < to.y) & (x < to.z) & (channel < ${fours})) {
      let at = (to.x + (r / (grid.z * grid.w) * to.y + y) * to.z + x) * ${fours} + channel;
      let sum = vec4<f32>(${lanes.join(', ')})${scaled ? ' * unscaled' : ''};
      ${channelVectors(gather, 0, 'channel')}
      ${store4(gather.target.tensor, 'result', 'at', epilogue(gather, 'sum', 0, 'at'))}
    }
  }
}`;
}
